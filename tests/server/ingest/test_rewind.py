"""Taking back what was told since gives what replaying the log until then gives, whatever was told and decided."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.answers.history import Graph, PastRecord, graph_at
from cmdb_server.errors import CmdbError
from cmdb_server.ingest import decisions
from cmdb_server.ingest.deadlines import notice
from cmdb_server.ingest.late import Rebuilt
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.ingest.rewind import state_at
from cmdb_server.ingest.since import FOREVER, Then
from cmdb_server.store import tables
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import ADMIN, DAY, MINUTE, Estate, minute
from tests.factories import START, host, report
from tests.replayed import replayed

ADDRESSES = st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
PORTS = st.sampled_from([80, 443])
SERIALS = st.sampled_from(["CZ3412AB01", "CZ3412AB02", "CZ3412AB03"])
MACS = st.lists(st.sampled_from([f"3c:ec:ef:00:00:0{n}" for n in (1, 2, 3)]), min_size=1, unique=True)
PACKAGES = st.sampled_from(["pkg:deb/x@1", "pkg:deb/x@2"])
LATER = 100
"""Steps of time after the start, when everything is told."""


@st.composite
def identities(draw: st.DrawFn, name: str) -> dict[str, list[str]]:
    """More or less of what may tell who it is; some tell nothing."""
    if draw(st.integers(0, 5)) == 0:
        return {}
    told = {"name": [name]}
    if draw(st.booleans()):
        told["serial"] = [draw(SERIALS)]
    if draw(st.booleans()):
        told["mac"] = draw(MACS)
    return told


@st.composite
def machines(draw: st.DrawFn) -> Observation:
    """May be taken for one another; their parts and claims come and go."""
    name = draw(st.sampled_from("abc"))
    told = host(
        name, draw(ADDRESSES), identifiers=draw(identities(name)), listens=draw(st.lists(PORTS, unique=True)),
        uses=draw(st.lists(st.tuples(ADDRESSES, PORTS), max_size=2, unique=True)),
        packages=draw(st.lists(PACKAGES, max_size=2, unique=True)),
        **draw(st.dictionaries(st.sampled_from(["os_name", "os_version"]), st.sampled_from(["1", "2", ""]))),
    )  # fmt: skip
    for mount in draw(st.lists(st.sampled_from(["/", "/var"]), max_size=2, unique=True)):
        told.components.append(Component(mount, "file_system", mount, section=draw(st.sampled_from(["mounts", None]))))
    far = End(identifiers={"name": [draw(st.sampled_from("abc"))], "if_name": ["eth0"]})
    named = End(class_="software_package", key="pkg:k", attributes={"version": draw(st.sampled_from("12"))})
    for type_, end in draw(st.lists(st.sampled_from([("connects_to", far), ("depends_on", named)]), max_size=2)):
        told.relations.append(Relation(type_, End(ref=told.ref), end))
    return told


def seen_as(thing: Observation) -> str:
    """What tells one sighting of a scan from another."""
    return repr((thing.address, sorted((kind, sorted(values)) for kind, values in thing.identifiers.items())))


@st.composite
def logs(draw: st.DrawFn) -> tuple[int, list[bytes]]:
    """(ms between two moments, reports in order of time): scans of one part or of two, complete or not."""
    step = draw(st.sampled_from([MINUTE, 6 * DAY]))
    whole = st.sampled_from(["complete", "complete", "partial"])
    told = []
    for at, scope in sorted(draw(st.sets(st.tuples(st.integers(0, 8), st.sampled_from("xyz")), max_size=9))):
        parts = draw(st.sampled_from([1, 2]))
        told.append(
            report(
                f"{scope}{at}", START + at * step, draw(st.lists(machines(), max_size=3, unique_by=seen_as)),
                target=f"scope-{scope}", source="snmp" if scope == "z" else "ssh", sent=START + LATER * step,
                scan=f"{scope}{at}" if parts == 1 else f"{scope}{at // 2}-of-two", part=1 if parts == 1 else at % 2 + 1,
                parts=parts, coverage={"scope": draw(whole), "mounts": draw(whole)},
            )
        )  # fmt: skip
    return step, told


def decide(store: Store, rng: random.Random, made: list[str], now: int) -> None:
    """Something that people may decide of what is there, or the undoing of something they did."""
    rows = store.read(lambda tx: tx.scan(tables.RECORD, None, 1000))
    if not rows:
        return
    things, any_ = [row[0] for row in rows if not row[7]], rng.choice(rows)[0]
    verb = rng.choice(["merge", "split", "pin", "tombstone", "distrust", "undo"])
    if verb == "undo":
        for decision in rng.sample(made, min(1, len(made))):
            made.append(decisions.undo(store, "someone", decision, "", now))
        return
    body = {
        "merge": {"sides": [[one] for one in rng.sample(things, min(2, len(things)))]},
        "split": {"sides": [[one] for one in rng.sample(things, min(2, len(things)))]},
        "pin": {"sides": [[rng.choice(things)]], "attribute": "os_name", "pinned": "9"},
        "tombstone": {"sides": [[any_]], "hold_back": rng.random() < 0.3},
        "distrust": {"value": ["serial", "CZ3412AB01"]},
    }[verb]
    made.append(decisions.decide(store, "someone", verb, body, "", now))


def filled(path: Path, step: int, told: Sequence[bytes], rng: random.Random) -> SqliteStore:
    """A store that was told all this in some order, while people decided now and then."""
    store, made, now = SqliteStore(path), list[str](), START + LATER * step
    for number, body in enumerate(rng.sample(told, len(told)) if rng.random() < 0.6 else told):
        ingest(store, body, ADMIN, now + number * 1000)
        if rng.random() < 0.2:
            notice(store, classes(), now + number * 1000)
        if rng.random() < 0.25:
            try:
                decide(store, rng, made, rng.choice([now + number * 1000 + 1, START + rng.randint(0, 9) * step + 1]))
            except CmdbError:
                continue  # not everything can be decided of everything
    return store


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=logs(), seed=st.integers(0, 2**32))
def test_rewinding_gives_what_replaying_gives(
    tmp_path_factory: pytest.TempPathFactory, told: tuple[int, list[bytes]], seed: int
) -> None:
    rng, (step, bodies) = random.Random(seed), told
    store = filled(tmp_path_factory.mktemp("rewind") / "cmdb.db", step, bodies, rng)
    last = store.revision()
    assert_equal(store, None, last)
    for moment in rng.sample(range(9), 3):
        assert_equal(store, START + moment * step, rng.choice([last, rng.randint(0, last)]))
    assert_equal(store, None, rng.randint(0, last))
    store.close()


def assert_equal(store: Store, at: int | None, revision: int) -> None:
    now = at if at is not None else FOREVER
    then = Then(now, revision)
    mine = store.read(lambda tx: graph_at(tx, at, None, revision=revision))
    slow = store.read(lambda tx: replayed(tx, then, classes(), at if at is not None else clock(store)))
    assert bare(mine) == bare(slow)


def clock(store: Store) -> int:
    """The time that the present state is of."""
    lanes = store.read(lambda tx: tx.scan(tables.LANE, None, 1000))
    noticed = store.read(lambda tx: tx.get(tables.BOUND, [("deadlines",)]))
    return max([row[10] for row in lanes] + [row[1] for row in noticed.values()], default=0)


def bare(graph: Graph) -> object:
    """Without revisions."""
    cis = {id_: (*row[:6], *row[7:]) for id_, row in graph.cis.items()}
    return cis, {row[:3]: row[3:8] for row in graph.relations}, {id_: told(one) for id_, one in graph.records.items()}


def told(record: PastRecord) -> PastRecord:
    """What follows the record in being confirmed, with when that was last: the same, written otherwise."""
    said = record.attributes.items()
    when = {name: [value, since, record.run.last if at is None else at] for name, (value, since, at) in said}
    return replace(record, attributes=when)


def test_nothing_of_it_reaches_the_store(either: Estate) -> None:
    estate = either
    estate.tell(0, host("a", "10.0.0.1", packages=["pkg:x"]))
    estate.tell(1, host("a", "10.0.0.1"))
    before = (estate.digest(), estate.sizes(), estate.store.revision())

    def names(at: int) -> set[str]:
        then = Then(at, estate.store.revision())
        return {row[2] for row in estate.store.read(lambda tx: state_at(tx, then, classes(), at).scan(tables.CI))}

    assert names(minute(0)) == {"a", "eth0", "pkg:x"}
    assert names(minute(1)) == {"a", "eth0"}
    assert names(minute(-1)) == set()
    assert (estate.digest(), estate.sizes(), estate.store.revision()) == before


def test_another_part_may_have_been_the_one_that_confirmed(estate: Estate) -> None:
    """The first part tells of it again after the second did, in the same bytes as before."""
    seen = host("a", "10.0.0.1")
    estate.tell(0, seen, scan="one")
    estate.tell(1, seen, scan="two", part=2, parts=2)
    estate.tell(2, seen, scan="two", part=1, parts=2)
    assert_equal(estate.store, minute(1), estate.store.revision())
    assert_equal(estate.store, None, 2)


def test_only_what_was_told_otherwise_is_computed_again(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred hosts, of which one has changed since while all were confirmed."""
    hosts = [host(f"h{n}", f"10.0.1.{n}", packages=["pkg:x"]) for n in range(100)]
    estate.tell(0, *hosts)
    changed = [host("h0", "10.0.1.0", packages=["pkg:x"], os_name="new"), *hosts[1:]]
    estate.tell(1, *changed)
    estate.tell(2, *changed)
    computed: list[str] = []
    write = Rebuilt.write

    def counted(self: Rebuilt) -> None:
        computed.append(self.record)
        write(self)

    monkeypatch.setattr(Rebuilt, "write", counted)
    graph = estate.store.read(lambda tx: graph_at(tx, minute(0), None))
    assert len(computed) == 1
    assert len(graph.cis) == 100 * 2 + 1
    assert graph.cis[estate.ci("h0")["id"]][5].get("os_name") is None
