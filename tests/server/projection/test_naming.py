"""Names are found by any part of them, never across two, and renamed ones by their new name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.projection.identities import Names
from cmdb_server.projection.naming import named
from cmdb_server.projection.projections import Projections
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

texts: SearchStrategy[list[str]] = st.lists(st.text("abAB\u00e9", max_size=4), max_size=8)


class _Named:
    """What ``named`` reads of a projection."""

    def __init__(self, names: list[str]) -> None:
        self.names = Names.of(names)
        self.ended_at = [-1] * len(names)


@given(names=texts, part=st.text("ab\u00e9", min_size=1, max_size=3))
def test_every_name_that_holds_the_part_and_no_other(names: list[str], part: str) -> None:
    expected = [at for at, name in enumerate(names) if part in name.lower()]
    assert list(named(_Named(names), part)) == expected  # type: ignore[arg-type]


def test_a_renamed_ci_is_found_by_its_new_name(tmp_path) -> None:
    store = SqliteStore(tmp_path / "store")
    projections = Projections(store)
    seen = host("oldname", "10.0.0.1", identifiers={"serial": ["S1"]}, listens=[80])
    ingest(store, report("r1", START, [seen]), Caller("t", "admin"), START)
    first = projections.current()
    assert [first.class_name(ci) for ci in named(first, "ldnam")] == ["server"]
    seen = host("fresh", "10.0.0.1", identifiers={"serial": ["S1"]}, listens=[80])
    ingest(store, report("r2", START + 1000, [seen]), Caller("t", "admin"), START + 1000)
    later = projections.current()
    assert not list(named(later, "oldname"))
    assert [later.class_name(ci) for ci in named(later, "fresh")] == ["server"]
