"""Who is told of changes, and how far: rows that one process at a time claims, for a while, with a fence."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from cmdb_server.errors import NotFound
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading, Row, Store, Writing
from cmdb_server.store.tables import WEBHOOK

CLAIM_MS = 60_000
FIRST_RETRY_MS, LONGEST_RETRY_MS = 5_000, 3_600_000


@dataclass(frozen=True, slots=True)
class Webhook:
    """A row of WEBHOOK. ``kinds``: of changes; none: all. ``attempts``: failed since the last success. ``fault``: why
    the last one failed."""

    id: str
    url: str
    secret: str
    kinds: tuple[str, ...]
    subject: str
    created_at: int
    since: int
    cursor: str | None = None
    attempts: int = 0
    due_at: int = 0
    claimed_until: int = 0
    fence: int = 0
    fault: str | None = None


def register(store: Store, url: str, secret: str, kinds: Sequence[str], subject: str, now_ms: int) -> Webhook:
    """Tell a URL of every change from now on. ``secret``: a reference."""

    def work(tx: Writing) -> Webhook:
        made = Webhook(str(uuid.uuid4()), url, secret, tuple(kinds), subject, now_ms, tx.revision)
        tx.put(WEBHOOK, [_row(made)])
        return made

    return store.write(work)


def every(store: Store) -> list[Webhook]:
    """All of them, oldest first."""
    found = store.read(lambda tx: [_webhook(row) for row in pages(tx, WEBHOOK)])
    return sorted(found, key=lambda one: (one.created_at, one.id))


def remove(store: Store, id_: str) -> Webhook:
    """Tell a URL nothing any more. Raises NotFound."""

    def work(tx: Writing) -> Webhook:
        found = _find(tx, id_)
        if found is None:
            raise NotFound(f"there is no webhook {id_}")
        tx.delete(WEBHOOK, [(id_,)])
        return found

    return store.write(work)


def claim(store: Store, id_: str, now_ms: int) -> Webhook | None:
    """Have a webhook for oneself until the claim runs out; None when it is another's, not due or gone."""

    def work(tx: Writing) -> Webhook | None:
        found = _find(tx, id_)
        if found is None or found.due_at > now_ms or found.claimed_until > now_ms:
            return None
        mine = replace(found, claimed_until=now_ms + CLAIM_MS, fence=found.fence + 1)
        tx.put(WEBHOOK, [_row(mine)])
        return mine

    return store.write(work)


def delivered(store: Store, mine: Webhook, since: int, cursor: str | None) -> bool:
    """Say that all up to here was taken. False when the claim has passed to another meanwhile."""
    done = replace(mine, since=since, cursor=cursor, attempts=0, due_at=0, claimed_until=0, fault=None)
    return _end(store, done)


def failed(store: Store, mine: Webhook, fault: str, now_ms: int) -> bool:
    """Say that it was not, and try again later, each time after twice as long."""
    wait = min(FIRST_RETRY_MS << min(mine.attempts, 20), LONGEST_RETRY_MS)
    return _end(store, replace(mine, attempts=mine.attempts + 1, due_at=now_ms + wait, claimed_until=0, fault=fault))


def _end(store: Store, done: Webhook) -> bool:
    def work(tx: Writing) -> bool:
        found = _find(tx, done.id)
        if found is None or found.fence != done.fence:
            return False
        tx.put(WEBHOOK, [_row(done)])
        return True

    return store.write(work)


def _find(tx: Reading, id_: str) -> Webhook | None:
    row = tx.get(WEBHOOK, [(id_,)]).get((id_,))
    return None if row is None else _webhook(row)


def _webhook(row: Row) -> Webhook:
    found = Webhook(*row)
    return replace(found, kinds=tuple(found.kinds))


def _row(one: Webhook) -> Row:
    told = astuple(one)
    return (*told[:3], list(one.kinds), *told[4:])
