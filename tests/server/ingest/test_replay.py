"""What reports say on their own is what a store that was told them holds; and so for every past of it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_schemas.report import Component, Observation
from cmdb_server.answers.history import graph_at
from cmdb_server.ingest.batch import Batch
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.ingest.replay import blank, observe
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import ADMIN, Estate, minute
from tests.factories import host, report


def test_records_and_claims_are_those_of_a_store_that_was_told_the_same(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", packages=["pkg:x"]))
    estate.tell(1, host("a", "10.0.0.1", os_name="new"), host("b", "10.0.0.2", uses=[("10.0.0.1", 80)]))

    def observed(tx: Reading) -> tuple[dict[str, Row], set[tuple[str, str]]]:
        past = blank(tx, tx.scan(tables.REPORT), tx.revision)
        batch = Batch(past, classes(), dict(relation_types()), minute(1))
        observe(batch, past)
        assert past.count(tables.RECORD) == 0, "the batch alone knows them yet"
        return {id_: without_ci(held.row()) for id_, held in batch.records.items()}, set(batch.ties)

    records, ties = estate.store.read(observed)
    assert records == {row[0]: without_ci(row) for row in estate.rows(tables.RECORD)}
    assert ties == {row[:2] for row in estate.rows(tables.TIE)}


def without_ci(row: Row) -> Row:
    """Who is who is not a matter of the reports alone."""
    at = tables.RECORD.position("ci")
    return (*row[:at], *row[at + 1 :])


# A past state is the state of a store that was told no more ------------------------------------------------------------

SERIALS = {name: {"name": [name], "serial": [f"CZ3411AB0{name}"]} for name in "abc"}
ADDRESSES = st.sampled_from(["10.0.0.1", "10.0.0.2"])
PORTS = st.sampled_from([80, 443])


@st.composite
def machines(draw: st.DrawFn) -> Observation:
    """Nobody could take one for another; several may answer at one address, and their parts come and go."""
    name = draw(st.sampled_from("abc"))
    told = host(
        name, draw(ADDRESSES), identifiers=SERIALS[name], listens=draw(st.lists(PORTS, unique=True)),
        uses=draw(st.lists(st.tuples(ADDRESSES, PORTS), max_size=2, unique=True)),
        **draw(st.dictionaries(st.just("os_name"), st.sampled_from(["1", "2"]))),
    )  # fmt: skip
    for mount in draw(st.lists(st.sampled_from(["/", "/var"]), max_size=2, unique=True)):
        section = draw(st.sampled_from(["mounts", None]))
        told.components.append(Component(mount, "file_system", mount, section=section))
    return told


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[int, bytes]]:
    """(moment, report): scans of one or two parts that overlap, complete or not."""
    scans = st.tuples(st.integers(0, 6), st.sampled_from("xyz"), st.integers(1, 2))
    whole = st.sampled_from(["complete", "complete", "partial"])
    return [
        (
            at,
            report(
                f"r{number}", minute(at), draw(st.lists(machines(), max_size=3, unique_by=lambda m: (m.address, m.ref))),
                target=f"scope-{scope}", source="snmp" if scope == "z" else "ssh", sent=minute(100),
                scan=f"{scope}{at // 2}", part=part, parts=2, coverage={"scope": draw(whole), "mounts": draw(whole)},
            ),
        )
        for number, (at, scope, part) in enumerate(sorted(draw(st.lists(scans, max_size=7, unique=True))))
    ]  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=logs(), rng=st.randoms(use_true_random=False), data=st.data())
def test_as_of_a_time_as_known_at_another(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, bytes]], rng: random.Random, data: st.DataObject
) -> None:
    folder, shuffled = tmp_path_factory.mktemp("past"), rng.sample(told, len(told))
    whole, part = SqliteStore(folder / "whole.db"), SqliteStore(folder / "part.db")
    at, known = data.draw(st.integers(0, 6)), data.draw(st.integers(0, 7))
    for number, (_, body) in enumerate(shuffled):
        ingest(whole, body, ADMIN, minute(100) + number)
    for _, body in (one for one in shuffled[:known] if one[0] <= at):
        ingest(part, body, ADMIN, minute(100))
    assert then(whole, minute(at), minute(100) + known - 1) == now(part)
    whole.close(), part.close()


def then(store: Store, at: int, known_at: int) -> Any:
    graph = store.read(lambda tx: graph_at(tx, at, known_at))
    return bare(list(graph.cis.values()), graph.relations)


def now(store: Store) -> Any:
    return store.read(lambda tx: bare(tx.scan(tables.CI), tx.scan(tables.RELATION)))


def bare(cis: list[Row], relations: list[Row]) -> Any:
    """Without revisions."""
    return {row[0]: (*row[1:6], *row[7:]) for row in cis}, {row[:3]: row[3:8] for row in relations}
