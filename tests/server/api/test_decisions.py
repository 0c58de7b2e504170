"""Decisions over the API: made, tried, listed with who and why, undone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cmdb_server.api.context import now_ms
from tests.factories import host, report

PATH = "/api/v1/decisions"


@pytest.fixture
def ids(agent: Any, reader: Any) -> dict[str, str]:
    """name -> id of two servers."""
    hosts = [host("web-1", "10.0.0.1"), host("web-2", "10.0.0.2")]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    return {ci["name"]: ci["id"] for ci in reader.get("/api/v1/cis?class=server").json["items"]}


def servers(client: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/api/v1/cis?class=server").json["items"]
    return found


def test_a_merge_is_made_listed_with_who_and_why_and_undone(as_role, reader, ids) -> None:
    ann = as_role("operator", subject="ann")
    body = {"verb": "merge", "sides": [[ids["web-1"]], [ids["web-2"]]], "reason": "one box, two names"}
    made = ann.post(PATH, json=body)
    assert made.status_code == 201, made.json
    assert len(servers(reader)) == 1
    (told,) = reader.get(PATH).json["items"]
    assert told == made.json and (told["by"], told["reason"], told["in_effect"]) == ("ann", body["reason"], True)
    undone = ann.post(f"{PATH}/{told['id']}/undo", json={"reason": "two after all"})
    assert undone.status_code == 201 and undone.json["undoes"] == told["id"]
    assert len(servers(reader)) == 2
    assert reader.get(f"{PATH}/{told['id']}").json["undone_by"] == undone.json["id"]
    assert ann.post(f"{PATH}/{told['id']}/undo", json={"reason": "again"}).status_code == 409


def test_the_effect_is_told_and_nothing_is_made(as_role, reader, ids) -> None:
    body = {"verb": "merge", "sides": [[ids["web-1"]], [ids["web-2"]]]}
    told = as_role("operator").post(f"{PATH}/effect", json=body).json
    assert len(told["gone"]) >= 1 and {one["from"] for one in told["moved"]} <= set(told["gone"])
    (gone,) = [one for one in told["cis"] if one["class"] == "server" and one["change"] == "merge"]
    assert {gone["id"], gone["into"]} == set(ids.values()) and ids[gone["name"]] == gone["id"]
    assert {one["source"] for one in told["moved"]} == {"ssh"} and "server" in {one["class"] for one in told["moved"]}
    assert (
        f"server {gone['name']} becomes part of server "
        in next(one for one in told["words"] if one["id"] == gone["id"])["text"]
    )
    assert len(servers(reader)) == 2 and reader.get(PATH).json["items"] == []


def test_a_pin_and_a_tombstone(as_role, reader, ids) -> None:
    ann = as_role("operator", subject="ann")
    pin = {"verb": "pin", "sides": [[ids["web-1"]]], "attribute": "os_name", "pinned": "Plan 9", "reason": "I looked"}
    assert ann.post(PATH, json=pin).status_code == 201
    assert reader.get(f"/api/v1/cis/{ids['web-1']}").json["attributes"]["os_name"] == "Plan 9"
    gone = {"verb": "tombstone", "sides": [[ids["web-2"]]], "hold_back": True, "reason": "sold"}
    assert ann.post(PATH, json=gone).json["body"]["hold_back"] is True
    assert [one["verb"] for one in reader.get(f"{PATH}?ci={ids['web-2']}").json["items"]] == ["tombstone"]
    assert [one["verb"] for one in reader.get(f"{PATH}?verb=pin").json["items"]] == ["pin"]


def test_pages(as_role, reader, ids) -> None:
    ann = as_role("operator")
    for n in range(3):
        ann.post(PATH, json={"verb": "distrust", "value": ["serial", f"S{n}"], "reason": "x"})
    first = reader.get(f"{PATH}?limit=2").json
    rest = reader.get(PATH, query_string={"limit": 2, "cursor": first["next_cursor"]}).json
    assert [one["body"]["value"][1].upper() for one in first["items"] + rest["items"]] == ["S2", "S1", "S0"]
    assert rest["next_cursor"] is None


def test_refusals(as_role, reader, ids) -> None:
    ann = as_role("operator")
    merge = {"verb": "merge", "sides": [[ids["web-1"]]], "reason": "x"}
    assert reader.post(PATH, json=merge).status_code == 403
    assert ann.post(PATH, json=merge).status_code == 422
    assert ann.post(PATH, json={**merge, "reason": ""}).status_code == 422
    for kind in ("serail", "vendor", "native"):
        for path, why in ((PATH, {"reason": "x"}), (f"{PATH}/effect", {})):
            refused = ann.post(path, json={"verb": "distrust", "value": [kind, "x"], **why})
            assert refused.status_code == 422
            (fault,) = refused.json["errors"]
            assert fault["path"] == "value" and repr(kind) in fault["message"] and "ssh_host_key" in fault["message"]
    unknown = {"verb": "tombstone", "sides": [[str(uuid.uuid4())]], "reason": "x"}
    answer = ann.post(PATH, json=unknown)
    assert answer.status_code == 404 and answer.content_type == "application/problem+json"
    assert reader.get(f"{PATH}/{uuid.uuid4()}").status_code == 404
    assert ann.post(f"{PATH}/{uuid.uuid4()}/undo", json={"reason": "x"}).status_code == 404


def test_what_changed_meanwhile_is_not_deleted_unawares(admin) -> None:
    made = admin.post("/api/v1/cis", json={"class": "server", "name": "web-1"})
    ci, tag = made.json["id"], made.headers["ETag"]
    gone = {"verb": "tombstone", "sides": [[ci]], "reason": "sold"}
    admin.patch(f"/api/v1/cis/{ci}", json={"attributes": {"os_name": "x"}}, headers={"If-Match": tag})
    assert admin.post("/api/v1/decisions", json=gone, headers={"If-Match": tag}).status_code == 412
    assert admin.get(f"/api/v1/cis/{ci}").json["life"] == "current"
    now = admin.get(f"/api/v1/cis/{ci}").headers["ETag"]
    assert admin.post("/api/v1/decisions", json=gone, headers={"If-Match": now}).status_code == 201
    assert admin.get(f"/api/v1/cis/{ci}").json["life"] == "retired"
    of_many = {"verb": "distrust", "value": ["serial", "x"], "reason": "y"}
    assert admin.post("/api/v1/decisions", json=of_many, headers={"If-Match": now}).status_code == 422
