from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.ingest import declare
from cmdb_server.settings import Settings
from tests.factories import START

KEPT = "/api/v1/kept"
WINDOW = {"start": "2026-03-01T22:00:00Z", "end": "2026-03-02T02:00:00Z"}
READY = {"summary": "move", "windows": [WINDOW], "plan": "do it", "back_out": "undo it"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, kinds=(Path(__file__).parents[2] / "cases/kept",))


@pytest.fixture
def web(store) -> str:
    return declare.create(store, "ann", "server", {"name": "web-1"}, now_ms=START).ci


@pytest.fixture
def ann(as_role) -> Any:
    return as_role("operator", subject="ann")


@pytest.fixture
def bob(as_role) -> Any:
    return as_role("approver", subject="bob")


def go(client, place: str, transition: str, **more: Any) -> Any:
    return client.post(f"{place}/transitions", json={"transition": transition, **more})


def test_a_change_by_two_people_from_opening_to_its_schedule(ann, bob, reader, web) -> None:
    made = ann.post(f"{KEPT}/request", json={"body": READY, "cis": {"changed": [web]}})
    assert made.status_code == 201, made.json
    place = made.headers["Location"].removeprefix("http://localhost")
    assert place == f"{KEPT}/request/REQ0000001" and made.json["possible"] == ["assess", "cancel"]
    assert reader.get(place).json == made.json and made.json["subject"] == "ann"
    assert go(ann, place, "assess").json["state"] == "assess"
    assert go(ann, place, "authorise").json["state"] == "authorise"
    refused = go(ann, place, "schedule")
    assert refused.status_code == 403 and "approver" in refused.json["detail"]
    assert go(bob, place, "schedule", note="go").json["state"] == "scheduled"
    again = go(bob, place, "schedule")
    assert again.status_code == 409 and again.json["state"] == "scheduled"
    assert again.json["possible"] == ["rework", "implement", "cancel"]
    told = reader.get(f"{place}/history").json
    assert [(one["transition"], one["subject"]) for one in told] == [
        ("open", "ann"), ("assess", "ann"), ("authorise", "ann"), ("schedule", "bob"),
    ]  # fmt: skip
    assert told[-1]["note"] == "go"


def test_two_people_editing_at_once(ann, as_role, web) -> None:
    cy = as_role("operator", subject="cy")
    place = f"{KEPT}/request/REQ0000001"
    ann.post(f"{KEPT}/request", json={"body": READY, "cis": {"changed": [web]}})
    tags = [client.get(place).headers["ETag"] for client in (ann, cy)]
    assert ann.patch(place, json={"body": {"summary": "x"}}).status_code == 428
    first = ann.patch(place, json={"body": {"summary": "x"}}, headers={"If-Match": tags[0]})
    assert first.status_code == 200 and first.json["version"] == 2 and first.json["cis"] == {"changed": [web]}
    late = cy.patch(place, json={"body": {"summary": "y"}}, headers={"If-Match": tags[1]})
    assert late.status_code == 412
    late = cy.post(f"{place}/transitions", json={"transition": "assess"}, headers={"If-Match": tags[1]})
    assert late.status_code == 412
    assert cy.get(place).json["body"]["summary"] == "x"
    assert go(cy, place, "assess").status_code == 200


def test_refusals_name_paths_and_write_nothing(ann, reader, agent, web) -> None:
    wrong = {"windows": [WINDOW | {"end": WINDOW["start"]}], "colour": "red"}
    told = ann.post(f"{KEPT}/request", json={"body": wrong, "cis": {"changed": [web, START_ID]}})
    assert told.status_code == 422
    assert {one["path"] for one in told.json["errors"]} == {
        "body.windows[0].end", "body.colour", "body.summary", "cis.changed[1]",
    }  # fmt: skip
    assert reader.get(f"{KEPT}/request").json["items"] == []
    assert ann.post(f"{KEPT}/party", json={}).status_code == 404
    assert reader.get(f"{KEPT}/party").status_code == 404
    assert reader.post(f"{KEPT}/request", json={"body": READY}).status_code == 403
    assert agent.get(f"{KEPT}/request").status_code == 403 == agent.get(KEPT).status_code
    ann.post(f"{KEPT}/outage", json={"cis": {"down": [web]}})
    assert reader.get(f"{KEPT}/outage/OUT0000001").status_code == 200
    for path in ("/request/OUT0000001", "/outage/OUT0000002", "/outage/OUT0000002/history"):
        assert reader.get(KEPT + path).status_code == 404


START_ID = "00000000-0000-4000-8000-000000000000"


def test_lists_are_narrowed_and_paged(ann, as_role, reader, web) -> None:
    for n in range(5):
        ann.post(f"{KEPT}/request", json={"body": {"summary": str(n)}, "cis": {"changed": [web]} if n % 2 else {}})
    as_role("operator", subject="cy").post(f"{KEPT}/request", json={"body": {"summary": "5"}})
    go(ann, f"{KEPT}/request/REQ0000002", "cancel", note="no")

    def told(**query):
        return [one["body"]["summary"] for one in reader.get(f"{KEPT}/request", query_string=query).json["items"]]

    assert told() == list("012345") and told(subject="cy") == ["5"]
    assert told(ci=web) == ["1", "3"] and told(ci=web, state="new") == ["3"]
    assert told(state=["new", "cancelled"]) == list("012345") and told(state="closed") == []
    first = reader.get(f"{KEPT}/request?limit=4").json
    rest = reader.get(f"{KEPT}/request", query_string={"cursor": first["next_cursor"]}).json
    assert [one["body"]["summary"] for one in (*first["items"], *rest["items"])] == list("012345")
    assert rest["next_cursor"] is None


def test_kinds_tell_what_a_form_needs(reader) -> None:
    told = {one["name"]: one for one in reader.get(KEPT).json}
    assert {"request", "change", "outage", "freeze", "maintenance_window"} <= set(told)
    change = told["request"]
    assert change["states"][0] == "new" and change["prefix"] == "REQ"
    assert {"name": "windows", "type": "window", "many": True}.items() <= change["fields"][
        [one["name"] for one in change["fields"]].index("windows")
    ].items()
    assert {"name": "schedule", "from": ["authorise"], "to": "scheduled"}.items() <= next(
        one for one in change["transitions"] if one["name"] == "schedule"
    ).items()


def test_what_is_hostile_is_data(ann, reader) -> None:
    for text in ("'; DROP TABLE kept; --", "<script>", "{{7*7}}", "\u202e", "x" * 1024):
        made = ann.post(f"{KEPT}/request", json={"body": {"summary": text}})
        assert (
            made.status_code == 201
            and reader.get(f"{KEPT}/request/{made.json['number']}").json["body"]["summary"] == text
        )
    assert ann.post(f"{KEPT}/request", json={"body": {"summary": "a\0b"}}).status_code == 422
    assert ann.post(f"{KEPT}/request", json={"body": {"summary": "x" * 1025}}).status_code == 422
    assert reader.get(f"{KEPT}/request/%00").status_code in (404, 422)
    assert reader.get(f"{KEPT}/request?cursor=x").status_code == 422
