"""Who is who, through the store: any order of reports of every kind and of decisions gives the same graph and tasks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from benchmarks.identity_accuracy import GOALS, judge, play, read
from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import Component, End, Observation, Relation, Sample
from cmdb_server.errors import NotFound
from cmdb_server.ingest.deadlines import notice
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests import identity_sim
from tests.delivered import CALLER, NOW, Outcome, bodies, deliver, outcome
from tests.factories import START, report
from tests.situations import BOX, OTHER, box, ssh

MINUTE = 60_000
MACS = [BOX["mac"][0], OTHER["mac"][0], "da:a1:19:00:00:01"]
SOURCES = ("ssh", "snmp", "ping", "vcenter:prod", "manual")
EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def opened() -> Iterator[SqliteStore]:
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "cmdb.sqlite")
        yield store
        store.close()


@st.composite
def observations(draw: st.DrawFn, source: str) -> Observation:
    """A thing as this kind of source tells it: pings prove nothing, people give names, vCenter has keys of its own."""
    name = draw(st.sampled_from(["a.example.net", "b.example.net", "a"]))
    kinds: dict[str, list[str]] = {}
    if source not in ("ping", "manual"):
        if draw(st.booleans()):
            kinds["serial"] = [draw(st.sampled_from(["S1AB", "S2CD"]))]
        if draw(st.booleans()):
            kinds["mac"] = draw(st.lists(st.sampled_from(MACS), min_size=1, max_size=2, unique=True))
        if draw(st.booleans()):
            kinds["machine_id"] = [draw(st.sampled_from([BOX["machine_id"][0], OTHER["machine_id"][0]]))]
    if source == "manual" or (source != "ping" and draw(st.booleans())):
        kinds["name"] = [name]
    keyed = source in ("vcenter:prod", "manual")
    told = {"name": name} | draw(st.dictionaries(st.just("os_name"), st.sampled_from(["x", "y", ""])))
    ports = draw(st.lists(st.sampled_from(["eth0", "eth1"]), max_size=2, unique=True))
    return Observation(
        ref="it", class_="computer", identifiers=kinds, attributes=told if source != "ping" else {},
        address=None if keyed else draw(st.sampled_from(["10.0.0.1", "10.0.0.2"])),
        native_key=draw(st.sampled_from(["k1", "k2"])) if keyed else None,
        components=[Component(port, "network_interface", port) for port in ports if source == "ssh"],
        relations=[Relation("depends_on", End(address="10.0.0.1"))] if draw(st.booleans()) else [],
    )  # fmt: skip


@st.composite
def estates(draw: st.DrawFn) -> list[bytes]:
    """Scans by every kind of source, of two scopes that overlap, in one part or two, whole or partial, with samples; no
    two of a scope at once."""
    told: list[bytes] = []
    scopes = st.sampled_from(["all", "all", "half"])
    moments = draw(st.lists(st.tuples(st.integers(0, 8), st.sampled_from(SOURCES), scopes), max_size=7, unique=True))
    for number, (minute, source, scope) in enumerate(moments):
        parts = draw(st.sampled_from([1, 1, 2]))
        for part in range(1, parts + 1):
            seen = draw(
                st.lists(observations(source), max_size=2, unique_by=lambda thing: thing.address or thing.native_key)
            )
            at = START + minute * MINUTE + part
            samples = [Sample("it", "uptime", float(minute))] if draw(st.booleans()) else []
            told.append(
                report(
                    f"r{number}.{part}", at, seen, target=scope, source=source, scan=f"s{number}", part=part,
                    parts=parts, sent=NOW, samples=samples,
                    coverage={"scope": draw(st.sampled_from(["complete", "complete", "partial"]))},
                )
            )  # fmt: skip
    return told


def differing(one: Outcome, other: Outcome) -> list[str]:
    """What two stores do not agree in."""
    return [name for name in Outcome.__slots__ if getattr(one, name) != getattr(other, name)]


@EXAMPLES
@given(told=estates(), rng=st.randoms(use_true_random=False))
def test_reports_of_every_kind_in_any_order_give_the_same(told: list[bytes], rng: random.Random) -> None:
    shuffled = told + [body for body in told if rng.random() < 0.3]
    rng.shuffle(shuffled)
    with opened() as one, opened() as other:
        assert not differing(deliver(one, told), deliver(other, shuffled))


@dataclass(frozen=True)
class Ruling:
    """A decision to be made, about records numbered in the order of their ids."""

    verb: str
    about: tuple[int, int]
    value: tuple[str, str]
    at: int
    undone: bool

    def body(self, records: Sequence[str]) -> dict[str, Any]:
        one, two = (records[n % len(records)] for n in self.about)
        if self.verb == "distrust":
            return {"value": list(self.value)}
        if self.verb in ("merge", "split"):
            return {"sides": [[one], [two]]}
        if self.verb == "pin":
            return {"sides": [[one]], "attribute": "os_name", "pinned": "mine"}
        return {"sides": [[one]], "hold_back": self.verb == "hold back"}

    def apply(self, store: Store, records: Sequence[str]) -> bool:
        """False while what it is about is not there."""
        verb = "tombstone" if self.verb == "hold back" else self.verb
        try:
            made = decide(store, "anna", verb, self.body(records), "", self.at)
        except NotFound:
            return False
        if self.undone:
            undo(store, "anna", made, "", self.at)
        return True


@st.composite
def rulings(draw: st.DrawFn) -> list[Ruling]:
    verbs = st.sampled_from(["merge", "merge", "split", "split", "distrust", "pin", "tombstone", "hold back"])
    pairs = st.tuples(st.integers(0, 9), st.integers(0, 9))
    values = st.sampled_from([("serial", "s1ab"), ("mac", MACS[0]), ("machine_id", BOX["machine_id"][0])])
    drawn = draw(st.lists(st.tuples(verbs, pairs, values, st.integers(0, 8), st.booleans()), max_size=4))
    return [
        Ruling(verb, pair, value, START + minute * MINUTE + 100 + n, undone)
        for n, (verb, pair, value, minute, undone) in enumerate(drawn)
    ]  # fmt: skip


def notice_all(store: Store) -> None:
    """Decisions are made long before the reports arrive: what went stale between is noticed at last in every order."""
    while notice(store, classes(), NOW):
        pass


def told_plainly(store: Store, told: Sequence[bytes], ruled: Sequence[Ruling]) -> tuple[list[str], list[Ruling]]:
    """All reports, then the decisions that stand. Gives the records, and which decisions can be made about them."""
    records = sorted(deliver(store, told).ci_of)
    possible = [r for r in ruled if len({records[n % len(records)] for n in r.about}) > 1] if records else []
    for ruling in possible:
        if not ruling.undone:
            ruling.apply(store, records)
    notice_all(store)
    return records, possible


def told_amid(
    store: Store, told: Sequence[bytes], ruled: Sequence[Ruling], records: Sequence[str], rng: random.Random
) -> None:
    """Reports and decisions mixed, the latter also undone again; each as soon as what it is about is there."""
    shuffled: list[bytes | Ruling] = [*told, *ruled]
    rng.shuffle(shuffled)
    waiting: list[Ruling] = []
    for step in shuffled:
        if isinstance(step, bytes):
            ingest(store, step, CALLER, NOW)
        elif not step.apply(store, records):
            waiting.append(step)
    assert all(step.apply(store, records) for step in waiting)
    notice_all(store)
    note(f"steps: {[step if isinstance(step, Ruling) else told.index(step) for step in shuffled]}")


@EXAMPLES
@given(told=estates(), ruled=rulings(), rng=st.randoms(use_true_random=False))
def test_decisions_and_their_undoing_amid_reports_give_the_same(
    told: list[bytes], ruled: list[Ruling], rng: random.Random
) -> None:
    with opened() as one, opened() as other:
        records, standing = told_plainly(one, told, ruled)
        told_amid(other, told, standing, records, rng)
        note("\n".join(f"{row}" for store in (one, other) for row in store.read(lambda tx: list(pages(tx, tables.CI)))))
        assert not differing(one.read(outcome), other.read(outcome))


def test_a_value_that_turns_void_no_longer_joins_those_it_joined(tmp_path: Path) -> None:
    """The 65th holder shows that a MAC says nothing: the others part again, in whatever order they came."""
    shared = "3c:ec:ef:77:77:77"
    scans = [
        ssh(1, box(f"b{n}", {"mac": [shared], "serial": [f"SN{n:04d}"]}, f"10.0.1.{n}"), scope=f"s{n}")
        for n in range(66)
    ]
    weak = ssh(2, box("w", {"mac": [shared]}, "10.0.1.3"), scope="w")
    told = bodies([*scans, weak])
    with opened() as one, opened() as other:
        first, second = deliver(one, told), deliver(other, told[::-1])
        assert not differing(first, second)
        assert len(set(first.ci_of.values())) == 66
        marks = one.read(lambda tx: [row for row in pages(tx, tables.IDENTIFIER) if row[0] == "void"])
        assert [row[1] for row in marks] == [f"mac {shared}"]


@pytest.mark.skipif(identity_sim.MISSING is not None, reason=str(identity_sim.MISSING))
def test_a_simulated_estate_meets_the_goals(tmp_path: Path) -> None:
    folder = identity_sim.estate(17, 200, 30, tmp_path)
    got = judge(play(read(folder / "observations.jsonl"), tmp_path), folder / "predictions.jsonl")
    # of a machine or two among two hundred a share of a thousandth cannot be told
    assert not [
        goal for goal, met in GOALS.items() if not met(got) and "stale" not in goal and "retired" not in goal
    ], got
