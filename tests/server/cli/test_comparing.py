from __future__ import annotations

import json

import httpx
import pytest

from tests.serving import Served


@pytest.fixture(scope="module")
def stall(server: Served) -> None:
    """A stall on one server."""
    bearer = {"Authorization": f"Bearer {server.token}"}
    ids: list[str] = []
    for name, class_ in (("cart", "server"), ("stall", "business_service")):
        body = {"class": class_, "name": name, "relations": [{"type": "depends_on", "ci": one} for one in ids]}
        ids.append(httpx.post(f"{server.url}/api/v1/cis", json=body, headers=bearer).json()["id"])


@pytest.mark.usefixtures("stall")
def test_with_edits_against_without(cmdb) -> None:
    told = cmdb("compare", "cart", "--unrelate", "stall", "depends_on", "cart")
    assert told.code == 0, told.err
    assert "ceased" in told.out and "stall" in told.out and "0 of 1 serving" in told.out
    assert "no difference" in cmdb("compare", "cart").out
    assert json.loads(cmdb("compare", "cart", "--json").out)["counts"] == {}


@pytest.mark.usefixtures("stall")
def test_from_when_to_when(cmdb) -> None:
    hours = [f"2026-03-01T0{hour}:00:00Z" for hour in range(4)]
    told = cmdb("intervals", hours[0], hours[3], "--down", "cart", hours[1], "", "--down", "cart", hours[0], hours[1])
    assert told.code == 0, told.err
    assert "stall" in told.out and "180" in told.out
    assert "nothing else breaks" in cmdb("intervals", hours[0], hours[1], "--down", "cart", hours[2], "").out
    assert cmdb("intervals", hours[1], hours[0], "--down", "cart", hours[2], "").code == 1
