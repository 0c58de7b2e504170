"""Dropping the past leaves the present, and all that is asked from the horizon on, as it is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.feed import changes
from cmdb_server.answers.history import graph_at
from cmdb_server.errors import Forgotten, Invalid
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.practices import baselines, retention, webhooks
from cmdb_server.practices.retention import Outcome, retain
from cmdb_server.settings import SAMPLE_DAYS
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest
from tests.estate import DAY, MINUTE, Estate, minute, opened
from tests.factories import host

A_DAY = DAY // MINUTE
"""Minutes."""
STATE = (
    tables.CI, tables.RELATION, tables.RECORD, tables.LANE, tables.TIE, tables.IDENTIFIER, tables.TASK, tables.DECISION,
)  # fmt: skip


@pytest.fixture
def estate(either: Estate) -> Estate:
    return either


def cut(estate: Estate, day: int, *, apply: bool = True, now: int = 100) -> Outcome:
    """Retention with its horizon at the end of a day."""
    return retain(
        estate.store, classes(), minute(day * A_DAY), SAMPLE_DAYS, "ann", now_ms=minute(now * A_DAY), apply=apply
    )


def state(estate: Estate) -> dict[str, Any]:
    return {table.name: estate.rows(table) for table in STATE}


def past(estate: Estate, day: float, known: float | None = None) -> tuple[Any, ...]:
    def work(tx: Any) -> tuple[Any, ...]:
        known_at = None if known is None else minute(known * A_DAY)
        graph = graph_at(tx, minute(day * A_DAY), known_at, classes())
        cis = {id_: (*row[:6], row[7]) for id_, row in graph.cis.items()}  # their revision is that of the question
        relations = sorted(row[:-1] for row in graph.relations)
        return cis, relations, {id_: record.run for id_, record in graph.records.items()}

    return estate.store.read(work)


def grown(estate: Estate, days: int = 12) -> None:
    """Two hosts scanned once a day, one of which changes on some of the days."""
    for day in range(days):
        version = "13" if day < 6 else "14"
        packages = [f"pkg:deb/p@{day // 4}"]
        estate.tell(day * A_DAY, host("a", "10.0.0.1", os_version=version, packages=packages), target="10.0.0.1")
        estate.tell(day * A_DAY + 1, host("b", "10.0.0.2", uses=[("10.0.0.1", 80)]), target="10.0.0.2")


def test_a_dry_run_tells_what_would_go_and_drops_nothing(estate: Estate) -> None:
    grown(estate)
    before = estate.sizes()
    told = cut(estate, 10, apply=False)
    assert not told.applied
    assert estate.sizes() == before
    assert told.dropped["report"] > 8
    done = cut(estate, 10)
    assert done == Outcome(told.horizon, {**told.dropped, "samples": 0}, 0, True)
    after = estate.sizes()
    for name, count in done.dropped.items():
        if name != "samples":
            assert before[name] - after[name] == count, name
    assert {name for name, count in done.dropped.items() if count} >= {"report", "fact", "claim", "feed"}


def test_the_present_and_what_is_asked_from_the_horizon_on_stay(estate: Estate) -> None:
    grown(estate)
    days = (9, 9.5, 10, 10.001, 11, 12)
    before, seen = state(estate), [past(estate, day) for day in days]
    known = past(estate, 11, 10.5)
    digest = estate.store.read(lambda tx: graph_digest(tx, minute(9 * A_DAY)))
    cut(estate, 9)
    assert state(estate) == before
    assert [past(estate, day) for day in days] == seen
    assert past(estate, 11, 10.5) == known
    assert estate.store.read(lambda tx: graph_digest(tx, minute(9 * A_DAY))) == digest
    again = cut(estate, 9)
    assert not sum(again.dropped.values()), again


def test_what_is_asked_from_before_the_horizon_is_refused_in_words(estate: Estate) -> None:
    grown(estate)
    done = cut(estate, 9)
    with pytest.raises(Forgotten, match="at: the history reaches back to 2023"):
        past(estate, 8.99)
    with pytest.raises(Forgotten, match="known_at: the history reaches back"):
        past(estate, 10, 8)
    with pytest.raises(Forgotten, match="dropped; the history begins with"):
        estate.store.read(lambda tx: graph_at(tx, None, None, classes(), revision=3))
    with pytest.raises(Forgotten, match="the feed begins after revision"):
        changes(estate.store, 0)
    assert changes(estate.store, done.horizon.feed).revision >= done.horizon.feed
    with pytest.raises(Forgotten, match="observed_at: the history reaches back"):
        estate.tell(3 * A_DAY, host("a", "10.0.0.1"), target="10.0.0.1", now=13 * A_DAY)
    estate.tell(9.5 * A_DAY, host("a", "10.0.0.1"), target="10.0.0.1", now=13 * A_DAY)


def test_a_baseline_holds_the_horizon_and_a_follower_the_feed(estate: Estate) -> None:
    grown(estate)
    hook = webhooks.register(estate.store, "https://example.net", "env:X", (), "ann", 0)
    grown_on = estate.store.revision()
    estate.tell(13 * A_DAY, host("c", "10.0.0.3"), target="10.0.0.3")
    baselines.make(estate.store, "move", "ann", "", minute(4 * A_DAY), now_ms=minute(13 * A_DAY))
    told = cut(estate, 14).horizon
    assert (told.at, told.held_by) == (minute(4 * A_DAY), ("baseline move",))
    assert past(estate, 4)
    baselines.remove(estate.store, "move")
    told = cut(estate, 14).horizon
    assert (told.at, told.feed) == (minute(14 * A_DAY), grown_on)
    assert told.held_by == (f"webhook {hook.id}",)
    assert changes(estate.store, grown_on).items
    webhooks.remove(estate.store, hook.id)
    assert cut(estate, 5).horizon.at == minute(14 * A_DAY), "it never moves back"


def test_contents_that_nobody_refers_to_go(estate: Estate) -> None:
    for day in range(12):
        estate.tell(day * A_DAY, host("a", "10.0.0.1", note=f"{day}"), target="10.0.0.1")
    before = estate.sizes()
    cut(estate, 10)
    after = estate.sizes()
    assert before["content"] == before["thing"] == 12
    assert after["content"] == after["thing"] <= 5
    things = {row[0] for row in estate.rows(tables.THING)}
    for digest, _, members in estate.rows(tables.CONTENT):
        assert digest in {row[13] for row in estate.rows(tables.REPORT)}
        assert members[16:32].hex() in things


def test_a_decision_from_before_the_horizon_can_still_be_undone(estate: Estate) -> None:
    grown(estate, 4)
    ids = [estate.ci(name)["id"] for name in "ab"]
    made = decide(estate.store, "ann", "merge", {"sides": [[ids[0]], [ids[1]]]}, "", minute(4 * A_DAY))
    estate.tell(9 * A_DAY, host("a", "10.0.0.1"), target="10.0.0.1")
    cut(estate, 8)
    assert len(estate.rows(tables.DECISION)) == 1
    undo(estate.store, "ann", made, "", minute(9 * A_DAY))
    assert {estate.ci(name)["id"] for name in "ab"} == set(ids)


def test_less_than_a_day_is_refused(estate: Estate) -> None:
    with pytest.raises(Invalid, match="less than a day ago"):
        cut(estate, 9, now=9)


class Killed(BaseException):
    """Ends a run as a signal would."""


def test_a_run_that_was_ended_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    with opened() as whole:
        grown(whole)
        expected = cut(whole, 9)
        wanted, rest = state(whole), whole.sizes()
    for when in range(1, 14, 4):
        with opened() as estate:
            grown(estate)
            countdown = iter(range(when))

            def progress(*_: object, countdown: Iterator[int] = countdown) -> None:
                if next(countdown, None) is None:
                    raise Killed

            with pytest.raises(Killed):
                retain(
                    estate.store, classes(), minute(9 * A_DAY), SAMPLE_DAYS, "ann", now_ms=minute(100 * A_DAY),
                    apply=True, progress=progress,
                )  # fmt: skip
            assert past(estate, 9)
            cut(estate, 9)
            assert estate.sizes() == rest
            assert state(estate) == wanted
    assert expected.applied


Step = tuple[float, Callable[[Estate, float], None]]


def steps(seed: int, days: int) -> list[Step]:
    """What happens to a small estate: hosts that change, move, vanish and come back, some told by two sources."""
    chance = random.Random(seed)
    told: list[Step] = []
    for number in range(chance.randint(3, days * 2)):
        day = chance.uniform(0, days)
        name = chance.choice("ab")
        address = f"10.0.0.{chance.randint(1, 3)}"
        seen = [
            host(name, address, os_version=chance.choice(["13", "14"]), packages=[f"pkg:deb/p@{chance.randint(0, 2)}"],
                 listens=chance.choice([(), (80,)]), uses=chance.choice([[], [("10.0.0.3", 80)]])),
        ]  # fmt: skip
        if chance.random() < 0.3:
            seen = []
        more = {
            "target": chance.choice([address, "10.0.0.0/24"]), "source": chance.choice(["ssh", "ssh", "snmp"]),
            "coverage": {"scope": chance.choice(["complete", "complete", "partial"])}, "id_": f"{seed}-{number}",
        }  # fmt: skip
        told.append((day, lambda one, at, seen=seen, more=more: one.tell(at * A_DAY, *seen, **more)))  # type: ignore[misc]
    return sorted(told, key=lambda step: step[0])


@settings(max_examples=10, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.integers(0, 10**6), st.integers(2, 9))
def test_nothing_from_the_horizon_on_ever_differs(seed: int, day: int) -> None:
    told = steps(seed, 10)
    late = [step for step in steps(seed + 1, 12) if step[0] > day + 0.01]
    horizon = minute(day * A_DAY)
    with opened() as pruned, opened() as whole:
        for estate in (pruned, whole):
            for at, step in told:
                step(estate, at)
        done = cut(pruned, day)
        assert done.whole == 0
        assert state(pruned) == state(whole)
        for at, step in late:
            step(pruned, at)
            step(whole, at)
        digests = [estate.store.read(lambda tx: graph_digest(tx, horizon)) for estate in (pruned, whole)]
        assert digests[0] == digests[1]
        for at in (day, day + 0.5, 11):
            assert past(pruned, at) == past(whole, at)
