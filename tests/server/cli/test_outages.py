from __future__ import annotations

import json

import httpx
import pytest

from tests.serving import Served


@pytest.fixture(scope="module")
def twins(server: Served) -> None:
    """A pool of two."""
    bearer = {"Authorization": f"Bearer {server.token}"}
    ids: list[str] = []
    for name, class_ in (("left", "server"), ("right", "server"), ("pair", "load_balancer")):
        to = ids if class_ == "load_balancer" else []
        body = {"class": class_, "name": name, "relations": [{"type": "load_balances", "ci": one} for one in to]}
        ids.append(httpx.post(f"{server.url}/api/v1/cis", json=body, headers=bearer).json()["id"])


@pytest.mark.usefixtures("twins")
def test_from_its_declaration_to_its_end_an_outage_is_context(cmdb) -> None:
    told = cmdb("outage", "declare", "left", "--summary", "no light", "--json")
    assert told.code == 0, told.err
    number = json.loads(told.out)["number"]
    assert number in cmdb("outage", "list").out
    assert number in cmdb("outage", "list", "--ci", "left").out and number not in cmdb(
        "outage", "list", "--ci", "pair"
    ).out  # fmt: skip
    both = cmdb("impact", "right", "--also", "open").out
    assert "down only of both together: pair" in both and f"meets {number}" in both
    assert "what else" not in cmdb("impact", "right").out
    assert cmdb("outage", "end", number, "--note", "light again").code == 0
    assert number not in cmdb("outage", "list").out
    assert number in cmdb("outage", "list", "--all").out
    assert "nothing" in cmdb("impact", "right", "--also", "both").out
    assert cmdb("outage", "end", number).code == 1


@pytest.mark.usefixtures("twins")
def test_an_outage_before_it_was_declared(cmdb) -> None:
    since = "2026-01-01T00:00:00Z"
    number = json.loads(cmdb("outage", "declare", "left", "--since", since, "--json").out)["number"]
    told = cmdb("impact", "right", "--also", "open", "--during", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    assert number in told.out, told.err
    before = cmdb("impact", "right", "--also", "open", "--during", "2025-01-01T00:00:00Z", since)
    assert number not in before.out
    assert cmdb("impact", "right", "--also", "open", "--during", since, "2025-01-01T00:00:00Z").code == 1
    assert cmdb("outage", "end", number, "--at", "2026-01-03T00:00:00Z").code == 0
    assert cmdb("outage", "declare", "nobody").code == 5
