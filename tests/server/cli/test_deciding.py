from __future__ import annotations

import json

import httpx
import pytest

from tests.delivered import bodies
from tests.serving import Served
from tests.situations import BOX, OTHER, SOFTWARE, box, of, ssh

BARE = of(BOX, "mac", *SOFTWARE, "name")
DOUBTFUL = [ssh(1, box("a", BARE)), ssh(3, box("b", {**BARE, **of(OTHER, "mac")}))]


@pytest.fixture(scope="module")
def doubtful(server: Served) -> None:
    bearer = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    for body in bodies(DOUBTFUL):
        told = json.loads(body)
        told["sent_at"] = told["observed_at"]
        answer = httpx.post(f"{server.url}/api/v1/reports", json=told, headers=bearer)
        assert answer.status_code == 200, answer.text


@pytest.mark.usefixtures("doubtful")
def test_a_review_is_read_tried_answered_and_the_answer_undone(cmdb) -> None:
    (task,) = json.loads(cmdb("review", "list", "--json").out)
    assert "one thing?" in cmdb("review", "list").out
    shown = cmdb("review", "show", task["id"])
    assert shown.code == 0 and "mac:" in shown.out
    for answer in ("if accepted:", "if refused:"):
        assert answer in shown.out
    assert "becomes part of computer " in shown.out and "told by ssh" in shown.out
    assert "CI is no more" in cmdb("review", "accept", task["id"], "--dry-run").out
    assert cmdb("review", "accept", task["id"]).code == 1
    made = json.loads(cmdb("review", "accept", task["id"], "--reason", "I was there", "--json").out)
    assert made["verb"] == "merge" and json.loads(cmdb("review", "list", "--json").out) == []
    undone = cmdb("decide", "undo", made["id"], "--reason", "no")
    assert undone.code == 0 and "undo" in undone.out
    listed = cmdb("decide", "list").out
    assert "I was there" in listed and "undone" in listed


@pytest.mark.usefixtures("doubtful")
def test_every_verb(cmdb) -> None:
    one, other = (ci["id"] for ci in json.loads(cmdb("list", "--class", "computer", "--json").out))
    tried = cmdb("decide", "merge", one, other, "--dry-run").out
    assert "record moves" in tried and "becomes part of computer " in tried
    made = cmdb("decide", "merge", one, other, "--reason", "x", "--json")
    assert cmdb("decide", "undo", json.loads(made.out)["id"], "--reason", "y").code == 0
    assert cmdb("decide", "split", one, other, "--reason", "x").code == 0
    assert cmdb("decide", "distrust", "serial", "X1", "--reason", "x").code == 0
    misspelt = cmdb("decide", "distrust", "serail", "X1", "--reason", "x")
    assert misspelt.code == 1 and "'serail' is no kind of identifier" in misspelt.err and "machine_id" in misspelt.err
    assert cmdb("decide", "pin", one, "os_name", "Plan 9", "--reason", "x").code == 0
    assert json.loads(cmdb("show", one, "--json").out)["attributes"]["os_name"] == "Plan 9"
    gone = cmdb("decide", "delete", other, "--hold-back", "--reason", "sold", "--json")
    assert json.loads(gone.out)["body"]["hold_back"] is True
    (held,) = json.loads(cmdb("decide", "deleted", "--json").out)
    assert (held["ci"], held["decision"]) == (other, json.loads(gone.out)["id"])
    assert "until undone" in cmdb("decide", "deleted").out
    assert cmdb("decide", "merge", one, "nothing", "--reason", "x").code == 5
