"""Lists narrowed by a selector, on a real store: exact about who is seen no more, as of any time, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.answers import inventory
from cmdb_server.answers.inventory import Filters
from cmdb_server.answers.selected import selected
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.model.selector_lexer import SelectorError
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.store import tables
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

DAY = 86_400_000
ANN = Viewer("ann", "reader", classes())
AGENT = Caller("agent-1", "admin")


class Estate:
    def __init__(self, path: Path) -> None:
        self.store = SqliteStore(path)
        self.projections = Projections(self.store, Rules.of(relation_types(), classes()), lambda: START)

    def tell(self, id_: str, at: int, *hosts: object) -> None:
        ingest(self.store, report(id_, at, hosts), AGENT, at)  # type: ignore[arg-type]

    def names(self, text: str, now: int = START, at: int | None = None, limit: int = 100) -> list[str]:
        chosen, found, cursor = selected(text, self.projections, classes()), [], None
        while True:
            page = inventory.list_cis(
                self.store, ANN, Filters(), cursor, limit, at, None, now_ms=now, selected=chosen
            )  # fmt: skip
            found += [item.name for item in page.items]
            cursor = page.cursor
            if cursor is None:
                return sorted(found)


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    made = Estate(tmp_path / "cmdb.db")
    made.tell(
        "r1", START,
        host("web-1", "10.0.0.1", listens=[80], uses=[("10.0.0.3", 5432)], os_name="Debian", cpu_count=4),
        host("web-2", "10.0.0.2", listens=[80], os_name="Rocky"),
        host("db-1", "10.0.0.3", listens=[5432], os_name="Debian", cpu_count=16),
    )  # fmt: skip
    yield made
    made.store.close()


def test_attributes_classes_and_relations(estate: Estate) -> None:
    assert estate.names('class == "server" && os_name == "Debian"') == ["db-1", "web-1"]
    assert estate.names('isa("computer") && !(cpu_count >= 8)') == ["web-1"]
    assert estate.names('rel("runs").class == "web_server"') == ["db-1", "web-1", "web-2"]
    assert estate.names('site == "lab" && class == "server" && stage == "current"', limit=1) == [
        "db-1", "web-1", "web-2",
    ]  # fmt: skip
    assert estate.names('!(site == "lab") || stage == "missing"') == []


def test_a_change_is_seen_at_once_and_the_past_stays(estate: Estate) -> None:
    assert estate.names('os_name == "AIX"') == []
    estate.tell("r2", START + 1000, host("web-2", "10.0.0.2", listens=[80], os_name="AIX"))
    assert estate.names('os_name == "AIX"', START + 1000) == ["web-2"]
    assert estate.names('os_name == "Rocky"', START + 1000) == []
    assert estate.names('os_name == "Rocky"', START + 2000, at=START + 500) == ["web-2"]
    assert estate.names('rel("runs") && os_name == "Rocky"', START + 2000, at=START + 500) == ["web-2"]


def test_what_is_missing_is_unknown_though_nothing_was_told(estate: Estate) -> None:
    later = START + 8 * DAY
    assert estate.names('os_name == "Debian"', later) == []
    assert estate.names('os_name != "Rocky"', later) == []
    assert estate.names('class == "server" && stage == "missing"', later) == ["db-1", "web-1", "web-2"]


def test_a_fault_names_its_column(estate: Estate) -> None:
    with pytest.raises(SelectorError, match="column 4"):
        estate.names("   os_nam == 1")


def test_a_value_that_nobody_confirmed_for_long_is_unknown_though_the_ci_is_seen(estate: Estate) -> None:
    """SSH told the operating system once; SNMP sees the host every day, and tells how many processors it has."""
    seen = [host("web-1", "10.0.0.1", cpu_count=4)]
    for day in range(1, 17):
        at = START + day * DAY
        ingest(estate.store, report(f"s{day}", at, seen, source="snmp"), AGENT, at)
    fresh, late = START + 13 * DAY, START + 16 * DAY
    only = 'class == "server" && stage == "current" && '
    assert estate.names(only + 'os_name == "Debian"', fresh) == ["web-1"]
    assert estate.names(only + "cpu_count == 4", late) == ["web-1"]
    for text in (
        'os_name == "Debian"',
        'os_name != "Debian"',
        "has(os_name)",
        "!has(os_name)",
        'os_name in ["Debian"]',
    ):
        assert estate.names(only + text, late) == [], text
    assert estate.names(only + '(os_name == "Debian" || cpu_count == 4)', late) == ["web-1"]
    assert estate.names(only + 'os_name == "Debian"', late, at=fresh) == ["web-1"]
    assert estate.names(only + 'os_name == "Debian"', late + DAY, at=late) == []
    [web] = estate.store.read(lambda tx: tx.find(tables.CI, ("name",), [("web-1",)]))
    decide(estate.store, "ann", "pin", {"sides": [[web[0]]], "attribute": "os_name", "pinned": "Debian"}, "", late)
    assert estate.names(only + 'os_name == "Debian"', late) == ["web-1"]
