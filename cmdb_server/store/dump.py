"""Logical dump and load: a store as JSON lines, independent of the engine.

Line 1 is the header, then for each table ``{"table", "columns"}`` and its rows as arrays, in key order (blobs in
base64), and last ``{"end": {table: rows}}``, without which a dump is incomplete. A load ends by comparing the digest
of the graph with the header's; one that was interrupted leaves the target marked, and it answers nothing until a load
has finished.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any

import msgspec

from cmdb_server.errors import Invalid, Malformed
from cmdb_server.store.digest import graph_digest, pages
from cmdb_server.store.port import Loadable, Reading, Row, Store
from cmdb_server.store.tables import ENROLMENT, SCHEMA_VERSION, SNAPSHOT, TABLES, TOKEN, Table

FORMAT = "cmdb-dump"
VERSION = 1
BATCH = 5000
SECRET = (TOKEN, ENROLMENT)
DUMPED = tuple(table for table in TABLES if table is not SNAPSHOT)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Header(msgspec.Struct):
    """The first line of a dump. ``digest`` is that of the graph, ``revision`` the newest one it holds."""

    format: str
    version: int
    schema: int
    revision: int
    digest: str
    tokens: bool


def dump(store: Store, out: IO[bytes], tokens: bool = False) -> Header:
    """Write the store as it is at one moment. Tokens and enrolment codes (hashed) are left out unless asked for."""
    # a store may run its work again, so the lines go where the first try can be undone
    with TemporaryFile() as lines:
        header = store.read(lambda reading: _dump(reading, lines, tokens))
        lines.seek(0)
        copyfileobj(lines, out)
    return header


def _dump(reading: Reading, out: IO[bytes], tokens: bool) -> Header:
    out.seek(0)
    out.truncate()
    header = Header(FORMAT, VERSION, SCHEMA_VERSION, reading.revision, graph_digest(reading), tokens)
    out.write(_encode(header) + b"\n")
    counts = {}
    for table in DUMPED:
        if table not in SECRET or tokens:
            counts[table.name] = _dump_table(reading, table, out)
    out.write(_encode({"end": counts}) + b"\n")
    return header


def _dump_table(reading: Reading, table: Table, out: IO[bytes]) -> int:
    out.write(_encode({"table": table.name, "columns": [name for name, _ in table.columns]}) + b"\n")
    count = 0
    for count, row in enumerate(pages(reading, table), start=1):  # noqa: B007  the last number is the count
        out.write(_encode(row) + b"\n")
    return count


def load(store: Loadable, lines: Iterable[bytes]) -> Header:
    """Fill an empty store from a dump. Raises ``Conflict`` when it is not empty, ``Malformed`` and ``Invalid`` for a
    dump that is no dump, incomplete, of another schema, or not what its digest says."""
    numbered = enumerate(lines, start=1)
    header = _header(next(numbered, (1, b""))[1])
    store.begin_load()
    counts: dict[str, int] = {}
    end = _load_tables(store, numbered, counts)
    if end != counts:
        raise Malformed(f"the dump is incomplete: {sum(counts.values())} rows, no matching end line")
    store.end_load(header.revision, _same_digest(header.digest))
    return header


def _header(line: bytes) -> Header:
    try:
        header = msgspec.json.decode(line, type=Header)
    except msgspec.MsgspecError as error:
        raise Malformed(f"line 1 is not a dump's header: {error}") from error
    if (header.format, header.version) != (FORMAT, VERSION):
        raise Invalid(f"{header.format} {header.version} is not {FORMAT} {VERSION}")
    if header.schema != SCHEMA_VERSION:
        raise Invalid(
            f"the dump has schema {header.schema}, this software {SCHEMA_VERSION}: load it with a software of its "
            "schema, then open that store with this one"
        )
    return header


def _load_tables(store: Loadable, lines: Iterator[tuple[int, bytes]], counts: dict[str, int]) -> dict[str, int] | None:
    """Stores the rows, counted by table; the last line's counts, ``None`` when there is none."""
    table, batch = None, list[Row]()

    def flush() -> None:
        if table is not None and batch:
            store.load(table, batch)
            counts[table.name] += len(batch)
            batch.clear()

    for number, line in lines:
        value = _line(number, line)
        if isinstance(value, dict):
            flush()
            if "end" in value:
                return value["end"] if isinstance(value["end"], dict) else None
            table = _announced(number, value)
            counts[table.name] = 0
        elif table is None:
            raise Malformed(f"line {number}: a row before any table")
        else:
            batch.append(_row(number, table, value))
            if len(batch) == BATCH:
                flush()
    return None


def _line(number: int, line: bytes) -> Any:
    try:
        return _decode(line)
    except msgspec.MsgspecError as error:
        raise Malformed(f"line {number} is not JSON: {error}") from error


def _announced(number: int, value: dict[str, Any]) -> Table:
    for table in DUMPED:
        if table.name == value.get("table"):
            if [name for name, _ in table.columns] == value.get("columns"):
                return table
            raise Invalid(f"line {number}: the columns of {table.name} are others")
    raise Invalid(f"line {number}: no table {value.get('table')!r}")


def _row(number: int, table: Table, values: Any) -> Row:
    if not isinstance(values, list) or len(values) != len(table.columns):
        raise Malformed(f"line {number}: not a row of {table.name}")
    try:
        for position in _blobs(table):
            if values[position] is not None:
                values[position] = b64decode(values[position], validate=True)
    except (TypeError, ValueError) as error:
        raise Malformed(f"line {number}: {error}") from error
    return tuple(values)


@cache
def _blobs(table: Table) -> tuple[int, ...]:
    return tuple(number for number, (_, kind) in enumerate(table.columns) if kind == "blob")


def _same_digest(expected: str) -> Callable[[Reading], None]:
    def check(reading: Reading) -> None:
        found = graph_digest(reading)
        if found != expected:
            raise Invalid(f"the loaded graph has digest {found}, the dump's header says {expected}")

    return check
