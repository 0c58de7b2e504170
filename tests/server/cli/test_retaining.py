"""``cmdb retention``, as a user runs it on the store itself."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cmdb_server.model.instants import rfc3339
from cmdb_server.practices.audit import Wanted, acts
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import DAY, MINUTE, Estate
from tests.factories import START, host


def test_a_dry_run_then_the_run(cmdb: Callable[..., Any], tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    store = SqliteStore(tmp_path / "own.db")
    estate = Estate(store)
    for day in range(9):
        estate.tell((now - (9 - day) * DAY - START) / MINUTE, host("a", "10.0.0.1"), target="10.0.0.1")
    ran = cmdb("retention", "--days", "2", "--dry-run")
    assert (ran.code, "would go" in ran.out) == (0, True), ran.err
    assert estate.sizes()["report"] == 9
    assert acts(store, Wanted()).items == (), "nothing was done yet"
    ran = cmdb("retention", "--before", rfc3339(now - 2 * DAY), "--apply", "--json")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert told["applied"]
    assert estate.sizes()["report"] == 9 - told["dropped"]["report"] < 9
    (act,) = acts(store, Wanted(action="retention")).items
    assert (act.subject, act.role, act.action) == (getpass.getuser(), "admin", "retention.drop")
    assert act.detail["horizon"] == told["horizon"]["at"] and act.detail["dropped"] == sum(told["dropped"].values())
    store.close()


def test_what_is_wrong_is_told(cmdb: Callable[..., Any]) -> None:
    assert cmdb("retention", "--days", "2").code == 2
    assert cmdb("retention", "--dry-run").code == 2
    ran = cmdb("retention", "--before", "yesterday", "--dry-run")
    assert (ran.code, "not an RFC 3339 time" in ran.err) == (2, True)
    ran = cmdb("retention", "--days", "0", "--apply")
    assert (ran.code, "less than a day ago" in ran.err) == (1, True)
