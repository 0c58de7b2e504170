"""What a person should look at: open as long as its cause holds, so that the open tasks follow from what was seen."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from cmdb_server.ingest.batch import Batch
from cmdb_server.model.identity import Resolution
from cmdb_server.model.replacements import ATTRIBUTE as REPLACES
from cmdb_server.store import tables
from cmdb_server.store.port import Row

SPACE = uuid.UUID("3b0a4f0e-6a43-5d0c-9f52-0d1f6ed1c0aa")
OPEN, CLOSED = "open", "closed"
TASK = "task"
"""The kind of the index under which a record's tasks are found."""


def wanted(resolution: Resolution) -> dict[str, tuple[str, dict[str, Any], tuple[str, ...]]]:
    """Task id -> (kind, subject, the records it is found by)."""
    found: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {}
    for review in (*resolution.reviews, *resolution.replacements):
        kind = REPLACES if review.kind == REPLACES else "review"
        subject = {
            "cis": list(review.cis), "records": list(review.records), "score": review.score, "kind": review.kind,
            "terms": [[t.kind, t.points, list(t.ours), list(t.theirs)] for t in review.terms],
        }  # fmt: skip
        found[task_id(kind, *review.cis)] = (kind, subject, review.cis)
    for said in resolution.distrusted:
        subject = {"value": list(said.value), "records": list(said.records), "why": said.why}
        found[task_id("distrusted", *said.value)] = ("distrusted", subject, said.records)
    return found


def task_id(*parts: str) -> str:
    return str(uuid.uuid5(SPACE, "\x00".join(parts)))


def follow(batch: Batch, records: Iterable[str], resolutions: Iterable[Resolution]) -> None:
    """Open, change and close the tasks about these records, all of whose components were resolved again."""
    told = {id_: task for resolution in resolutions for id_, task in wanted(resolution).items()}
    entries = batch.tx.find(tables.IDENTIFIER, ("kind", "value"), [(TASK, id_) for id_ in records])
    known = batch.tx.get(tables.TASK, [(id_,) for id_ in {row[2] for row in entries} | told.keys()])
    rows: list[Row] = []
    for id_, (kind, subject, _) in told.items():
        old = known.get((id_,))
        if old is None or old[2] != subject or old[4] != OPEN:
            rows.append((id_, kind, subject, batch.tx.revision, OPEN))
    over = {row[2] for row in entries} - told.keys()
    rows += [(*known[(id_,)][:3], batch.tx.revision, CLOSED) for id_ in sorted(over) if (id_,) in known]
    current = {(TASK, record, id_) for id_, (_, _, found_by) in told.items() for record in found_by}
    standing = {(row[0], row[1], row[2]) for row in entries}
    batch.tx.delete(tables.IDENTIFIER, standing - current)
    batch.tx.put(tables.IDENTIFIER, [(*key, 0, None) for key in sorted(current - standing)])
    batch.tx.put(tables.TASK, rows)
