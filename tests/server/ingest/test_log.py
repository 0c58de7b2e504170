"""What was told is kept once."""

from __future__ import annotations

from cmdb_server.ingest.late import unpacked
from cmdb_server.ingest.log import WORTH_PACKING, is_whole, members
from cmdb_server.store import tables
from tests.estate import Estate
from tests.factories import host

A, B, C = (host(name, f"10.0.0.{number}") for number, name in enumerate("abc", 1))


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
