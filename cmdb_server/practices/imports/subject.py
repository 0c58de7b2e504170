"""The CI that a file is about without saying so itself: named by its id, its name, or something that identifies it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cmdb_schemas.ci_class import CIClass
from cmdb_server.ingest.declare import resolve_all
from cmdb_server.model.normalise import normalise
from cmdb_server.practices.imports.entry import Fault, Subject
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row

COLUMN = "host"
_NAMED_AT_MOST = 5
_ENDED = tables.CI.position("ended_at")
_CI_OF, _LOCAL = tables.RECORD.position("ci"), tables.RECORD.position("local_key")


def subject(tx: Reading, told: str, kinds: Mapping[str, CIClass]) -> Subject | Fault | None:
    """``told`` is an id, ``kind=value`` (``serial=SN1``, ``fqdn=web1.example.com``) or a name. None: nothing has that
    name yet. What is there counts before what is gone; a fault where that leaves more than one, or an id or identifier
    finds nothing."""
    kind, identifies, value = told.partition("=")
    if told in (ids := resolve_all(tx, [told])):
        found = [ids[told]]
    elif identifies:
        found = _identified(tx, kind, value)
    else:
        found = [row[0] for row in tx.find(tables.CI, ("name",), [(told,)]) if kinds[row[1]].identity != "key"]
    rows = list(tx.get(tables.CI, [(id_,) for id_ in found]).values())
    rows = [row for row in rows if row[_ENDED] is None] or rows
    if len(rows) > 1:
        return Fault(0, COLUMN, f"{told!r} may be any of {_listed(rows)}: name one by its id")
    if not rows:
        return Fault(0, COLUMN, f"there is no CI with {told!r}") if identifies else None
    way = _way(tx, rows[0])
    parts = [(part[1], _local_key(tx, part)) for part in way[1:]]
    return Subject(way[0][0], ((way[0][1], way[0][2]), *parts))


def _identified(tx: Reading, kind: str, value: str) -> list[str]:
    marks = [(kind, one) for one in normalise({kind: [value]}).get(kind, ())]
    records = {row[2] for row in tx.find(tables.IDENTIFIER, ("kind", "value"), marks)} if marks else set()
    held = tx.get(tables.RECORD, [(record,) for record in records]).values()
    return sorted({row[_CI_OF] for row in held if row[_CI_OF]})


def _way(tx: Reading, row: Row) -> list[Row]:
    """From the thing down to this CI."""
    way = [row]
    while (above := way[0][3]) and all(above != one[0] for one in way):
        found = tx.get(tables.CI, [(above,)]).get((above,))
        if found is None:
            break
        way.insert(0, found)
    return way


def _local_key(tx: Reading, part: Row) -> str:
    keys = {str(row[_LOCAL]) for row in tx.find(tables.RECORD, ("ci",), [(part[0],)]) if row[_LOCAL]}
    return min(keys, default=str(part[2]))


def _listed(rows: Iterable[Row]) -> str:
    told = sorted(f"{row[1]} {row[2]} {row[0]}" for row in rows)
    more = f" and {len(told) - _NAMED_AT_MOST} more" if len(told) > _NAMED_AT_MOST else ""
    return ", ".join(told[:_NAMED_AT_MOST]) + more
