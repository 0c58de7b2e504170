"""``cmdb change``, as a change manager types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.serving import Served


@pytest.fixture(scope="module")
def web(server: Served) -> str:
    bearer = {"Authorization": f"Bearer {server.token}"}
    made = httpx.post(f"{server.url}/api/v1/cis", json={"class": "server", "name": "changing-1"}, headers=bearer)
    return str(made.json()["id"])


def test_assessed_given_a_slot_and_counted(cmdb, web: str) -> None:
    start = datetime.now(UTC) + timedelta(hours=2)
    window = json.dumps([{"start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}])
    made = cmdb("kept", "open", "change", "--set", "summary=Move", "--ci", f"changed={web}", "--set",
                f"windows={window}", "--set", "plan=do", "--set", "back_out=undo", "--json")  # fmt: skip
    assert made.code == 0, made.err
    number = json.loads(made.out)["number"]
    told = cmdb("change", "assess", number)
    assert told.code == 0 and "no service is hit" in told.out and "of 100" in told.out and "blast radius" in told.out
    assert json.loads(cmdb("change", "assess", number, "--json").out)["number"] == number
    found = json.loads(cmdb("change", "slot", number, "--length", "PT1H", "--json").out)
    assert found["length"] == 3_600_000 and found["slot"]
    assert number in cmdb("change", "slot", number).out
    assert cmdb("change", "approvals", number).code == 0
    assert "very_high" in cmdb("change", "success", "--by", "team").out
    assert cmdb("change", "assess", "CHG7777777").code == 5
    assert cmdb("change", "verify", number).code == 1
    started = [("assess",), ("authorise",)]
    assert all(cmdb("kept", "move", number, *one).code == 0 for one in started)
    assert "as expected" not in cmdb("change", "verify", number).out
    release = cmdb("kept", "open", "release", "--set", "summary=spring", "--set", f'changes=["{number}"]', "--json")
    told = cmdb("change", "release", json.loads(release.out)["number"])
    assert told.code == 0 and number in told.out
    unplanned = cmdb("change", "unplanned", "--since", "2020-01-01T00:00:00Z").out
    assert "changing-1" in unplanned and "None" not in unplanned and "@class" not in unplanned
