"""A source loses its place by time alone, and the graph does not tell who noticed it, when, or how often."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.history import graph_at
from cmdb_server.ingest.deadlines import notice, overdue
from cmdb_server.store import tables
from cmdb_server.store.port import Reading
from tests.estate import DAY, MINUTE, Estate, minute, opened
from tests.factories import host

A_DAY = DAY // MINUTE
"""Minutes."""
REFRESH = 14
"""Days, as the shipped rules have it."""


@pytest.fixture
def estate(either: Estate) -> Estate:
    return either


def tell(estate: Estate, day: float, source: str, version: str, *, now: float | None = None) -> None:
    """What a source says of one host's operating system, at its own address."""
    seen = host("a", "10.0.0.1", os_version=version, serial="SN1")
    received = None if now is None else now * A_DAY
    estate.tell(day * A_DAY, seen, source=source, target="10.0.0.1", id_=f"{day} {source} {version}", now=received)


def look(estate: Estate, day: float) -> int:
    """Notice until nothing is left."""
    count = 0
    while done := notice(estate.store, classes(), minute(day * A_DAY), 1):
        count += done
    return count


def version(estate: Estate) -> str:
    return str(estate.ci("a", "server")["attributes"]["os_version"])


def test_a_stale_source_yields_by_time_and_takes_its_place_back(estate: Estate) -> None:
    tell(estate, 0, "ssh", "13")
    tell(estate, 5, "snmp", "Linux")
    assert version(estate) == "13"
    assert look(estate, REFRESH - 0.01) == 0
    assert version(estate) == "13"
    revision = estate.store.revision()
    assert look(estate, REFRESH) >= 1
    assert version(estate) == "Linux"
    fed = [row[1:3] for row in estate.rows(tables.FEED) if row[0] > revision]
    assert ("ci", estate.ci("a", "server")["id"]) in fed
    tell(estate, 20, "ssh", "13")
    assert version(estate) == "13"


def test_nothing_is_written_while_nothing_is_due(estate: Estate) -> None:
    tell(estate, 0, "ssh", "13")
    tell(estate, 1, "snmp", "Linux")
    revision = estate.store.revision()
    assert look(estate, 2) == 0
    assert estate.store.revision() == revision
    look(estate, 60)
    assert estate.store.read(lambda tx: overdue(tx, 1 << 62)) == [], "all is stale: time alone changes nothing more"


def test_confirming_moves_the_deadline(estate: Estate) -> None:
    tell(estate, 0, "ssh", "13")
    tell(estate, 1, "snmp", "Linux")
    for day in (6, 12):
        tell(estate, day, "ssh", "13")
    tell(estate, 13, "snmp", "Linux")
    look(estate, 15)
    assert version(estate) == "13"
    look(estate, 12 + REFRESH)
    assert version(estate) == "Linux"


def test_the_past_flips_when_it_did(estate: Estate) -> None:
    tell(estate, 0, "ssh", "13")
    tell(estate, 5, "snmp", "Linux")
    look(estate, 30)

    def at(day: float) -> str:
        def work(tx: Reading) -> str:
            graph = graph_at(tx, minute(day * A_DAY), None, classes())
            (row,) = [row for row in graph.cis.values() if row[1] == "server"]
            return str(row[5]["os_version"])

        return estate.store.read(work)

    assert [at(day) for day in (6, REFRESH - 0.01, REFRESH, 18)] == ["13", "13", "Linux", "Linux"]


Report = tuple[float, str, str]
END = 60.0


def digest(told: Sequence[Report], schedule: Sequence[float], *, received: float | None = None) -> str:
    """Of the graph at the end. ``schedule``: days at which deadlines are noticed; ``received``: all of it then."""
    with opened() as estate:
        waiting = sorted(schedule)
        for day, source, word in told:
            while waiting and received is None and waiting[0] < day:
                look(estate, waiting.pop(0))
            tell(estate, day, source, word, now=received)
        look(estate, END)
        return estate.digest()


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    st.lists(
        st.tuples(st.integers(0, 50).map(float), st.sampled_from(["ssh", "snmp", "local"]), st.sampled_from("123")),
        min_size=2, max_size=7, unique_by=lambda told: told[:2],
    ),
    st.lists(st.floats(0, END), max_size=5), st.integers(0, 10**6),
)  # fmt: skip
def test_the_graph_is_the_same_for_every_schedule_of_noticing(
    told: list[Report], schedule: list[float], seed: int
) -> None:
    ordered = sorted(told)
    shuffled = random.Random(seed).sample(ordered, len(ordered))
    once = digest(ordered, [])
    assert digest(ordered, schedule) == once
    assert digest(ordered, [day / 2 for day in range(120)]) == once
    assert digest(shuffled, [], received=END) == once
