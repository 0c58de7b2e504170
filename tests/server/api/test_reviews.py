"""Reviews over the API: listed, weighed, answered with who and why, and open again when the answer is undone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from cmdb_server.store.port import Store
from tests.delivered import bodies, deliver
from tests.situations import BOX, OTHER, SOFTWARE, box, of, ssh

PATH = "/api/v1/reviews"
BARE = of(BOX, "mac", *SOFTWARE, "name")
DOUBTFUL = [ssh(1, box("a", BARE)), ssh(3, box("b", {**BARE, **of(OTHER, "mac")}))]
STICKER = [ssh(1, box("a", BOX), box("b", of(OTHER, serial=BOX["serial"]), "10.0.0.2"))]


@pytest.fixture
def task(store: Store, reader: Any) -> dict[str, Any]:
    deliver(store, bodies(DOUBTFUL))
    (found,) = reader.get(PATH).json["items"]
    told: dict[str, Any] = found
    return told


def servers(client: Any) -> int:
    return len(client.get("/api/v1/cis?class=computer").json["items"])


def test_the_evidence_side_by_side(reader, task) -> None:
    told = reader.get(f"{PATH}/{task['id']}").json
    assert told["kind"] == "review" and len(told["sides"]) == 2 and set(told["cis"]) == set(task["cis"])
    assert {side["source"] for side in told["sides"]} == {"ssh"}
    assert told["score"] == sum(one["points"] for one in told["evidence"])
    (mac,) = [one for one in told["evidence"] if one["kind"] == "mac"]
    assert mac["points"] < 0 and not set(mac["ours"]) & set(mac["theirs"])


@pytest.mark.parametrize(("said", "left"), [("accept", 1), ("refuse", 2)])
def test_an_answer_does_what_its_effect_said_and_can_be_undone(as_role, reader, task, said: str, left: int) -> None:
    ann, path = as_role("operator", subject="ann"), f"{PATH}/{task['id']}"
    effect = reader.get(f"{path}/effect?answer={said}").json
    assert bool(effect["gone"]) is (said == "accept") and servers(reader) == 2
    made = ann.post(path, json={"answer": said, "reason": "I was there"})
    assert made.status_code == 201, made.json
    assert (made.json["by"], made.json["reason"], servers(reader)) == ("ann", "I was there", left)
    assert reader.get(PATH).json["items"] == []
    assert ann.post(path, json={"answer": said, "reason": "again"}).status_code == 409
    ann.post(f"/api/v1/decisions/{made.json['id']}/undo", json={"reason": "not sure"})
    assert [one["id"] for one in reader.get(PATH).json["items"]] == [task["id"]]


def test_kinds_pages_and_refusals(store, as_role, reader) -> None:
    deliver(store, bodies(STICKER))
    (found,) = reader.get(f"{PATH}?kind=distrusted&limit=1").json["items"]
    assert reader.get(f"{PATH}?kind=review").json["items"] == []
    refuse = {"answer": "refuse", "reason": "x"}
    operator = as_role("operator")
    assert operator.post(f"{PATH}/{found['id']}", json=refuse).status_code == 422
    assert reader.post(f"{PATH}/{found['id']}", json=refuse).status_code == 403
    assert operator.post(f"{PATH}/{uuid.uuid4()}", json=refuse).status_code == 404
    assert reader.get(f"{PATH}/{uuid.uuid4()}").status_code == 404
    assert reader.get(f"{PATH}/{uuid.uuid4()}/effect?answer=accept").status_code == 404


def test_what_was_deleted_by_hand(store, as_role, reader) -> None:
    deliver(store, bodies(STICKER[:1]))
    ci = reader.get("/api/v1/cis?class=computer").json["items"][0]["id"]
    gone = {"verb": "tombstone", "sides": [[ci]], "hold_back": True, "reason": "sold"}
    made = as_role("operator").post("/api/v1/decisions", json=gone).json
    (told,) = reader.get("/api/v1/tombstones").json
    assert (told["decision"], told["ci"], told["hold_back"], told["sightings"]) == (made["id"], ci, True, [])


def test_what_took_the_place_of_what_is_asked_and_explained_when_accepted(store, as_role, reader) -> None:
    deliver(store, bodies([ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, "serial", "uuid", "mac")}))]))
    (task,) = reader.get(f"{PATH}?kind=replaces").json["items"]
    told = reader.get(f"{PATH}/{task['id']}").json
    new, old = (side["ci"] for side in told["sides"])
    assert [side["identifiers"]["serial"] for side in told["sides"]] == [OTHER["serial"], BOX["serial"]]
    path, ann = f"{PATH}/{task['id']}", as_role("operator", subject="ann")
    effect = reader.get(f"{path}/effect?answer=accept").json
    assert (effect["moved"], effect["changed"], effect["gone"]) == ([], [new], [])
    (said,) = effect["words"]
    assert said["text"].startswith("computer ") and "replaces nothing -> " in said["text"]
    assert reader.get(f"{path}/effect?answer=refuse").json["moved"] == []
    made = ann.post(path, json={"answer": "accept", "reason": "ordered in May"}).json
    assert reader.get(f"{PATH}?kind=replaces").json["items"] == []
    (explained,) = reader.get(f"/api/v1/cis/{new}/explain?attribute=replaces").json["attributes"]
    assert (explained["value"], explained["why"]) == (old, "pinned")
    for ci in (new, old):
        assert [one["verb"] for one in reader.get(f"/api/v1/cis/{ci}/explain").json["decisions"]] == ["pin"]
        (decided,) = reader.get(f"/api/v1/cis/{ci}/timeline?kind=decision").json["items"]
        assert (decided["cause"]["subject"], decided["cause"]["reason"]) == ("ann", "ordered in May")
    ann.post(f"/api/v1/decisions/{made['id']}/undo", json={"reason": "not sure"})
    assert [one["id"] for one in reader.get(PATH).json["items"]] == [task["id"]]
    ann.post(path, json={"answer": "refuse", "reason": "a second one"})
    assert reader.get(PATH).json["items"] == []
