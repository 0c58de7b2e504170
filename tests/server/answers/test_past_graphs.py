"""A graph of the past that is given again is the one that would be made anew, whatever was told and decided since."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_server.answers import past_graphs
from cmdb_server.answers.history import Graph, graph_at
from cmdb_server.answers.past_graphs import PastGraphs
from cmdb_server.errors import CmdbError
from cmdb_server.ingest.decisions import decide as decided
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import ADMIN, Estate, minute
from tests.factories import START, host
from tests.server.ingest.test_rewind import LATER, bare, decide, logs

A, B = host("a", "10.0.0.1", serial="CZ3411AB01"), host("b", "10.0.0.2", serial="CZ3411AB02")
KINDS = classes()


def asked(store: Store, graphs: PastGraphs, at: int | None, known_at: int | None = None) -> Graph:
    return store.read(lambda tx: graphs.at(tx, at, known_at, KINDS))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=logs(), seed=st.integers(0, 2**32))
def test_it_is_the_one_made_anew(
    tmp_path_factory: pytest.TempPathFactory, told: tuple[int, list[bytes]], seed: int
) -> None:
    rng, (step, bodies), made = random.Random(seed), told, list[str]()
    store, graphs = SqliteStore(tmp_path_factory.mktemp("graphs") / "cmdb.db"), PastGraphs()
    moments = [START + moment * step for moment in rng.sample(range(9), 2)]
    for number, body in enumerate(rng.sample(bodies, len(bodies))):
        now = START + LATER * step + number * 1000
        ingest(store, body, ADMIN, now)
        if rng.random() < 0.3:
            try:
                decide(store, rng, made, now)
            except CmdbError:
                continue  # not everything can be decided of everything
        for at in moments:
            assert_same(store, graphs, at, None)
        assert_same(store, graphs, rng.choice([None, moments[0]]), START + LATER * step + rng.randint(0, number) * 1000)
    store.close()


def assert_same(store: Store, graphs: PastGraphs, at: int | None, known_at: int | None) -> None:
    mine, anew = asked(store, graphs, at, known_at), store.read(lambda tx: graph_at(tx, at, known_at))
    assert (bare(mine), mine.revision) == (bare(anew), anew.revision)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Until when each graph that had to be made is, in turn."""
    found: list[int] = []
    make = past_graphs.graph_of

    def counted(tx, moment, kinds):  # type: ignore[no-untyped-def]
        found.append(moment.then.until)
        return make(tx, moment, kinds)

    monkeypatch.setattr(past_graphs, "graph_of", counted)
    return found


def test_confirming_and_telling_more_leave_it_as_it_is(estate: Estate, made: list[int]) -> None:
    graphs = PastGraphs()
    estate.tell(0, A)
    for at in (1, 2, 3):
        asked(estate.store, graphs, minute(0.5))
        estate.tell(at, A, *([B] if at > 1 else []))
    asked(estate.store, graphs, minute(0.5))
    assert made == [minute(0.5)]


def test_what_is_told_late_and_what_is_decided_have_it_made_anew(estate: Estate, made: list[int]) -> None:
    graphs = PastGraphs()
    estate.tell(1, A)
    asked(estate.store, graphs, minute(2))
    estate.tell(0, B, now=5, target="elsewhere")
    assert len(asked(estate.store, graphs, minute(2)).cis) == 4
    body = {"sides": [[estate.ci("a")["id"]]], "attribute": "os_name", "pinned": "9"}
    decided(estate.store, "someone", "pin", body, "", minute(6))
    assert asked(estate.store, graphs, minute(2)).cis[estate.ci("a")["id"]][5]["os_name"] == "9"
    assert len(made) == 3


def test_what_was_known_stays(estate: Estate, made: list[int]) -> None:
    graphs = PastGraphs()
    estate.tell(1, A)
    before = asked(estate.store, graphs, minute(0.5), minute(1)), asked(estate.store, graphs, None, minute(1))
    estate.tell(0, B, now=5, target="elsewhere")
    assert before == (asked(estate.store, graphs, minute(0.5), minute(1)), asked(estate.store, graphs, None, minute(1)))
    assert len(made) == 2


def test_no_more_rows_are_kept_than_allowed(estate: Estate, made: list[int]) -> None:
    estate.tell(0, A)
    estate.tell(1, A, B)
    one, other = minute(0), minute(1)
    sizes = [
        len(graph.cis) + len(graph.relations) + len(graph.records)
        for graph in (asked(estate.store, PastGraphs(), at) for at in (one, other))
    ]
    made.clear()
    graphs = PastGraphs(rows=max(sizes))
    for at in (one, other, other, one, other):
        asked(estate.store, graphs, at)
    assert made == [one, other, one, other]
    made.clear()
    none = PastGraphs(rows=min(sizes) - 1)
    asked(estate.store, none, one), asked(estate.store, none, one)
    assert made == [one, one]
