"""``cmdb samples``, as a user runs it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

from cmdb_schemas.report import Sample
from cmdb_server.cli.samples import BARS, sparkline
from tests.estate import MINUTE
from tests.factories import host, report, rfc3339
from tests.serving import Served


def test_newest_values_and_their_course(server: Served, cmdb: Callable[..., Any]) -> None:
    now = time.time_ns() // 1_000_000
    times = [now - (30 - number) * 10 * MINUTE for number in range(30)]
    for at, observed in enumerate(times):
        measured = [Sample("m", "system.memory.usage", float(at * 2**30), "By")]
        body = report(f"m{at}", observed, [host("m", "10.7.0.1")], target="10.7.0.1", samples=measured, sent=now)
        answer = httpx.post(
            f"{server.url}/api/v1/reports", content=body,
            headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
        )  # fmt: skip
        assert answer.is_success, answer.text
    ran = cmdb("samples", "m")
    assert ran.code == 0
    assert "system.memory.usage" in ran.out
    assert "29 GiB" in ran.out
    assert "29 GiB" in cmdb("show", "m").out
    window = ("--from", rfc3339(now - 6 * 60 * MINUTE), "--resolution", "raw")
    ran = cmdb("samples", "m", "system.memory.usage", *window)
    assert ran.code == 0
    assert BARS[0] in ran.out
    assert BARS[-1] in ran.out
    assert "6 earlier points" in ran.out
    told = json.loads(cmdb("samples", "m", "system.memory.usage", *window, "--json").out)
    assert [one["last"] / 2**30 for one in told["points"]] == [float(at) for at in range(30)]
    long_ago = ("--from", "2020-01-01T00:00:00Z", "--to", "2020-01-02T00:00:00Z")
    assert "nothing was told" in cmdb("samples", "m", "system.memory.usage", *long_ago).out


def test_what_is_not_there(cmdb: Callable[..., Any]) -> None:
    assert cmdb("samples", "nobody").code == 5


def test_a_line_of_bars() -> None:
    assert sparkline([]) == sparkline([None]) == ""
    assert sparkline([1.0, None, 2.0]) == f"{BARS[0]} {BARS[-1]}"
    assert sparkline([3.0, 3.0]) == BARS[0] * 2
    extremes = sparkline([-sys.float_info.max, 0.0, sys.float_info.max])
    assert extremes[0] + extremes[-1] == BARS[0] + BARS[-1]
