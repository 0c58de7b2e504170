"""``cmdb kept``, as a user types it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.serving import Served


@pytest.fixture(scope="module")
def web(server: Served) -> str:
    bearer = {"Authorization": f"Bearer {server.token}"}
    made = httpx.post(f"{server.url}/api/v1/cis", json={"class": "server", "name": "web-1"}, headers=bearer)
    return made.json()["id"]


def test_opened_edited_moved_listed_and_shown(cmdb, web: str) -> None:
    window = '{"start": "2026-03-01T22:00:00Z", "end": "2026-03-02T02:00:00Z"}'
    made = cmdb("kept", "open", "change", "--set", "summary=Move web-1", "--ci", "changed=web-1", "--json")
    assert made.code == 0, made.err
    number = json.loads(made.out)["number"]
    assert json.loads(made.out)["cis"] == {"changed": [web]}
    edited = cmdb("kept", "edit", number, "--set", f"windows=[{window}]", "--set", "plan=do", "--set", "back_out=undo")
    assert edited.code == 0 and "version 2" in edited.out and "web-1" in edited.out
    moved = cmdb("kept", "move", number, "assess", "--note", "ready")
    assert moved.code == 0 and "possible: authorise, rework, exempt, cancel" in moved.out
    listed = cmdb("kept", "list", "change", "--ci", "web-1", "--state", "assess", "--state", "new")
    assert number in listed.out and "Move web-1" in listed.out
    assert number not in cmdb("kept", "list", "change", "--state", "closed").out
    shown = json.loads(cmdb("kept", "show", number, "--json").out)
    assert shown["state"] == "assess" and shown["body"]["plan"] == "do"
    assert "ready" in cmdb("kept", "history", number).out
    kinds = cmdb("kept", "kinds")
    assert kinds.code == 0 and "maintenance_window" in kinds.out and "new -> assess" in kinds.out


def test_refusals_end_with_codes(cmdb, web: str) -> None:
    made = json.loads(cmdb("kept", "open", "outage", "--ci", f"down={web}", "--json").out)
    number = made["number"]
    assert cmdb("kept", "open", "party").code == 5
    assert cmdb("kept", "show", "OUT9999999").code == 5 and cmdb("kept", "show", "XYZ0000001").code == 5
    assert cmdb("kept", "open", "outage", "--set", "note").code == 2
    assert cmdb("kept", "open", "outage", "--ci", "down").code == 2
    assert cmdb("kept", "edit", number, "--version", "7", "--set", "note=x").code == 1
    assert cmdb("kept", "edit", number, "--version", "1", "--set", "note=x").code == 0
    assert cmdb("kept", "move", number, "end").code == 0
    refused = cmdb("kept", "move", number, "end")
    assert refused.code == 1 and "ended" in refused.err


def test_cis_are_told_by_their_names_and_approvals_by_what_they_are_of(cmdb, web: str) -> None:
    told = cmdb("kept", "open", "change", "--set", "summary=s", "--ci", f"changed={web}")
    assert told.code == 0 and "web-1 (server)" in told.out
    number = told.out.split()[0]
    assert "web-1 (server)" in cmdb("kept", "show", number).out
    assert "(server)" not in cmdb("kept", "show", number, "--json").out
    begin = datetime.now(UTC) + timedelta(days=30)
    window = json.dumps([{"start": begin.isoformat(), "end": (begin + timedelta(hours=2)).isoformat()}])
    cmdb("create", "business_service", "cellar", "--relate", f"depends_on={web}", "--set", "owned_by=zoe")
    for step in (
        ("edit", "--set", "plan=p", "--set", "back_out=b", "--set", f"windows={window}"),
        ("move", "assess"),
        ("move", "authorise"),
    ):
        assert cmdb("kept", step[0], number, *step[1:]).code == 0
    assert f"{number} for zoe" in cmdb("kept", "list", "approval").out
