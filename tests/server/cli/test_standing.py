from __future__ import annotations

import json

import httpx
import pytest

from tests.serving import Served


@pytest.fixture(scope="module")
def shop(server: Served) -> None:
    """A shop on a pool of two and on one database."""
    bearer = {"Authorization": f"Bearer {server.token}"}
    ids: dict[str, str] = {}

    def enter(name: str, class_: str, type_: str = "", *to: str) -> None:
        relations = [{"type": type_, "ci": ids[one]} for one in to]
        body = {"class": class_, "name": name, "relations": relations}
        answer = httpx.post(f"{server.url}/api/v1/cis", json=body, headers=bearer)
        assert answer.status_code == 201, answer.text
        ids[name] = answer.json()["id"]

    for name in ("till-1", "till-2", "ledger"):
        enter(name, "server")
    enter("tills", "load_balancer", "load_balances", "till-1", "till-2")
    enter("market", "business_service", "depends_on", "tills", "ledger")


@pytest.mark.usefixtures("shop")
def test_what_stands_on_what(cmdb) -> None:
    told = cmdb("requires", "market")
    assert told.code == 0, told.err
    assert "till-2" in told.out and "ledger" in told.out
    assert "market" in cmdb("services", "till-1").out
    assert [one["hops"] for one in json.loads(cmdb("services", "till-1", "--json").out)["items"]] == [2]


@pytest.mark.usefixtures("shop")
def test_the_way_and_the_gates_on_it(cmdb) -> None:
    assert "2 of 2 serving, needs 1" in cmdb("path", "till-1", "market").out
    assert "no way" in cmdb("path", "market", "till-1").out


@pytest.mark.usefixtures("shop")
def test_single_points_and_pairs(cmdb) -> None:
    alone = cmdb("spof", "market").out
    assert "ledger" in alone and "till-1" not in alone
    both = cmdb("spof", "market", "--pairs").out
    assert "together with" in both and "till-1" in both and "till-2" in both
