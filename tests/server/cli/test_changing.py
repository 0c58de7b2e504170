"""``cmdb change``, as a change manager types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from cmdb_server.api.context import now_ms
from tests.factories import host, report, rfc3339
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


def test_what_changed_unplanned_is_listed(cmdb, server: Served, web: str) -> None:
    now = now_ms()
    for number, version in enumerate(("11", "12", "13"), 1):
        seen = [
            host("changing-2", "10.44.0.1", os_version=version),
            host("changing-3", "10.44.0.2", os_version=version),
        ]
        told = report(f"changing-{number}", now - 4000 + number * 1000, seen, target="10.44.0.0/24")
        headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
        assert httpx.post(f"{server.url}/api/v1/reports", content=told, headers=headers).is_success
    asked = ("change", "unplanned", "--since", rfc3339(now - 1))
    shown = cmdb(*asked)
    assert shown.code == 0 and "changing-2" in shown.out and "os_version: 12 -> 13" in shown.out
    assert "changing-1" not in shown.out, "it was entered"
    told = json.loads(cmdb(*asked, "--json").out)
    mine = [one for one in told["items"] if one["name"] in ("changing-2", "changing-3")]
    assert len(mine) == 4 and all(one["cis"][0]["name"] == one["name"] for one in mine)
    cut = json.loads(cmdb(*asked, "--limit", "1", "--json").out)
    assert len(cut["items"]) == 1 and (told["more"], cut["more"]) == (False, True)
    assert cmdb("change", "unplanned", "--since", "yesterday").code != 0
