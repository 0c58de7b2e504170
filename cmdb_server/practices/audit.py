"""Who did what, when: one list of all that people did through the API, appended to and never changed.

Why they did it stands with what they did: with a decision, an entry, a change. A row here names it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cmdb_server.store.port import Key, Reading, Row, Store
from cmdb_server.store.tables import ACT

PAGE = 500
PLACE = re.compile(r"-[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did. ``at``: ms. ``action``: resource and verb, such as ``decisions.decide``. ``thing``:
    what it was done to. ``detail``: the words that tell it from others. ``request``: its id in the server's log."""

    id: str
    at: int
    subject: str
    role: str
    action: str
    thing: str
    revision: int
    detail: Mapping[str, Any]
    request: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts: all that fit. ``action``: one, or all of a resource (``decisions``). Times in ms, inclusive."""

    subject: str | None = None
    action: str | None = None
    thing: str | None = None
    since: int | None = None
    until: int | None = None

    def fits(self, act: Act) -> bool:
        named = self.action is None or self.action in (act.action, act.action.partition(".")[0])
        return named and self.subject in (None, act.subject) and self.thing in (None, act.thing)


@dataclass(frozen=True, slots=True)
class Page:
    """Acts, newest first. ``cursor`` continues them; None at their end."""

    items: tuple[Act, ...]
    cursor: str | None


def keep(
    store: Store,
    subject: str,
    role: str,
    action: str,
    thing: str,
    detail: Mapping[str, Any],
    request: str,
    *,
    now_ms: int,
) -> None:
    """Append what somebody did, under the revision that stands now."""
    id_ = str(uuid.uuid4())
    store.write(
        lambda tx: tx.insert(ACT, [(-now_ms, id_, subject, role, action, thing, tx.revision, dict(detail), request)])
    )


def acts(store: Store, wanted: Wanted, cursor: str | None = None, limit: int = 100) -> Page:
    """What fits, newest first."""

    def work(tx: Reading) -> Page:
        found: list[Act] = []
        for act in _from(tx, _start(wanted, cursor)):
            if wanted.since is not None and act.at < wanted.since:
                break
            if wanted.fits(act):
                found.append(act)
            if len(found) > limit:
                break
        last = found[limit - 1] if len(found) > limit else None
        return Page(tuple(found[:limit]), None if last is None else f"{-last.at}.{last.id}")

    return store.read(work)


def _start(wanted: Wanted, cursor: str | None) -> Key | None:
    if cursor is not None:
        back, _, id_ = cursor.partition(".")
        return (-int(back[1:]) if PLACE.fullmatch(back) else 0, id_)
    return None if wanted.until is None else (-wanted.until - 1, "\uffff")


def _from(tx: Reading, after: Key | None) -> Iterator[Act]:
    while rows := tx.scan(ACT, after, PAGE):
        yield from map(_act, rows)
        after = rows[-1][:2]


def _act(row: Row) -> Act:
    back, id_, subject, role, action, thing, revision, detail, request = row
    return Act(id_, -back, subject, role, action, thing, revision, detail, request)
