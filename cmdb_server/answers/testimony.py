"""A CI's records as identity reads them, out of the store, and which of their values are not to be believed."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.answers.views import SourceView
from cmdb_server.ingest import ruling
from cmdb_server.ingest.tasks import OPEN, task_id
from cmdb_server.model.components import VOID
from cmdb_server.model.decisions import distrusted
from cmdb_server.model.record import Record, Value, is_told_by_people
from cmdb_server.store import tables
from cmdb_server.store.partial import whole
from cmdb_server.store.port import Reading, Row

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}
STATE = tables.TASK.position("state")


def as_evidence(record: Row, source: SourceView, family: str = "") -> Record:
    """A row of RECORD as identity reads it, there from its first sighting to its last. ``family``: its class's."""
    identifiers = {kind: tuple(values) for kind, values in record[R["identifiers"]].items()}
    address = identifiers.pop("@address", (None,))[0]
    return Record(
        record[0], source.source, source.site, source.target, record[R["native_key"]], record[R["class"]],
        family, identifiers, address, ((source.first, source.last),), is_told_by_people(source.source), source.first,
    )  # fmt: skip


def void(tx: Reading, records: Iterable[Record]) -> frozenset[Value]:
    """The values of these records that identify nothing anywhere."""
    marks = {f"{kind} {value}": (kind, value) for kind, value in _borne(records)}
    rows = tx.find(tables.IDENTIFIER, ("kind", "value"), [(VOID, mark) for mark in sorted(marks)])
    return frozenset(marks[row[1]] for row in rows)


def unbelieved(tx: Reading, records: Iterable[Record]) -> frozenset[Value]:
    """Those, and the ones that people distrust or that other records contradict: whoever looks, for who is who is no
    question of that."""
    tx, told = whole(tx), list(records)
    contradicted = {(task_id("distrusted", *value),): value for value in _borne(told)}
    tasks = tx.get(tables.TASK, sorted(contradicted))
    found = {value for key, value in contradicted.items() if key in tasks and tasks[key][STATE] == OPEN}
    return void(tx, told) | distrusted(ruling.in_transaction(tx).decisions) | found


def _borne(records: Iterable[Record]) -> set[Value]:
    return {(kind, value) for one in records for kind, values in one.identifiers.items() for value in values}
