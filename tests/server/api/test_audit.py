"""Whatever people change is kept, with its words and without its secrets; questions and trials are not."""

from __future__ import annotations

import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.errors import StoreUnavailable
from cmdb_server.practices import audit
from tests.factories import host, report


def acts(admin, **query: str) -> list[dict]:
    return admin.get("/api/v1/audit", query_string=query).json["items"]


def test_who_did_what_to_what(admin, as_role, agent) -> None:
    body = report("r1", now_ms(), [host("web-1", "10.0.0.1"), host("web-2", "10.0.0.2")])
    agent.post("/api/v1/reports", data=body, content_type="application/json")
    eva = as_role("operator", subject="eva")
    one, two = (ci["id"] for ci in eva.get("/api/v1/cis?class=server").json["items"])
    choice = {"verb": "merge", "sides": [[one], [two]]}
    assert eva.post("/api/v1/decisions/effect", json=choice).status_code == 200
    made = eva.post("/api/v1/decisions", json={**choice, "reason": "one box"}).json
    eva.post(f"/api/v1/decisions/{made['id']}/undo", json={"reason": "two after all"})
    eva.patch(f"/api/v1/cis/{one}", json={"attributes": {"os_name": "x"}}, headers={"If-Match": "*"})
    eva.post("/api/v1/baselines", json={"name": "june"})
    eva.delete("/api/v1/baselines/june")
    eva.post("/api/v1/impact", json={"fail": [one]})
    told = [(act["action"], act["thing"]) for act in acts(admin, subject="eva")]
    assert told[::-1] == [
        ("decisions.decide", made["id"]), ("decisions.undo", made["id"]), ("cis.edit", one), ("baselines.make", "june"),
        ("baselines.remove", "june"),
    ]  # fmt: skip
    (undo,) = acts(admin, action="decisions.undo")
    assert (undo["detail"]["verb"], undo["detail"]["reason"], undo["role"]) == ("undo", "two after all", "operator")
    assert {act["subject"] for act in acts(admin, thing=made["id"])} == {"eva"}


def test_secrets_are_not_kept(admin) -> None:
    made = admin.post("/api/v1/tokens", json={"subject": "tom", "role": "reader"}).json
    admin.post("/api/v1/enrolment-codes", json={"agent": "north", "sites": ["*"], "sources": ["*"], "networks": []})
    admin.delete(f"/api/v1/tokens/{made['id']}")
    revoked, code, created = acts(admin)
    assert (created["action"], created["detail"]["subject"], created["detail"]["role"]) == (
        "tokens.create",
        "tom",
        "reader",
    )
    assert (revoked["action"], revoked["thing"]) == ("tokens.revoke", made["id"])
    assert code["action"] == "enrolments.offer"
    assert made["token"] not in str(acts(admin)) and "enrol_" not in str(acts(admin))


def test_what_failed_or_was_only_tried_changed_nothing(admin) -> None:
    admin.post("/api/v1/tokens", json={"subject": "tom", "role": "emperor"})
    admin.post("/api/v1/imports?format=csv&dry_run=true", data="class,name\nserver,x\n", content_type="text/csv")
    admin.post("/api/v1/retention", json={"before": "2001-01-01T00:00:00Z"})
    assert acts(admin) == []


def test_pages_and_who_may_ask(admin, reader) -> None:
    for number in range(3):
        admin.post("/api/v1/baselines", json={"name": f"b{number}"})
    first = admin.get("/api/v1/audit?limit=2").json
    rest = admin.get(f"/api/v1/audit?limit=2&cursor={first['next_cursor']}").json
    assert [act["thing"] for act in (*first["items"], *rest["items"])] == ["b2", "b1", "b0"]
    assert rest["next_cursor"] is None
    assert reader.get("/api/v1/audit").status_code == 403
    assert admin.get("/api/v1/audit?cursor=!!").status_code == 422


def test_a_line_bears_the_revision_of_what_was_done_and_survives_all_that_follows(
    admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(audit, "complete", fails)
    made = admin.post("/api/v1/cis", json={"class": "server", "name": "web-1"}).json
    choice = {"verb": "tombstone", "sides": [[made["id"]]], "reason": "sold"}
    decided = admin.post("/api/v1/decisions", json=choice).json
    tombstone, entry = acts(admin)
    assert (tombstone["detail"], tombstone["revision"]) == (
        {"verb": "tombstone", "reason": "sold"},
        decided["revision"],
    )
    assert (entry["action"], entry["detail"], entry["revision"]) == (
        "cis.enter",
        {"name": "web-1", "class": "server"},
        made["revision"],
    )


def test_what_people_keep_of_their_work_is_told_too(admin, as_role) -> None:
    eva = as_role("operator", subject="eva")
    change = eva.post("/api/v1/kept/change", json={"body": {"summary": "x", "type": "normal"}}).json
    number, etag = change["number"], "*"
    eva.patch(f"/api/v1/kept/change/{number}", json={"body": {"summary": "y"}}, headers={"If-Match": etag})
    eva.post(f"/api/v1/kept/change/{number}/transitions", json={"transition": "cancel", "note": "not needed"})
    moved, *_rest = told = acts(admin, subject="eva")
    assert [(act["action"], act["thing"]) for act in told[::-1]] == [
        ("kept.open_", number), ("kept.edit", number), ("kept.move", number),
    ]  # fmt: skip
    assert moved["detail"]["transition"] == "cancel" and moved["detail"]["note"] == "not needed"


def test_an_import_that_tells_its_progress_is_told_once_it_is_done(admin) -> None:
    told = {"content_type": "text/csv", "headers": {"Accept": "application/x-ndjson"}}
    url = "/api/v1/imports?format=csv&name=old"
    assert admin.post(url, data="class,name\nspaceship,x\n", **told).text
    assert acts(admin) == []
    assert admin.post(url, data="class,name\nserver,x\n", **told).text
    (line,) = acts(admin)
    assert (line["action"], line["thing"]) == ("imports.take", "old")
