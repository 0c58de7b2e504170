"""Rows of the log: what was told, once however often it is told."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cmdb_schemas import report as wire
from cmdb_server.ingest.accepted import Accepted
from cmdb_server.ingest.batch import Batch
from cmdb_server.ingest.sighting import coverage, is_complete, pack, unpack
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Writing

WORTH_PACKING = 512
"""Bytes from which an observation is kept compressed."""


def members(tx: Reading, content: str) -> dict[bytes, str]:
    """Digest -> record id of the observations of a content; empty for one that is not kept."""
    row = tx.get(tables.CONTENT, [(content,)]).get((content,))
    return unpack(row[2]) if row is not None else {}


def store_content(
    tx: Writing, accepted: Accepted, told: Iterable[wire.Coverage], members: list[tuple[str, bytes]],
    raws: Mapping[bytes, bytes], fresh: Iterable[bytes],
) -> None:  # fmt: skip
    """Keep what a report contained, and of its observations the ``fresh`` ones."""
    tx.insert(tables.CONTENT, [(accepted.digest, coverage(told), pack(members))])
    tx.insert(tables.THING, [(mark.hex(), _packed(raws[mark])) for mark in fresh])


def _packed(raw: bytes) -> bytes:
    return zlib.compress(raw, 1) if len(raw) >= WORTH_PACKING else raw


def enter_report(batch: Batch, accepted: Accepted) -> None:
    """Enter the report itself, under this revision."""
    report, origin = accepted.report, accepted.origin
    errors: list[Any] = msgspec.to_builtins(report.errors)
    batch.tx.insert(
        tables.REPORT,
        [
            (
                batch.tx.revision, report.id, origin.scope, origin.source, origin.site, origin.target, origin.probe,
                report.agent, report.scan.id, report.scan.part, report.scan.parts, accepted.at, accepted.received,
                accepted.digest, errors,
            )
        ],
    )  # fmt: skip


def is_whole(tx: Reading, content: str) -> bool:
    """Whether a content tells of everything in its scope."""
    row = tx.get(tables.CONTENT, [(content,)]).get((content,))
    return row is not None and is_complete(dict(row[1]), None)
