"""States of the graph by name. A baseline names a time and a revision; the history, which retention does
not cut behind a baseline, keeps the rest, so that it costs one row and never changes."""

from __future__ import annotations

from dataclasses import dataclass

from cmdb_server.errors import Conflict, Invalid, NotFound
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Store, Writing
from cmdb_server.store.tables import BASELINE


@dataclass(frozen=True, slots=True)
class Baseline:
    """How things were at ``at`` (ms) as known in ``revision``. ``subject``: who named it, at ``made_at``, and why."""

    name: str
    at: int
    revision: int
    subject: str
    made_at: int
    note: str


def make(store: Store, name: str, subject: str, note: str, at: int | None, *, now_ms: int) -> Baseline:
    """Name the state at ``at`` (None: now), as far as is known now. Raises Conflict when the name is taken, Invalid
    for a time to come."""
    if at is not None and at > now_ms:
        raise Invalid("at: is still to come", errors=[{"path": "at", "message": "is still to come"}])

    def work(tx: Writing) -> Baseline:
        if tx.get(BASELINE, [(name,)]):
            raise Conflict(f"there is a baseline {name!r} already")
        made = Baseline(name, now_ms if at is None else at, tx.revision, subject, now_ms, note)
        tx.put(BASELINE, [(made.name, made.at, made.revision, made.subject, made.made_at, made.note)])
        return made

    return store.write(work)


def every(store: Store) -> list[Baseline]:
    """All of them, by name."""
    found = store.read(lambda tx: list(pages(tx, BASELINE)))
    return [Baseline(*row) for row in found]


def one(store: Store, name: str) -> Baseline:
    """The baseline of that name. Raises NotFound."""
    row = store.read(lambda tx: tx.get(BASELINE, [(name,)])).get((name,))
    if row is None:
        raise NotFound(f"there is no baseline {name!r}")
    return Baseline(*row)


def remove(store: Store, name: str) -> Baseline:
    """Forget a name; the history stays. Raises NotFound."""
    found = one(store, name)
    store.write(lambda tx: tx.delete(BASELINE, [(name,)]))
    return found
