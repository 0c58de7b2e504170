"""The graph as it was, and as it was known, is the graph of a store that was told no more than that."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.answers.history import graph_at
from cmdb_server.errors import NotFound
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.ingest.reach import revision_at
from cmdb_server.store.port import Row, Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, RELATION
from tests.estate import ADMIN, DAY, MINUTE, Estate, minute
from tests.factories import START, host, report

Seen = tuple[dict[str, tuple[Any, ...]], dict[tuple[str, ...], tuple[Any, ...]]]
NOW = minute(100)


def seen_of(cis: list[Row], relations: list[Row]) -> Seen:
    """CIs and relations without revisions."""
    return {row[0]: (*row[1:6], *row[7:]) for row in cis}, {row[:3]: row[3:8] for row in relations}


def present(store: Store) -> Seen:
    return store.read(lambda tx: seen_of(tx.scan(CI, None, 10_000), tx.scan(RELATION, None, 10_000)))


def past(store: Store, at: int | None = None, known_at: int | None = None) -> Seen:
    graph = store.read(lambda tx: graph_at(tx, at, known_at))
    return seen_of(list(graph.cis.values()), graph.relations)


names, addresses = st.sampled_from("abc"), st.sampled_from(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
HARDWARE = {name: {"name": [name], "serial": [f"CZ3411AB0{n}"]} for n, name in enumerate("abc")}


@st.composite
def things(draw: Any) -> Observation:
    """Machines that nobody could take for one another, wherever they are."""
    name = draw(names)
    return host(
        name, draw(addresses), identifiers=HARDWARE[name], listens=draw(st.lists(st.sampled_from([80, 443]), unique=True)),
        uses=draw(st.lists(st.tuples(addresses, st.sampled_from([80, 443])), max_size=2, unique=True)),
        packages=draw(st.lists(st.sampled_from(["pkg:deb/x@1", "pkg:deb/x@2"]), max_size=2, unique=True)),
        **draw(st.dictionaries(st.sampled_from(["os_name", "os_version"]), st.sampled_from(["1", "2", ""]))),
    )  # fmt: skip


@st.composite
def histories(draw: Any) -> list[tuple[int, bytes]]:
    """(moment, report) in order of time."""
    moments = draw(st.lists(st.tuples(st.integers(0, 8), st.sampled_from("xyz")), max_size=7, unique=True))
    return [
        (
            at,
            report(
                f"r{number}", minute(at), draw(st.lists(things(), max_size=3, unique_by=lambda t: (t.address, t.ref))),
                target=f"scope-{scope}", source="snmp" if scope == "z" else "ssh", sent=NOW,
                coverage={"scope": draw(st.sampled_from(["complete", "complete", "partial"]))},
            ),
        )
        for number, (at, scope) in enumerate(sorted(moments))
    ]  # fmt: skip


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(folder / "cmdb.db")


CHECKS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@CHECKS
@given(told=histories())
def test_as_of_a_time_it_is_what_had_been_observed_by_then(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, bytes]]
) -> None:
    store = opened(tmp_path_factory.mktemp("at"))
    then: dict[int, Seen] = {}
    for at, body in told:
        ingest(store, body, ADMIN, NOW)
        then[at] = present(store)
    for at, expected in then.items():
        assert past(store, at=minute(at)) == expected
        assert past(store, at=minute(at) + MINUTE - 1) == expected
    store.close()


@CHECKS
@given(told=histories(), seed=st.integers(0, 2**32))
def test_as_known_at_a_time_it_is_what_had_been_told_by_then(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, bytes]], seed: int
) -> None:
    store = opened(tmp_path_factory.mktemp("known"))
    random.Random(seed).shuffle(told)
    then: list[Seen] = []
    for number, (_, body) in enumerate(told):
        ingest(store, body, ADMIN, NOW + number)
        then.append(present(store))
    for number, expected in enumerate(then):
        assert past(store, known_at=NOW + number) == expected
    store.close()


# Told one by one -------------------------------------------------------------------------------------------------------


def machine(name: str, address: str = "10.0.0.1", *parts: Component, **more: Any) -> Observation:
    return Observation(
        name, "server", address, None, HARDWARE[name], {"name": name, **more},
        components=list(parts),
    )  # fmt: skip


def test_a_late_report_changes_what_was_but_not_what_was_known(estate: Estate) -> None:
    estate.tell(0, machine("a", os_version="1"))
    estate.tell(4, machine("a", os_version="3"))
    estate.tell(2, machine("a", os_version="2"), now=10)

    def version(at: float, known_at: float | None = None) -> object:
        known = None if known_at is None else minute(known_at)
        graph = estate.store.read(lambda tx: graph_at(tx, minute(at), known))
        (row,) = graph.cis.values()
        return row[5]["os_version"]

    assert [version(at) for at in (0, 1.99, 2, 3.99, 4, 50)] == ["1", "1", "2", "2", "3", "3"]
    assert [version(at, 9) for at in (0, 2, 3.99, 4, 50)] == ["1", "1", "1", "3", "3"]
    assert version(50, 0) == "1"


def test_what_was_not_there_yet_is_not_found(estate: Estate) -> None:
    estate.tell(1, machine("a"))
    id_ = estate.ci("a")["id"]
    graph = estate.store.read(lambda tx: graph_at(tx, minute(0), None))
    assert (graph.cis, graph.relations) == ({}, [])
    with pytest.raises(NotFound):
        graph.resolve(id_)
    assert estate.store.read(lambda tx: graph_at(tx, minute(1), None)).resolve(id_) == id_


def test_a_merge_is_known_from_when_it_was_known(estate: Estate) -> None:
    """Two half-seen machines turn out to be one: what was known before keeps telling of two."""
    mac, serial = ["3c:ec:ef:92:dc:74"], ["CZ3411AB0C"]
    estate.tell(0, Observation("x", "server", "10.0.0.1", None, {"mac": mac}, {"name": "x"}), target="x")
    estate.tell(1, Observation("y", "server", "10.0.0.2", None, {"serial": serial}, {"name": "y"}), target="y")
    estate.tell(2, Observation("z", "server", "10.0.0.3", None, {"mac": mac, "serial": serial}, {}), target="z")
    ids = {row[0] for row in estate.rows(CI)}
    assert len(ids) == 1
    before = estate.store.read(lambda tx: graph_at(tx, None, minute(1)))
    assert len(before.cis) == 2
    now = estate.store.read(lambda tx: graph_at(tx, minute(1), None))
    assert {now.resolve(id_) for id_ in before.cis} == ids


def test_the_life_of_what_was(estate: Estate) -> None:
    estate.tell(0, machine("a", "10.0.0.1", Component("/", "file_system", "/")), host("b", "10.0.0.2"))
    estate.tell(1, host("b", "10.0.0.2"))
    root, a = estate.ci("/")["id"], estate.ci("a")["id"]

    def stages(at: float) -> list[str]:
        graph = estate.store.read(lambda tx: graph_at(tx, minute(at), None))
        return [graph.life(ci, minute(at)).stage for ci in (a, root)]

    assert stages(0.5) == ["current", "current"]
    assert stages(1) == ["missing", "missing"]
    assert stages(1000 * DAY / MINUTE) == ["retired", "retired"]


def test_revisions_are_found_by_when_they_were_recorded(estate: Estate) -> None:
    for number in range(20):
        estate.tell(number, machine("a"), now=2 * number)

    def found(at: float) -> int:
        return estate.store.read(lambda tx: revision_at(tx, minute(at)))

    assert [found(at) for at in (-1, 0, 1, 1.9, 2, 37, 38, 100)] == [0, 1, 1, 1, 2, 19, 20, 20]


def test_a_gone_relation_is_still_told_of_then(estate: Estate) -> None:
    uses = Relation("depends_on", End(address="10.0.0.2"), section="configured")
    user = Observation("a", "server", "10.0.0.1", None, HARDWARE["a"], {"name": "a"}, relations=[uses])
    estate.tell(0, user, host("b", "10.0.0.2"))
    estate.tell(1, machine("a", "10.0.0.1"), host("b", "10.0.0.2"), coverage={"scope": "complete"})
    assert estate.relations("depends_on") == set()
    then = estate.store.read(lambda tx: graph_at(tx, START, None))
    assert [row[1] for row in then.relations if row[1] == "depends_on"] == ["depends_on"]
