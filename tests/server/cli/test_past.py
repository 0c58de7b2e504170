from __future__ import annotations

import json

import httpx
import pytest

from cmdb_server.api.context import now_ms
from tests.factories import host, report, rfc3339
from tests.serving import Served


@pytest.fixture(scope="module")
def began(server: Served) -> int:
    """When: two reports, of which the second changes one host and adds another."""
    bearer = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    at = now_ms() - 10_000
    first, second = (host("web-1", "10.0.0.1", os_name=os_name) for os_name in "ab")
    for n, hosts in enumerate(([first], [second, host("db-1", "10.0.0.2")])):
        body = report(f"r{n}", at + n * 5000, hosts)
        answer = httpx.post(f"{server.url}/api/v1/reports", content=body, headers=bearer)
        assert answer.status_code == 200, answer.text
    return at


def test_a_cis_past(cmdb, began) -> None:
    told = cmdb("timeline", "web-1", "--kind", "attribute")
    assert told.code == 0, told.err
    assert "attribute os_name" in told.out and "ssh (agent-1)" in told.out
    assert " b " in told.out
    assert " b " not in cmdb("timeline", "web-1", "--kind", "attribute", "--at", rfc3339(began + 1)).out
    items = json.loads(cmdb("timeline", "web-1", "--kind", "attribute", "--limit", "2", "--json").out)
    assert len(items) == 2


def test_two_times(cmdb, began) -> None:
    told = cmdb("diff", rfc3339(began + 1), "--class", "server")
    assert told.code == 0, told.err
    assert "os_name: a -> b" in told.out and "db-1" in told.out and "created" in told.out
    assert "db-1" not in cmdb("diff", rfc3339(began + 1), "--change", "changed").out


@pytest.mark.usefixtures("began")
def test_what_changed_since(cmdb) -> None:
    items = json.loads(cmdb("changes", "--json").out)
    assert {one["cause"]["report"] for one in items} == {"r0", "r1"}
    last = items[-1]["revision"]
    assert json.loads(cmdb("changes", "--since", str(last), "--json").out) == []
    assert "ssh (agent-1)" in cmdb("changes").out


@pytest.mark.usefixtures("began")
def test_health_and_what_is_behind(cmdb) -> None:
    assert "never-scanned" in cmdb("health").out
    behind = cmdb("health", "no-owner", "--class", "server", "--owner", "")
    assert "web-1" in behind.out and "db-1" in behind.out
    assert cmdb("health", "nothing").code == 1
    servers = cmdb("health", "--class", "server", "--by", "owner").out.splitlines()
    assert servers[0].split() == ["check", "owner", "failing", "of"]
    assert ["no-owner", "2", "2"] in [line.split() for line in servers]
    assert "network_interface" in cmdb("health", "--by", "class").out


@pytest.mark.usefixtures("began")
def test_a_baseline_and_its_drift(cmdb) -> None:
    assert cmdb("baseline", "create", "release 1", "--note", "before").code == 0
    assert "release 1" in cmdb("baseline", "list").out
    assert json.loads(cmdb("baseline", "drift", "release 1", "--json").out)["counts"] == []
    assert cmdb("baseline", "remove", "release 1").code == 0
    assert cmdb("baseline", "drift", "release 1").code == 5


def test_what_was_behind(cmdb, began) -> None:
    assert "db-1" in cmdb("health", "no-owner").out
    then = cmdb("health", "no-owner", "--at", rfc3339(began + 1)).out
    assert "web-1" in then and "db-1" not in then
    assert "web-1" not in cmdb("health", "no-owner", "--known-at", rfc3339(began - 1)).out
    refused = cmdb("health", "contradiction", "--at", rfc3339(began + 1))
    assert refused.code == 1 and "is not known" in refused.err


def test_the_course_of_health(cmdb) -> None:
    assert (
        "nothing was recorded" in cmdb("health", "--since", "2020-01-01T00:00:00Z", "--at", "2020-01-02T00:00:00Z").out
    )
    assert "no-owner" in cmdb("health", "--at", "2020-01-02T00:00:00Z").out
    told = json.loads(cmdb("health", "orphan", "--since", "2020-01-01T00:00:00Z", "--json").out)
    assert [one["check"] for one in told["checks"]] == ["orphan"]
