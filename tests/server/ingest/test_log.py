"""What was told is kept once; samples move outside of the history."""

from __future__ import annotations

from cmdb_schemas.report import Sample
from cmdb_server.ingest.late import unpacked
from cmdb_server.ingest.log import WORTH_PACKING, is_whole, members
from cmdb_server.store import tables
from tests.estate import Estate, history, minute
from tests.factories import host

A, B, C = (host(name, f"10.0.0.{number}") for number, name in enumerate("abc", 1))


def test_samples_stand_outside_of_the_history(estate: Estate) -> None:
    estate.tell(0, A, samples=[Sample("a", "system.uptime", 1.0, "s")])
    before, told = estate.digest(), history(estate)
    ack = estate.tell(1, A, samples=[Sample("a", "system.uptime", 61.0, "s")])
    assert ack.unchanged
    assert (estate.digest(), history(estate)) == (before, told)
    (row,) = estate.rows(tables.SAMPLE)
    assert (row[2], row[3][0][3]) == (minute(1), 61.0)


def test_late_samples_do_not_replace_newer_ones(estate: Estate) -> None:
    estate.tell(5, A, samples=[Sample("a", "system.uptime", 5.0)])
    estate.tell(1, A, now=6, samples=[Sample("a", "system.uptime", 1.0)])
    assert estate.rows(tables.SAMPLE)[0][3][0][3] == 5.0
    estate.tell(7, A)
    assert estate.rows(tables.SAMPLE)[0][3][0][3] == 5.0, "a report without samples says nothing of them"


def test_what_was_told_is_kept_once_and_packed_where_that_is_worth_it(estate: Estate) -> None:
    long = host("long", "10.0.0.9", note="x" * WORTH_PACKING)
    estate.tell(1, A, long)
    estate.tell(2, A, B, long)
    bodies = [row[1] for row in estate.rows(tables.THING)]
    assert len(bodies) == 3
    packed = {len(unpacked(body)) >= WORTH_PACKING: body[:1] == b"x" for body in bodies}
    assert packed == {True: True, False: False}
    assert all(unpacked(body).startswith(b"{") for body in bodies)


def test_a_content_names_its_observations_and_how_much_it_looked_at(estate: Estate) -> None:
    estate.tell(1, A, B, coverage={"scope": "partial"})
    ((digest, sections, _),) = estate.rows(tables.CONTENT)
    found = estate.store.read(lambda tx: members(tx, digest))
    assert set(found.values()) == {row[0] for row in estate.rows(tables.RECORD) if not row[7]}
    assert sections == {"scope": "partial"}
    assert not estate.store.read(lambda tx: is_whole(tx, digest))
    assert estate.store.read(lambda tx: members(tx, "unknown")) == {}
