"""Changes over the API, by the people who have a say in them."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.ingest import declare
from cmdb_server.ingest.declare import DeclaredRelation
from cmdb_server.model.instants import rfc3339
from tests.estate import Estate, minute
from tests.factories import START, host

API = "/api/v1"
HOUR = 3_600_000


def window(start: int, end: int) -> dict[str, str]:
    """In hours from now."""
    now = now_ms()
    return {"start": rfc3339(now + start * HOUR), "end": rfc3339(now + end * HOUR)}


@pytest.fixture
def cis(store) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, class_, below, more in (
        ("web", "server", (), {}), ("db", "database_instance", ("web",), {}),
        ("bank", "business_service", ("db",), {"owned_by": "cleo"}), ("idle", "server", (), {}),
    ):  # fmt: skip
        told = [DeclaredRelation("depends_on", found[one]) for one in below]
        found[name] = declare.create(store, "ann", class_, {"name": name} | more, told, now_ms=START).ci
    return found


@pytest.fixture
def people(as_role) -> dict[str, Any]:
    return {"ann": as_role("operator", subject="ann"), "bob": as_role("approver", subject="bob"),
            "cleo": as_role("reader", subject="cleo")}  # fmt: skip


def opened(people, *cis: str, **more: Any) -> str:
    body = {"summary": "move", "windows": [window(2, 4)], "plan": "do it", "back_out": "undo it"} | more
    made = people["ann"].post(f"{API}/kept/change", json={"body": body, "cis": {"changed": list(cis)}})
    assert made.status_code == 201, made.json
    return str(made.json["number"])


def go(client, number: str, transition: str, kind: str = "change", **more: Any) -> Any:
    return client.post(f"{API}/kept/{kind}/{number}/transitions", json={"transition": transition, **more})


def test_from_request_to_schedule(people, cis) -> None:
    number = opened(people, cis["web"])
    told = people["cleo"].get(f"{API}/kept/change/{number}/assessment")
    assert told.status_code == 200, told.json
    assert [(one["service"]["name"], one["state"], one["owner"]) for one in told.json["approvals"]] == [
        ("bank", "down", "cleo")
    ]
    assert told.json["impact"]["services"][0]["affected"]["ci"]["name"] == "bank"
    assert people["ann"].get(f"{API}/kept/change/{number}/approvals").json == []
    for transition in ("assess", "authorise"):
        assert go(people["ann"], number, transition).status_code == 200
    refused = go(people["bob"], number, "schedule")
    assert refused.status_code == 409 and "cleo" in refused.json["detail"]
    [asked] = people["ann"].get(f"{API}/kept/change/{number}/approvals").json
    assert go(people["bob"], asked["number"], "approve", "approval").status_code == 403
    assert go(people["cleo"], asked["number"], "approve", "approval").json["state"] == "approved"
    assert go(people["bob"], number, "schedule").json["state"] == "scheduled"


def test_the_next_free_slot(people, cis) -> None:
    first = opened(people, cis["idle"])
    for transition, who in (("assess", "ann"), ("authorise", "ann"), ("schedule", "bob")):
        assert go(people[who], first, transition).status_code == 200
    found = people["ann"].get(f"{API}/kept/change/{opened(people, cis['idle'])}/slot?length=PT3H").json
    assert found["in_the_way"] == [first] and found["length"] == 3 * HOUR
    assert found["slot"]["start"] >= window(2, 4)["end"][:16]


def test_rates_of_success(people, cis) -> None:
    number = opened(people, cis["idle"], team="web")
    for transition, who, body in (
        ("assess", "ann", {}), ("authorise", "ann", {}), ("schedule", "bob", {}), ("implement", "ann", {}),
        ("review", "ann", {"outcome": "failed"}),
    ):  # fmt: skip
        assert go(people[who], number, transition, body=body, note="before its time").status_code == 200
    told = people["ann"].get(f"{API}/change-success?by=team").json
    assert told["items"] == [{"name": "web", "changes": 1, "failed": 1, "with_issues": 0, "rate": 0.0}]
    assert sum(one["wrong"] for one in told["calibration"]) == 1


@pytest.mark.parametrize(
    ("path", "status", "where"),
    [("kept/change/CHG0000099/assessment", 404, None), ("kept/change/CHG0000099/slot", 404, None),
     ("kept/change/CHG0000099/approvals", 404, None), ("change-success?by=moon", 422, "by"),
     ("kept/change/CHG0000001/slot?length=soon", 422, "length"), ("kept/change/CHG0000001/slot?length=PT0S", 422, "length")],
)  # fmt: skip
def test_what_cannot_be_asked(people, cis, path: str, status: int, where: str | None) -> None:
    opened(people, cis["idle"])
    answer = people["ann"].get(f"{API}/{path}")
    assert answer.status_code == status, answer.json
    if where:
        assert where in str(answer.json["errors"])


def test_after_the_change(people, cis, store) -> None:
    expected = [{"edit": "set", "ci": cis["idle"], "attribute": "os_version"}]
    number = opened(people, cis["idle"], expected=expected)
    assert people["ann"].get(f"{API}/kept/change/{number}/verification").status_code == 409
    for transition, who in (("assess", "ann"), ("authorise", "ann"), ("schedule", "bob"), ("implement", "ann")):
        assert go(people[who], number, transition, note="before its time").status_code == 200
    told = people["ann"].get(f"{API}/kept/change/{number}/verification").json
    assert [one["result"] for one in told["outcomes"]] == ["missing"] and told["holds"] is False
    wrong = people["ann"].post(f"{API}/kept/change", json={"body": {"summary": "x", "expected": [{"edit": "melt"}]}})
    assert wrong.status_code == 422 and wrong.json["errors"][0]["path"] == "body.expected[0].edit"


def test_unplanned_changes(people, cis, store) -> None:
    since, estate = rfc3339(START - 1), Estate(store)
    for at in range(4):
        estate.tell(at, *(host(name, f"10.0.0.{n}", os_version=str(at)) for n, name in enumerate(("one", "two"), 1)))
    asked = f"{API}/unplanned-changes?since={since}&until={rfc3339(minute(2))}&limit=3"
    found = people["ann"].get(asked).json
    assert (found["since"], found["until"]) == (since, rfc3339(minute(2)))
    rest = people["ann"].get(f"{asked}&cursor={found['next_cursor']}").json
    assert len(found["items"]) == 3 and len(rest["items"]) == 1 and rest["next_cursor"] is None
    items = [*found["items"], *rest["items"]]
    assert [(one["at"], one["number"]) for one in items] == [(rfc3339(minute(at)), None) for at in (1, 1, 2, 2)]
    told = {one["name"]: one for one in items[2:]}
    assert told["two"]["values"] == {"os_version": ["1", "2"]} and told["two"]["change"] == "changed"
    assert told["two"]["cis"] == [{"id": estate.ci("two")["id"], "name": "two", "class": "server"}]
    for wrong in (f"since={since}&until={since}", f"since={since}&cursor=eA==", f"since={since}&limit=0"):
        assert people["ann"].get(f"{API}/unplanned-changes?{wrong}").status_code == 422


def test_a_release(people, cis) -> None:
    changes = [opened(people, cis["web"]), opened(people, cis["idle"])]
    told = {"summary": "spring", "changes": changes}
    number = people["ann"].post(f"{API}/kept/release", json={"body": told}).json["number"]
    found = people["ann"].get(f"{API}/kept/release/{number}/assessment").json
    assert [(one["number"], one["late"]) for one in found["changes"]] == [(changes[0], False), (changes[1], True)]
    assert [one["affected"]["ci"]["name"] for one in found["impact"]["services"]] == ["bank"]
    assert people["ann"].get(f"{API}/kept/release/{changes[0]}/assessment").status_code == 404
