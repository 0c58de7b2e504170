"""What is due is done by who does that kind, whatever becomes of the others."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.jobs.timed import Running, held, job, known, run
from cmdb_server.practices import timed
from cmdb_server.practices.claims import CLAIM_MS
from cmdb_server.practices.kind_files import kinds
from cmdb_server.practices.timed import Job
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore

NOW = 1_700_000_000_000


@pytest.fixture
def running(tmp_path: Path) -> Running:
    store = SqliteStore(tmp_path / "cmdb.db")
    return Running(
        Settings(), store, Projections(store, Rules.of(relation_types(), classes())), classes(), kinds()
    )  # fmt: skip


def add(running: Running, id_: str, kind: str, at: int = NOW) -> None:
    running.store.write(lambda tx: timed.schedule(tx, id_, kind, {}, at))


def test_each_is_done_by_its_kind_and_one_that_fails_is_tried_again(running: Running) -> None:
    seen: list[tuple[str, int]] = []

    def well(_: Running, mine: Job, now_ms: int) -> int | None:
        seen.append((mine.id, now_ms))
        return now_ms + 1000 if mine.id == "hourly" else None

    def badly(_: Running, mine: Job, now_ms: int) -> int | None:
        raise ValueError("the printer is on fire")

    doing = {"well": well, "badly": badly}
    for id_, kind in (("a", "badly"), ("b", "well"), ("c", "unheard"), ("hourly", "well")):
        add(running, id_, kind)
    add(running, "later", "well", NOW + 1)
    assert run(running, NOW, doing) == 2 and run(running, NOW, doing) == 0
    assert seen == [("b", NOW), ("hourly", NOW)]
    told = {one.id: one for one in timed.every(running.store)}
    assert told["a"].fault == "ValueError: the printer is on fire" and told["a"].due_at == NOW + 5000
    assert "unheard" in (told["c"].fault or "") and told["b"].done_at == NOW
    assert run(running, NOW + 1000, doing) == 2
    doing["badly"] = well
    assert run(running, NOW + 5000, doing) == 2 and seen[-1][0] in ("a", "hourly")


def test_nothing_is_written_while_nothing_is_due(running: Running) -> None:
    add(running, "later", "well", NOW + 1)
    before = running.store.revision()
    assert run(running, NOW, {}) == 0 and running.store.revision() == before


def test_a_kind_is_done_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmdb_server.jobs.timed._DOING", {})

    @job("greet")
    def greet(*_: object) -> None:
        return None

    with pytest.raises(ValueError, match="greet"):
        job("greet")(greet)


def test_who_does_what_is_found_in_the_folder() -> None:
    assert isinstance(known(), dict | MappingProxyType)
    assert all(doing.__module__.startswith("cmdb_server.jobs.") for doing in known().values())


def test_one_that_takes_long_is_held_and_let_go(running: Running) -> None:
    add(running, "a", "slow")
    mine = timed.claim(running.store, "a", NOW)
    assert mine is not None
    deadline = time.monotonic() + 30
    with held(running.store, mine, every=0.001):
        while time.monotonic() < deadline:
            found = running.store.read(lambda tx: timed.one(tx, "a"))
            if found is not None and found.claimed_until > NOW + CLAIM_MS:
                break
            time.sleep(0.001)
        else:
            pytest.fail("it was not held")
    assert timed.claim(running.store, "a", NOW + CLAIM_MS) is None, "held by the clock of now"
    assert timed.done(running.store, mine, NOW)
    assert not timed.extend(running.store, replace(mine, fence=0), NOW)
