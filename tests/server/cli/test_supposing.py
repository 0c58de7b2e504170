from __future__ import annotations

import json

import httpx
import pytest

from tests.serving import Served


@pytest.fixture(scope="module")
def pair(server: Served) -> None:
    """A service on a pool of two."""
    bearer = {"Authorization": f"Bearer {server.token}"}
    ids: dict[str, str] = {}
    for name, class_, to in (
        ("north", "server", ()), ("south", "server", ()), ("spread", "load_balancer", ("north", "south")),
    ):  # fmt: skip
        body = {"class": class_, "name": name, "relations": [{"type": "load_balances", "ci": ids[one]} for one in to]}
        ids[name] = httpx.post(f"{server.url}/api/v1/cis", json=body, headers=bearer).json()["id"]


@pytest.mark.usefixtures("pair")
def test_options_become_edits(cmdb) -> None:
    told = json.loads(
        cmdb(
            "impact", "north", "--gate", "spread", '{"kind": "at_least", "k": 2}', "--unrelate", "spread",
            "load_balances", "south", "--relate", "spread", "depends_on", "south", "--json",
        ).out
    )  # fmt: skip
    assert [one["edit"] for one in told["supposed"]] == ["unrelate", "relate", "gate"]
    assert [one["ci"]["name"] for one in told["cis"]] == ["spread"]
    assert "north" not in cmdb("requires", "spread", "--remove", "north").out
    assert "north" in cmdb("spof", "spread", "--remove", "south").out


@pytest.mark.usefixtures("pair")
def test_a_gate_that_is_no_json_is_a_usage_error(cmdb) -> None:
    told = cmdb("impact", "north", "--gate", "spread", "at_least 2")
    assert told.code == 2 and "JSON" in told.err
