"""An address that hosts held in turn: what was seen there without proof has its history with each for its time."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from cmdb_schemas.report import Component, Observation
from cmdb_server.answers.history import graph_at
from cmdb_server.answers.timeline import timeline
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.ingest.tenure import TENURE, holder
from cmdb_server.store import tables
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import Estate, minute
from tests.factories import host

THERE = "10.0.0.1"


def bare(**attributes: Any) -> Observation:
    """SNMP without a serial number or a MAC: it proves nothing."""
    port = Component("if:lan", "network_interface", "lan", attributes={"name": "lan"})
    return Observation("p", "unknown_device", THERE, None, {}, attributes, components=[port])


A, B = host("a", THERE), host("b", THERE, mac="3c:ec:ef:00:00:77")
TOLD: list[tuple[float, Observation, str]] = [
    (0, A, "ssh"), (1, bare(os_name="x"), "snmp"), (3, bare(os_name="y"), "snmp"), (4, B, "ssh"),
    (5, bare(os_name="z"), "snmp"),
]  # fmt: skip


def tell(estate: Estate, told: list[tuple[float, Observation, str]]) -> Estate:
    for at, thing, source in told:
        estate.tell(at, thing, source=source, now=9)
    return estate


def then(estate: Estate, at: float, known_at: float | None = None) -> dict[str, Any]:
    """The hosts' names, and what is said of them, at a minute."""
    known = None if known_at is None else minute(known_at)
    graph = estate.store.read(lambda tx: graph_at(tx, minute(at), known))
    names = {row[0]: row[2] for row in graph.cis.values()}
    return {
        row[2]: (row[5].get("os_name"), sorted(one[2] for one in graph.cis.values() if one[3] == row[0]))
        for row in graph.cis.values() if names.get(row[3]) is None
    }  # fmt: skip


def test_each_has_what_was_seen_in_its_time(estate: Estate) -> None:
    tell(estate, TOLD)
    assert then(estate, 1) == {"a": ("x", ["eth0", "lan"])}
    assert then(estate, 3) == {"a": ("y", ["eth0", "lan"])}
    assert then(estate, 4)["b"] == ("y", ["eth0", "lan"])
    assert then(estate, 5)["b"] == ("z", ["eth0", "lan"])
    assert estate.ci("b")["attributes"]["os_name"] == "z"


def told_of(estate: Estate, name: str) -> list[tuple[str, int, Any]]:
    """What a host's past tells of that record."""
    entries = timeline(estate.store, estate.ci(name)["id"], ["attribute", "membership", "presence"]).entries
    (record,) = [row[0] for row in estate.rows(tables.RECORD) if row[1] == "snmp" and not row[7]]
    return sorted((e.name, e.at, e.value) for e in entries if e.record == record and e.revision)


def test_its_past_stands_with_each_for_its_time(estate: Estate) -> None:
    tell(estate, TOLD)
    a, b = told_of(estate, "a"), told_of(estate, "b")
    assert [one for one in a if one[0] == "os_name"] == [("os_name", minute(1), "x"), ("os_name", minute(3), "y")]
    assert [one for one in b if one[0] == "os_name"] == [("os_name", minute(5), "z")]
    assert ("left", minute(4), estate.ci("a")["id"]) in a
    assert ("joined", minute(4), estate.ci("b")["id"]) in b


def test_what_was_known_before_stays_known_so(estate: Estate) -> None:
    for at, thing, source in TOLD:
        estate.tell(at, thing, source=source)
    assert then(estate, 3, known_at=3) == {"a": ("y", ["eth0", "lan"])}
    assert then(estate, 5, known_at=5)["b"] == ("z", ["eth0", "lan"])


def test_any_order_gives_the_same_tenures(tmp_path: Path) -> None:
    digests, tenures = set(), set()
    for number, order in enumerate(itertools.permutations(TOLD)):
        if number % 7:
            continue
        store = SqliteStore(tmp_path / f"{number}.db")
        estate = tell(Estate(store), list(order))
        digests.add(estate.digest())
        tenures.add(repr([then(estate, at) for at in range(6)]))
        store.close()
    assert len(digests) == len(tenures) == 1


def test_what_people_tie_together_stays_so_and_undone_it_is_as_before(estate: Estate) -> None:
    tell(estate, TOLD)
    before, a = [then(estate, at) for at in range(6)], estate.ci("a")["id"]
    (record,) = [row[0] for row in estate.rows(tables.RECORD) if row[1] == "snmp" and not row[7]]
    made = decide(estate.store, "eva", "merge", {"sides": [[record], [a]]}, "it is its console", minute(9))
    assert [then(estate, at)["a"][0] for at in (1, 3, 5)] == ["x", "y", "z"]
    undo(estate.store, "eva", made, "no", minute(9))
    assert [then(estate, at) for at in range(6)] == before


def test_where_one_host_always_held_the_place_nothing_is_written(estate: Estate) -> None:
    tell(estate, TOLD[:3])
    assert [row for row in estate.rows(tables.FACT) if row[1] == TENURE] == []


@pytest.mark.parametrize(("at", "whose"), [(0, None), (1, "a"), (4, "a"), (5, "b"), (9, "b")])
def test_whose_it_was(at: int, whose: str | None) -> None:
    assert holder([(1, "a"), (5, "b")], at) == whose
