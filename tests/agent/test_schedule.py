from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from cmdb_agent import schedule
from cmdb_agent.delivery import Delivery, Spool
from cmdb_agent.schedule import Schedule
from cmdb_agent.settings import NO_SNMP, NO_SSH, Settings, TargetEntry
from cmdb_agent.targets import TargetError


def entries(*addresses: str, every: str = "10m") -> list[TargetEntry]:
    return [TargetEntry(address, every, NO_SSH, NO_SNMP) for address in addresses]


def test_first_scans_are_spread_over_a_minute_and_always_alike() -> None:
    hosts = [f"ssh://host{number}" for number in range(200)]
    plans = [Schedule(entries(*hosts), 1000.0) for _ in range(2)]
    early = [{target.host for target in plan.take(1030.0)} for plan in plans]
    assert early[0] == early[1]
    assert 50 < len(early[0]) < 150
    assert len(plans[0].take(1060.0)) == 200 - len(early[0])


def test_each_target_comes_again_at_its_own_interval() -> None:
    plan = Schedule([*entries("ssh://slow", every="1h"), *entries("ssh://quick", every="1m")], 0.0)
    counted = {"slow": 0, "quick": 0}
    for second in range(7200):
        for target in plan.take(float(second)):
            counted[target.host] += 1
    assert counted == {"slow": 2, "quick": 120}


def test_missed_rounds_are_not_made_up_for() -> None:
    plan = Schedule(entries("ssh://host", every="1m"), 0.0)
    assert len(plan.take(100_000.0)) == 1
    assert plan.take(100_000.0) == []
    wait_s = plan.wait_s(100_000.0)
    assert wait_s is not None
    assert 0 < wait_s <= 60


def test_without_targets_there_is_nothing_to_wait_for() -> None:
    assert Schedule([], 0.0).wait_s(0.0) is None


def test_a_target_that_cannot_be_understood_is_told_at_the_start() -> None:
    with pytest.raises(TargetError, match="telnet://x"):
        Schedule(entries("telnet://x"), 0.0)


def test_the_loop_scans_spools_and_stops(tmp_path: Path) -> None:
    """No server is there: the real scan of this machine stays in the spool."""
    spool, stop, told = Spool(tmp_path / "spool.sqlite", 10_000_000), threading.Event(), []
    delivery = Delivery(spool, "http://127.0.0.1:1", "", stop=stop)

    def tell(event: str, fields: dict[str, Any]) -> None:
        told.append((event, fields))
        if event == "delivery":
            stop.set()

    plan = Schedule(entries("local"), -60.0)
    schedule.run(plan, Settings(agent="edge"), spool, delivery, stop, tell, 0.0, clock=lambda: 0.0)
    assert [event for event, _ in told] == ["scanned", "delivery"]
    assert told[0][1]["target"] == "local:edge"
    assert told[1][1]["pending"] == 1
    assert [entry.target for entry in spool.entries()] == ["local:edge"]


def test_a_full_spool_is_told_and_nothing_is_scanned(tmp_path: Path) -> None:
    spool, stop, told = Spool(tmp_path / "spool.sqlite", 100), threading.Event(), []

    def tell(event: str, fields: dict[str, Any]) -> None:
        told.append(event)
        stop.set()

    plan = Schedule(entries("local"), -60.0)
    schedule.run(plan, Settings(), spool, Delivery(spool, "http://127.0.0.1:1", ""), stop, tell, 0.0, clock=lambda: 0.0)
    assert told == ["spool-full"]
    assert len(plan.take(0.0)) == 1, "what was due stays due"


def test_a_range_is_due_as_a_whole_and_without_what_is_excluded() -> None:
    plan = Schedule(entries("ssh://10.0.0.0/29", every="1m"), 0.0, exclude=["10.0.0.4/30"])
    assert [target.host for target in plan.take(60.0)] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert [target.host for target in plan.take(120.0)] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert Schedule(entries("ssh://10.0.0.0/29"), 0.0, exclude=["10.0.0.0/24"]).wait_s(0.0) is None
