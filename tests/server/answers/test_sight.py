"""Who sees what: a selector's certain fits, each component with its thing, now and in the past."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.history import graph_at
from cmdb_server.answers.inventory import Filters, list_cis
from cmdb_server.answers.selected import selected
from cmdb_server.answers.sight import FEW, MOST, REFRESH_MS, Now, Sight, Sights, Then, is_token, tops
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.declare import edit
from cmdb_server.model.selector_lexer import SelectorError
from cmdb_server.projection.projections import Projections
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, RECORD
from tests.estate import Estate, minute
from tests.factories import host

DAYS = 24 * 60


class Watched(Estate):
    """An estate and a clock, in minutes."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.at = 1.0
        self.projections = Projections(store, clock=lambda: minute(self.at))
        self.sights = Sights(self.projections, classes())

    def sight(self, text: str) -> Sight:
        found = self.sights.of(text)
        assert found is not None
        return found

    def sees(self, text: str) -> set[str]:
        """What is seen now: names, components after their parents."""
        rows = {row[0]: row for row in self.rows(CI)}
        seen = self.store.read(lambda tx: Now(self.sight(text), tx).sees(rows))
        return {f"{rows[row[3]][2]}/{row[2]}" if row[3] else row[2] for row in map(rows.__getitem__, seen)}

    def saw(self, text: str, at: float) -> set[str]:
        def work(tx: Any) -> set[str]:
            graph = graph_at(tx, minute(at), None)
            return {graph.cis[id_][2] for id_ in Then(self.sight(text), tx, graph, minute(at)).sees(graph.cis)}

        return self.store.read(work)


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Watched]:
    store = SqliteStore(tmp_path / "cmdb.db")
    made = Watched(store)
    made.tell(0, host("web", "10.0.0.1", os_name="Debian", listens=[80]), host("db", "10.0.0.2", os_name="AIX"))
    yield made
    store.close()


def test_components_are_seen_with_what_they_are_part_of(estate: Watched) -> None:
    assert estate.sees('os_name == "AIX"') == {"db", "db/eth0"}
    assert estate.sees('!(name == "web")') == {"db", "db/eth0"}
    assert estate.sees('isa("network_interface")') == set()
    assert estate.sees('rel("runs").isa("application")') == {"web", "web/eth0", "web/app"}


def test_what_is_unknown_is_not_seen(estate: Watched) -> None:
    assert estate.sees('environment == "test" || !(environment == "test")') == set()
    estate.tell(1, host("db", "10.0.0.2", os_name="AIX"))
    estate.at = 1 + 400 * DAYS
    assert estate.sees('!(os_name == "Debian")') == set()
    assert estate.sees('name == "db"') == {"db", "db/eth0"}


def test_it_follows_the_graph_from_revision_to_revision(estate: Watched) -> None:
    assert "web" in estate.sees('os_name == "Debian"')
    estate.at = 3
    estate.tell(2, host("web", "10.0.0.1", os_name="AIX", listens=[80]), coverage={"scope": "partial"})
    assert estate.sees('os_name == "Debian"') == set()
    assert "web/app" in estate.sees('os_name == "AIX"')


def test_what_a_ci_is_now_decides_about_its_past(estate: Watched) -> None:
    """And what it was, of one that is no more."""
    estate.tell(2, host("web", "10.0.0.1", os_name="AIX", listens=[80]), coverage={"scope": "partial"})
    estate.at = 3
    assert estate.saw('os_name == "AIX"', 1) == {"db", "web", "eth0", "app"}
    assert estate.saw('os_name == "Debian"', 1) == set()
    gone, graph = estate.ci("web")["id"], estate.store.read(lambda tx: graph_at(tx, minute(1), None))
    estate.store.write(lambda tx: (tx.delete(CI, [(gone,)]), tx.delete(RECORD, [(gone,)])))  # nobody is it any more
    sight = estate.sight('os_name == "Debian"')
    assert estate.store.read(lambda tx: Then(sight, tx, graph, minute(1)).sees({gone, "never"})) == {gone}


def test_a_restricted_list_is_what_the_selector_lists_with_all_parts(estate: Watched) -> None:
    chance = random.Random(7)
    for number in range(3, 30):
        told = {name: value for name, value in (("os_name", "AIX"), ("role", "db")) if chance.random() < 0.6}
        estate.tell(number / 100, host(f"h{number}", f"10.0.1.{number}", serial=f"S{number}", **told))
    rows = {row[0]: row for row in estate.rows(CI)}
    for text in ('os_name == "AIX"', '!(role == "db")', 'has(role) || os_name == "AIX"', 'name.contains("2")'):
        chosen = selected(text, estate.projections, classes())
        everybody = Viewer("ann", "reader")
        listed = list_cis(estate.store, everybody, Filters(), limit=1000, now_ms=minute(1), selected=chosen).items
        whole = {id_ for id_, row in rows.items() if (row[3] or id_) in {one.id for one in listed}}
        viewer, found, cursor = Viewer("bob", "reader", sight=estate.sights.of(text)), [], None
        while True:
            page = list_cis(estate.store, viewer, Filters(), cursor, 7, now_ms=minute(1))
            found += [one.id for one in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert found == sorted(whole), text


def test_tokens_are_of_this_server_and_policy_alone(estate: Watched) -> None:
    id_ = estate.ci("web")["id"]
    one, other = (estate.sight(text).token(id_) for text in ('name == "db"', 'name == "x"'))
    assert one == estate.sight('name == "db"').token(id_) and one != other
    for number in range(MOST):
        estate.sights.of(f'name == "{number}"')
    assert estate.sight('name == "db"').token(id_) == one, "as long as it runs"
    assert Sights(estate.projections, classes()).of('name == "db"').token(id_) != one  # type: ignore[union-attr]
    pair = [Sights(estate.projections, classes(), secret=b"k" * 32).of("name == 'x'") for _ in range(2)]
    assert len({sight.token(id_) for sight in pair if sight is not None}) == 1, "processes of one server"
    assert is_token(one) and not is_token(id_) and id_[:8] not in one


def test_a_policy_is_read_once_and_a_wrong_one_refused_with_its_column(estate: Watched) -> None:
    assert estate.sights.of(None) is None
    assert estate.sights.of('name == "web"') is estate.sights.of('name == "web"')
    with pytest.raises(SelectorError, match="column 8"):
        estate.sights.of("name === 1")
    first = estate.sights.of('name == "web"')
    for number in range(MOST):
        estate.sights.of(f'name == "{number}"')
    assert estate.sights.of('name == "web"') is not first


class Counting:
    """A selector that tells whom it was held against."""

    def __init__(self, inner: Any) -> None:
        self.selector, self.projections, self._inner = inner.selector, inner.projections, inner
        self.asked: list[set[str]] = []

    def holding(self, tx: Any, rows: Any, *more: Any) -> Any:
        self.asked.append({row[2] for row in rows})
        return self._inner.holding(tx, rows, *more)


def test_what_was_found_is_kept_until_it_changes(estate: Watched) -> None:
    hosts = [host(f"h{n}", f"10.0.2.{n}", serial=f"S{n}", os_name="AIX" if n % 2 else "z/OS") for n in range(1, FEW)]
    estate.tell(0.5, *hosts, coverage={"scope": "partial"})
    text = 'os_name == "AIX"'
    sight = estate.sight(text)
    counting = sight.selected = Counting(sight.selected)  # type: ignore[assignment]
    before = estate.sees(text)
    (looked_at,) = counting.asked  # type: ignore[attr-defined]
    assert looked_at == {"db", *(f"h{n}" for n in range(1, FEW, 2))}, "who cannot fit by the columns is not looked up"
    assert estate.sees(text) == before and len(counting.asked) == 1  # type: ignore[attr-defined]
    row = estate.ci("h2")
    edit(estate.store, "ann", row["id"], {"os_name": "AIX"}, row["revision"], now_ms=minute(1))
    assert estate.sees(text) == before  # discovery tells better
    assert counting.asked[1:] == []  # type: ignore[attr-defined]
    estate.tell(0.7, host("h2", "10.0.2.2", serial="S2", os_name="AIX"), coverage={"scope": "partial"})
    assert estate.sees(text) == before | {"h2", "h2/eth0"}
    assert counting.asked[1:] == [{"h2"}]  # type: ignore[attr-defined]
    estate.at += REFRESH_MS / 60_000 + 1
    assert estate.sees(text) == before | {"h2", "h2/eth0"}
    assert counting.asked[2:] == [looked_at | {"h2"}]  # type: ignore[attr-defined]


def test_by_number_it_is_the_same(estate: Watched) -> None:
    hosts = [host(f"h{n}", f"10.0.2.{n}", serial=f"S{n}", os_name="AIX" if n % 3 else "z/OS") for n in range(1, FEW)]
    estate.tell(0.5, *hosts, coverage={"scope": "partial"})
    sight = estate.sight('os_name == "AIX"')

    def both(tx: Any) -> tuple[list[bool], list[bool]]:
        projection = estate.projections.current(tx)
        cis = np.arange(len(projection))[::-1]
        ids = [projection.id(int(ci)) for ci in cis]
        seen = Now(sight, tx).sees(ids)
        few = Now(sight, tx).unseen(projection, cis[:3]).tolist()
        every = Now(sight, tx).unseen(projection, cis).tolist()
        assert few == every[:3]
        return every, [id_ not in seen for id_ in ids]

    by_number, by_id = estate.store.read(both)
    assert by_number == by_id and len(set(by_id)) == 2


def test_a_part_of_what_is_not_there_has_no_top() -> None:
    rows = {"a": ("a", "", "", ""), "b": ("b", "", "", "a"), "c": ("c", "", "", "x"), "d": ("d", "", "", "d")}
    assert tops(rows, lambda ids: {id_: rows[id_] for id_ in ids if id_ in rows}).keys() == {"a", "b"}
