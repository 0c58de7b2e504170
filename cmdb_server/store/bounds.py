"""How far something that is done bit by bit has got, or reaches back: one row each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cmdb_server.store.port import Reading, Writing
from cmdb_server.store.tables import BOUND

SERIES, HISTORY, DEADLINES, UNPLANNED = "series", "history", "deadlines", "unplanned"


@dataclass(frozen=True, slots=True)
class Bound:
    """``at`` in ms, ``revision``: how far. ``told``: what else is to be known of it."""

    name: str
    at: int = 0
    revision: int = 0
    told: dict[str, Any] = field(default_factory=dict)


def bound(tx: Reading, name: str) -> Bound:
    """How far it has got; at the very beginning when nothing is known of it."""
    row = tx.get(BOUND, [(name,)]).get((name,))
    return Bound(name) if row is None else Bound(row[0], row[1], row[2], row[3] or {})


def begun(tx: Reading) -> int | None:
    """When the history begins, ms; None while nothing of it was dropped."""
    row = tx.get(BOUND, [(HISTORY,)]).get((HISTORY,))
    return None if row is None else int(row[1])


def advance(tx: Writing, to: Bound) -> None:
    """Say how far it has got."""
    tx.put(BOUND, [(to.name, to.at, to.revision, to.told)])
