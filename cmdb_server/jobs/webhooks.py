"""Tells webhooks of changes, from the change feed: every change at least once, in order, to each.

Any number of processes may do this at once. Nothing is written while there is nothing to tell.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec

from cmdb_server.answers.feed import Change, changes
from cmdb_server.errors import SettingsError
from cmdb_server.notify import webhook
from cmdb_server.notify.webhook import RefusedError
from cmdb_server.practices import webhooks
from cmdb_server.practices.webhooks import Webhook
from cmdb_server.settings import secret
from cmdb_server.store.port import Store

LOG = logging.getLogger(__name__)
LIMIT = 100
"""Changes told at once."""
HAPPENED = {"open": "opened", "edit": "edited"}
"""What a version of something kept is called by; any other transition has moved it."""
Send = Callable[..., None]


def deliver(store: Store, allowed: Iterable[str], now_ms: int, send: Send = webhook.send) -> int:
    """Tell each webhook that is due its next batch; gives how many were told. Call it again until that is 0."""
    networks = tuple(allowed)
    return sum(
        _deliver(store, one.id, networks, now_ms, send)
        for one in webhooks.every(store)
        if one.due_at <= now_ms and changes(store, one.since, one.cursor, 1).items
    )


def _deliver(store: Store, id_: str, allowed: tuple[str, ...], now_ms: int, send: Send) -> bool:
    mine = webhooks.claim(store, id_, now_ms)
    if mine is None:
        return False
    page = changes(store, mine.since, mine.cursor, LIMIT)
    wanted = [one for one in page.items if not mine.kinds or one.kind in mine.kinds]
    try:
        if wanted:
            body = msgspec.json.encode([event(one) for one in wanted])
            send(mine.url, body, _batch(mine, wanted), secret(mine.secret), now_ms // 1000, allowed)
    except Exception as error:  # noqa: BLE001  one URL that cannot be told keeps none of the others from being told
        told = str(error) if isinstance(error, RefusedError | SettingsError) else type(error).__name__
        LOG.warning("webhook %s was not told: %s", mine.id, told)
        webhooks.failed(store, mine, told, now_ms)
        return False
    return webhooks.delivered(store, mine, mine.since if page.cursor else page.revision, page.cursor)


def _batch(mine: Webhook, wanted: list[Change]) -> str:
    """The same for every attempt at the same batch, by which its receiver knows a repeat; a batch to which more has
    come meanwhile is another one."""
    told = "\n".join(_id(one) for one in wanted)
    return f"{mine.id}.{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _id(change: Change) -> str:
    return f"{change.revision} {change.kind} {' '.join(change.id)}"


def event(change: Change) -> dict[str, Any]:
    """A change as a CloudEvent."""
    kind, happened, subject = change.kind, "deleted" if change.deleted else "changed", " ".join(change.id)
    if change.kept is not None:
        kind, happened = change.kept.kind, HAPPENED.get(change.kept.transition, "moved")
        subject = change.kept.number
    told: dict[str, Any] = {
        "specversion": "1.0", "id": _id(change), "source": "/api/v1/changes",
        "type": f"cmdb.{kind}.{happened}", "subject": subject,
        "datacontenttype": "application/json",
        "data": {"revision": change.revision, "kind": change.kind, "id": list(change.id), "deleted": change.deleted,
                 "cause": asdict(change.cause)},
    }  # fmt: skip
    if change.kept is not None:
        told["data"]["kept"] = asdict(change.kept)
    at = change.cause.recorded_at
    return told if at is None else {**told, "time": datetime.fromtimestamp(at / 1000, UTC).isoformat()}
