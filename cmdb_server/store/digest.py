"""A canonical digest of the whole graph: equal for equal graphs, whatever engine holds them and however they came.

Counted are CIs, relations, the timelines of facts and claims, and which CI each record belongs to now. Not counted is
when the store learned of it: revisions, and history rows that only repeat the value before them, which depend on the
order of arrival. Work follows the size of the graph; memory does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import groupby
from typing import Any

import msgspec

from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import CI, CLAIM, FACT, MEMBERSHIP, RELATION, Table

PAGE = 5000
NOTHING = b"null"
_encode = msgspec.json.Encoder(order="sorted").encode


def graph_digest(reading: Reading, since: int | None = None) -> str:
    """SHA-256 in hexadecimal. ``since`` (ms): of the timelines only what held then and came after, which is what is left
    by a retention with that horizon."""
    digest = sha256()
    for name, rows in (
        ("ci", _without_revision(reading, CI)),
        ("relation", _without_revision(reading, RELATION)),
        ("fact", _timelines(reading, FACT, lambda row: row[4], since)),
        ("claim", _timelines(reading, CLAIM, lambda row: row[5] and [row[4], row[5]], since)),
        ("membership", _current(reading)),
    ):
        digest.update(name.encode())
        for row in rows:
            digest.update(_encode(row))
            digest.update(b"\n")
    return digest.hexdigest()


def pages(reading: Reading, table: Table) -> Iterator[Row]:
    """All rows in key order."""
    positions = [table.position(column) for column in table.key]
    rows = reading.scan(table, None, PAGE)
    while rows:
        yield from rows
        last = rows[-1]
        rows = reading.scan(table, tuple(last[position] for position in positions), PAGE) if len(rows) == PAGE else []


def _without_revision(reading: Reading, table: Table) -> Iterator[Row]:
    position = table.position("revision")
    for row in pages(reading, table):
        yield (*row[:position], *row[position + 1 :])


def _timelines(
    reading: Reading, table: Table, value_of: Callable[[Row], Any], since: int | None = None
) -> Iterator[Row]:
    """(record, attribute or key, at, value) of each change. At one time the row known last counts."""
    begin = float("-inf") if since is None else since
    for (record, name), rows in groupby(pages(reading, table), key=lambda row: row[:2]):
        before = NOTHING
        for at, same in groupby(_settled(rows, begin), key=lambda row: row[2]):
            *_, last = same
            # compared as bytes: to Python True is 1, to a reader of the graph it is not
            value = _encode(value_of(last))
            if value != before:
                yield record, name, at, msgspec.Raw(value)
            before = value


def _settled(rows: Iterable[Row], begin: float) -> Iterator[Row]:
    """The rows in order of time, of those until ``begin`` the last one as if it were of that time."""
    last: Row | None = None
    for row in rows:
        if row[2] <= begin:
            last = row
            continue
        if last is not None:
            yield (*last[:2], begin, *last[3:])
            last = None
        yield row
    if last is not None:
        yield (*last[:2], begin, *last[3:])


def _current(reading: Reading) -> Iterator[Row]:
    for record, rows in groupby(pages(reading, MEMBERSHIP), key=lambda row: row[0]):
        *_, last = rows
        yield record, last[2]
