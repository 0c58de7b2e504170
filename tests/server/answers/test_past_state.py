"""A state of the past reads as the store did then."""

from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.past_state import past_of
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Forgotten
from cmdb_server.store.bounds import HISTORY, Bound, advance
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading
from cmdb_server.store.tables import CI, CLAIM, FACT, RECORD, RELATION, Table
from tests.estate import Estate, minute
from tests.factories import host

VIEWER = Viewer("ann", "admin", classes())
READ = (CI, RELATION, RECORD, FACT, CLAIM)


def rows(tx: Reading, table: Table) -> set[str]:
    return {repr(row[:-1] if table is CI else row) for row in pages(tx, table)}


def test_it_has_what_there_was_and_the_history_until_then(either: Estate) -> None:
    either.tell(0, host("a", "10.0.0.1", uses=[("10.0.0.7", 80)]), target="10.0.0.1")
    then = either.store.read(lambda tx: {table: len(rows(tx, table)) for table in READ})
    known = either.store.revision()
    either.tell(
        2, host("a", "10.0.0.1", os_name="Debian"), host("b", "10.0.0.2", uses=[("10.0.0.7", 81)]), target="10.0.0.1"
    )

    def work(tx: Reading) -> dict[Table, int]:
        past = past_of(tx, VIEWER, minute(1), None, minute(9))
        assert (past.now, past.tx.revision) == (minute(1), tx.revision)
        assert past.tx.count(CLAIM) == then[CLAIM] and past.tx.count(CLAIM) < tx.count(CLAIM)
        assert past.tx.scan(FACT, None, 2) == past.tx.scan(FACT, None, 9)[:2]
        assert all(row[3] <= known for row in past.tx.between(FACT, "revision", 0, tx.revision))
        return {table: len(rows(past.tx, table)) for table in READ}

    assert either.store.read(work) == then


def test_the_present_is_read_as_it_is(estate: Estate) -> None:
    estate.store.read(lambda tx: (past := past_of(tx, VIEWER, None, None, 7)) and _same(past.tx, tx, past.now))


def _same(past: Reading, tx: Reading, now: int) -> None:
    assert past is tx and now == 7


def test_what_was_dropped_is_refused(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    estate.store.write(lambda tx: advance(tx, Bound(HISTORY, minute(5), 1)))
    with pytest.raises(Forgotten):
        estate.store.read(lambda tx: past_of(tx, VIEWER, minute(4), None, minute(9)))
