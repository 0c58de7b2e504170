"""A canonical digest of the whole graph: equal for equal graphs, whatever engine holds them and however they came.

Counted are CIs, relations, the timelines of facts and claims, and which CI each record belongs to now. Not counted is
when the store learned of it: revisions, and history rows that only repeat the value before them, which depend on the
order of arrival. Work follows the size of the graph; memory does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import groupby
from typing import Any

import msgspec

from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import CI, CLAIM, FACT, MEMBERSHIP, RELATION, Table

PAGE = 5000
NOTHING = b"null"
_encode = msgspec.json.Encoder(order="sorted").encode


def graph_digest(reading: Reading) -> str:
    """SHA-256 in hexadecimal."""
    digest = sha256()
    for name, rows in (
        ("ci", _without_revision(reading, CI)),
        ("relation", _without_revision(reading, RELATION)),
        ("fact", _timelines(reading, FACT, lambda row: row[4])),
        ("claim", _timelines(reading, CLAIM, lambda row: row[5] and [row[4], row[5]])),
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


def _timelines(reading: Reading, table: Table, value_of: Callable[[Row], Any]) -> Iterator[Row]:
    """(record, attribute or key, at, value) of each change. At one time the row known last counts."""
    for (record, name), rows in groupby(pages(reading, table), key=lambda row: row[:2]):
        before = NOTHING
        for at, same in groupby(rows, key=lambda row: row[2]):
            *_, last = same
            # compared as bytes: to Python True is 1, to a reader of the graph it is not
            value = _encode(value_of(last))
            if value != before:
                yield record, name, at, msgspec.Raw(value)
            before = value


def _current(reading: Reading) -> Iterator[Row]:
    for record, rows in groupby(pages(reading, MEMBERSHIP), key=lambda row: row[0]):
        *_, last = rows
        yield record, last[2]
