"""Who is told of changes, and how far: rows that one process at a time claims, for a while, with a fence."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from cmdb_server.errors import NotFound
from cmdb_server.practices.claims import Claims
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Row, Store, Writing
from cmdb_server.store.tables import WEBHOOK


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
        found = CLAIMS.find(tx, id_)
        if found is None:
            raise NotFound(f"there is no webhook {id_}")
        tx.delete(WEBHOOK, [(id_,)])
        return found

    return store.write(work)


def claim(store: Store, id_: str, now_ms: int) -> Webhook | None:
    """Have a webhook for oneself until the claim runs out; None when it is another's, not due or gone."""
    return CLAIMS.claim(store, id_, now_ms)


def delivered(store: Store, mine: Webhook, since: int, cursor: str | None) -> bool:
    """Say that all up to here was taken. False when the claim has passed to another meanwhile."""
    return CLAIMS.end(store, replace(mine, since=since, cursor=cursor, attempts=0, due_at=0, fault=None))


def failed(store: Store, mine: Webhook, fault: str, now_ms: int) -> bool:
    """Say that it was not, and try again later, each time after twice as long."""
    return CLAIMS.failed(store, mine, fault, now_ms)


def _webhook(row: Row) -> Webhook:
    found = Webhook(*row)
    return replace(found, kinds=tuple(found.kinds))


def _row(one: Webhook) -> Row:
    told = astuple(one)
    return (*told[:3], list(one.kinds), *told[4:])


CLAIMS = Claims(WEBHOOK, _webhook, _row)
