"""CIs that people deleted: out of every list until they are seen again, but there for whoever names them."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import CI

_ENDED, _DELETED = CI.position("ended_at"), CI.position("deleted")


def is_deleted(row: Row) -> bool:
    """Whether the CI of this row of the table ``ci`` is."""
    return bool(row[_DELETED])


def deleted_at(row: Row) -> int | None:
    """When people deleted the CI of this row, ms; None unless they did."""
    at: int | None = row[_ENDED] if is_deleted(row) else None
    return at


def deleted_of(tx: Reading, cis: Iterable[str]) -> set[str]:
    """Those of these CIs that are."""
    return {key[0] for key, row in tx.get(CI, {(ci,) for ci in cis}).items() if is_deleted(row)}
