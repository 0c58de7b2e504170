"""What an import would do, row by row: it is taken in within a transaction that is then rolled back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cmdb_server.ingest.rehearsal import CiChange, Watched, ci_changes
from cmdb_server.store import tables
from cmdb_server.store.port import Row, Store, Writing
from cmdb_server.store.rollback import rolled_back

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}
BATCH = 2000
Does = Literal["create", "change", "meet", "keep"]


@dataclass(frozen=True, slots=True)
class RowPreview:
    """What would become of one row (from 1). ``does``: ``create`` a CI, ``change`` one (``values``: attribute -> (now,
    then)), ``meet`` one that others told of and change nothing about it, or ``keep`` what the same import told before.
    ``by``: what ties the row to what was there: kinds of identifiers with the values shared, or a component's key below
    what it is part of; empty where that is the row's own key alone. Of a CI that who asks does not see, no more than
    that there is one: ``ci`` is None."""

    row: int
    does: Does
    ci: str | None
    class_: str
    name: str
    values: Mapping[str, tuple[Any, Any]]
    by: Mapping[str, tuple[str, ...]]


def preview(store: Store, take: Callable[[Writing], object], rows: Mapping[str, int]) -> tuple[RowPreview, ...]:
    """What ``take`` would do. ``rows``: the record that each row is -> its number, those of components too. In order of
    rows. Raises what ``take`` does."""

    def work(tx: Writing) -> tuple[RowPreview, ...]:
        before = {key[0] for key in tx.get(tables.RECORD, [(record,) for record in rows])}
        watched = Watched(tx)
        take(watched)
        changes = {one.id: one for one in ci_changes(tx, watched)}
        return tuple(sorted(_Trial(tx, rows, before, changes).told(), key=lambda one: one.row))

    told = rolled_back(store, work)
    there = {(one.ci,) for one in told if one.ci is not None and one.does != "create"}
    visible = {key[0] for key in store.read(lambda tx: tx.get(tables.CI, there))}
    return tuple(one if one.does == "create" or one.ci in visible else _veiled(one) for one in told)


def _veiled(one: RowPreview) -> RowPreview:
    return RowPreview(one.row, one.does, None, "", "", {}, {})


@dataclass(frozen=True, slots=True)
class _Trial:
    """The rows as the transaction has them once all is taken in. ``before``: the records that there were."""

    tx: Writing
    rows: Mapping[str, int]
    before: Collection[str]
    changes: Mapping[str, CiChange]

    def told(self) -> Iterator[RowPreview]:
        ids = list(self.rows)
        for start in range(0, len(ids), BATCH):
            held = self.tx.get(tables.RECORD, [(id_,) for id_ in ids[start : start + BATCH]])
            yield from self._some([row for row in held.values() if row[R["ci"]]])

    def _some(self, records: list[Row]) -> Iterator[RowPreview]:
        wanted = {(row[R["ci"]],) for row in records}
        cis = self.tx.get(tables.CI, wanted)
        others: dict[str, list[Row]] = {ci: [] for (ci,) in wanted}
        for row in self.tx.find(tables.RECORD, ("ci",), wanted):
            if row[0] not in self.rows:
                others[row[R["ci"]]].append(row)
        for record in records:
            if (ci := cis.get((record[R["ci"]],))) is not None:
                yield self._one(record, ci, others[ci[0]])

    def _one(self, record: Row, ci: Row, others: Collection[Row]) -> RowPreview:
        row, change = self.rows[record[0]], self.changes.get(ci[0])
        if change is not None and change.change == "create":
            return RowPreview(row, "create", ci[0], ci[1], ci[2], {}, {})
        does: Does = "change" if change is not None else "keep" if record[0] in self.before else "meet"
        values = change.values if change is not None else {}
        return RowPreview(row, does, ci[0], ci[1], ci[2], values, _shared(record, others))


def _shared(record: Row, others: Collection[Row]) -> dict[str, tuple[str, ...]]:
    """What the record has in common with others of its CI."""
    if record[R["parent"]]:
        return {"key": (record[R["local_key"]],)} if others else {}
    theirs = [row[R["identifiers"]] for row in others]
    found = {
        kind: tuple(value for value in values if any(value in other.get(kind, ()) for other in theirs))
        for kind, values in record[R["identifiers"]].items()
    }
    return {kind: values for kind, values in sorted(found.items()) if values}
