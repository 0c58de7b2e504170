"""What befell machines, on the command line: told in the timeline, asked about, answered."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.delivered import bodies
from tests.serving import Served
from tests.situations import BOX, HARDWARE, OTHER, SOFTWARE, box, of, ssh

NEW = {**BOX, **of(OTHER, *HARDWARE)}
SCANS = [ssh(1, box("a", BOX)), ssh(3, box("b", NEW)), ssh(5, box("c", {**NEW, **of(OTHER, *SOFTWARE)}))]


@pytest.fixture(scope="module")
def cis(server: Served) -> dict[str, str]:
    """Serial number -> CI."""
    bearer = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    for body in bodies(SCANS):
        told = json.loads(body)
        told["sent_at"] = told["observed_at"]
        answer = httpx.post(f"{server.url}/api/v1/reports", json=told, headers=bearer)
        assert answer.status_code == 200, answer.text
    (task,) = httpx.get(f"{server.url}/api/v1/reviews", headers=bearer).json()["items"]
    asked = httpx.get(f"{server.url}/api/v1/reviews/{task['id']}", headers=bearer).json()
    return {side["identifiers"]["serial"][0]: side["ci"] for side in asked["sides"]}


def test_a_reinstallation_stands_in_the_timeline(cmdb, cis: dict[str, str]) -> None:
    told = cmdb("timeline", cis[OTHER["serial"][0]], "--kind", "event")
    assert told.code == 0 and "event reinstalled" in told.out, told.err
    assert "machine_id" in told.out and "ssh_host_key" in told.out and "{" not in told.out
    (event,) = json.loads(cmdb("timeline", cis[OTHER["serial"][0]], "--kind", "event", "--json").out)
    assert event["before"]["machine_id"] == BOX["machine_id"] and event["value"]["machine_id"] == OTHER["machine_id"]
    assert json.loads(cmdb("timeline", cis[BOX["serial"][0]], "--kind", "event", "--json").out) == []


def test_a_replacement_is_asked_about_and_accepted(cmdb, cis: dict[str, str]) -> None:
    new, old = cis[OTHER["serial"][0]], cis[BOX["serial"][0]]
    (task,) = json.loads(cmdb("review", "list", "--json").out)
    name = BOX["name"][0]
    told = f"Does {name} (serial {OTHER['serial'][0]}) replace {name} (serial {BOX['serial'][0]})?"
    assert (task["kind"], task["title"]) == ("replaces", told)
    assert new in cmdb("review", "accept", task["id"], "--dry-run").out
    made = json.loads(cmdb("review", "accept", task["id"], "--reason", "ordered in May", "--json").out)
    assert made["verb"] == "pin" and set(made["cis"]) == {new, old}
    assert json.loads(cmdb("review", "list", "--json").out) == []
    assert json.loads(cmdb("show", new, "--json").out)["attributes"]["replaces"] == old
    assert "ordered in May" in cmdb("timeline", old, "--kind", "decision").out
    undone = cmdb("decide", "undo", made["id"], "--reason", "no")
    assert undone.code == 0
    assert [one["id"] for one in json.loads(cmdb("review", "list", "--json").out)] == [task["id"]]
