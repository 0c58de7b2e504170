"""What was told since a time or a revision, and which records it bears upon."""

from __future__ import annotations

from cmdb_server.ingest.since import FOREVER, RECENT_MS, Then, told_since
from cmdb_server.store import tables
from cmdb_server.store.port import Row
from tests.estate import DAY, MINUTE, Estate, minute
from tests.factories import host

A = host("a", "10.0.0.1")
B = host("b", "10.0.0.2")
OBSERVED, DIGEST = tables.REPORT.position("observed_at"), tables.REPORT.position("digest")


def bears_upon(estate: Estate, until: int, revision: int | None = None) -> set[str]:
    """The names of the things that were told of otherwise since, with the names of the parts in them."""
    then = Then(until, estate.store.revision() if revision is None else revision)
    found = estate.store.read(lambda tx: told_since(tx, then)).records
    return {
        row[tables.RECORD.position("native_key")] or _name(row) for row in estate.rows(tables.RECORD) if row[0] in found
    }


def _name(row: Row) -> str:
    return str(row[tables.RECORD.position("attributes")].get("name", [row[tables.RECORD.position("local_key")]])[0])


def lanes(estate: Estate, until: int) -> set[int | None]:
    """When the newest report of each part that was told of since was observed; None without any."""
    then = Then(until, estate.store.revision())
    found = estate.store.read(lambda tx: told_since(tx, then)).lanes
    return {None if row is None else row[OBSERVED] for row in found.values()}


def test_repeating_bears_upon_nothing(estate: Estate) -> None:
    for at in range(4):
        estate.tell(at, A, B)
    assert bears_upon(estate, minute(1)) == set()
    assert lanes(estate, minute(1)) == {minute(1)}


def test_a_change_bears_upon_what_changed_and_what_is_new(estate: Estate) -> None:
    estate.tell(0, A, B)
    estate.tell(1, host("a", "10.0.0.1", os_name="new"), B, host("c", "10.0.0.3"))
    assert bears_upon(estate, minute(0)) == {"a", "c", "eth0"}
    assert bears_upon(estate, minute(1)) == set()


def test_there_and_back_again_bears_upon_it(estate: Estate) -> None:
    estate.tell(0, A)
    estate.tell(1, host("a", "10.0.0.1", os_name="new"))
    estate.tell(2, A)
    assert bears_upon(estate, minute(0)) == {"a"}


def test_what_a_part_did_not_tell_of_since_may_have_been_otherwise(estate: Estate) -> None:
    estate.tell(0, A, B)
    estate.tell(1, A, coverage={"scope": "partial"})
    assert bears_upon(estate, minute(0)) == {"b"}


def test_a_late_report_was_not_known(estate: Estate) -> None:
    estate.tell(5, A)
    known = estate.store.revision()
    estate.tell(1, B, now=6)
    assert "b" in bears_upon(estate, FOREVER, known)
    assert "a" not in bears_upon(estate, minute(5))


def test_a_scope_that_had_told_nothing_had_no_lane(estate: Estate) -> None:
    estate.tell(0, A, target="one")
    estate.tell(9, B, target="other")
    assert lanes(estate, minute(5)) == {None}
    assert bears_upon(estate, minute(5)) == {"b", "eth0"}


def test_the_newest_report_is_found_however_long_before(estate: Estate) -> None:
    long = 3 * RECENT_MS / MINUTE
    estate.tell(0, A, target="one")
    estate.tell(long - 1, B, target="other")
    for target, seen in (("one", A), ("other", B)):
        estate.tell(long + DAY / MINUTE, seen, target=target)
    assert lanes(estate, minute(long)) == {minute(0), minute(long - 1)}


def test_each_part_of_a_scan_has_its_own(estate: Estate) -> None:
    for at in (0, 10):
        estate.tell(at, A, scan=f"s{at}", part=1, parts=2)
        estate.tell(at + 1, B, scan=f"s{at}", part=2, parts=2)
    assert lanes(estate, minute(5)) == {minute(0), minute(1)}
    assert lanes(estate, minute(0)) == {minute(0), None}
