"""How far back the history reaches, and what is refused beyond."""

from __future__ import annotations

import pytest

from cmdb_server.errors import Forgotten
from cmdb_server.ingest import reach
from cmdb_server.store.bounds import HISTORY, Bound, advance
from tests.estate import DAY, Estate, minute
from tests.factories import host


@pytest.fixture
def short(estate: Estate) -> Estate:
    """Whose history begins at minute 5."""
    for at in range(8):
        estate.tell(at, host("a", "10.0.0.1"))
    estate.store.write(lambda tx: advance(tx, Bound(HISTORY, minute(5), 6, {"feed": 4})))
    return estate


def test_times_revisions_and_the_feed(short: Estate) -> None:
    def work(tx: object) -> None:
        reach.check_time(tx, minute(5), "at")  # type: ignore[arg-type]
        reach.check_time(tx, None, "at")  # type: ignore[arg-type]
        reach.check_revision(tx, 6)  # type: ignore[arg-type]
        reach.check_since(tx, 4)  # type: ignore[arg-type]

    short.store.read(work)
    for check in (
        lambda tx: reach.check_time(tx, minute(5) - 1, "at"),
        lambda tx: reach.check_revision(tx, 5),
        lambda tx: reach.check_since(tx, 3),
        lambda tx: reach.check_report(tx, minute(4), minute(4) + DAY + 1),
    ):
        with pytest.raises(Forgotten):
            short.store.read(check)


def test_a_report_that_is_hardly_late_is_not_looked_at(short: Estate) -> None:
    short.store.read(lambda tx: reach.check_report(tx, minute(4), minute(4) + DAY))


def test_the_revision_of_a_time(estate: Estate) -> None:
    told = [estate.tell(at, host("a", "10.0.0.1")).revision for at in range(4)]
    found = [estate.store.read(lambda tx, at=at: reach.revision_at(tx, minute(at))) for at in range(4)]  # type: ignore[misc]
    assert found == told
    assert estate.store.read(lambda tx: reach.revision_at(tx, minute(-1))) == 0
