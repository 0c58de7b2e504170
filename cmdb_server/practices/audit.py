"""Who did what, when: one list of all that people did through the API.

The line of a deed is written in the deed's own transaction, so that neither stands without the other; whoever writes
has nothing to remember (``Witnessed``). What is known only when the deed is answered is added to its line then.

Why they did it stands with what they did: with a decision, an entry, a change. A line here names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from cmdb_server.store.port import Key, Reading, Row, Store, Writing
from cmdb_server.store.tables import ACT

T = TypeVar("T")
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


class Witnessed:
    """A store in which whoever writes leaves a line. ``doing``: what is being done at the moment, or None where nobody
    does anything (a job's work is no person's). A deed of several transactions has the line of the first; what is
    rolled back, as everything that is only tried, has none."""

    def __init__(self, store: Store, doing: Callable[[], Act | None]) -> None:
        self._store, self._doing = store, doing

    def read(self, work: Callable[[Reading], T]) -> T:
        return self._store.read(work)

    def write(self, work: Callable[[Writing], T]) -> T:
        act = self._doing()
        if act is None:
            return self._store.write(work)

        def witnessed(tx: Writing) -> T:
            outcome = work(tx)
            append(tx, act)
            return outcome

        return self._store.write(witnessed)

    def revision(self) -> int:
        return self._store.revision()

    def durable_revision(self) -> int:
        return self._store.durable_revision()

    def close(self) -> None:
        self._store.close()


def append(tx: Writing, act: Act) -> None:
    """Add a line, under the transaction's revision; one that is there stays as it is."""
    tx.insert(ACT, [_row(replace(act, revision=tx.revision))])


def complete(store: Store, act: Act) -> None:
    """Add what the answer told to the line of a deed, if there is one: one that wrote nothing has none."""

    def line(tx: Reading) -> Act | None:
        found = tx.get(ACT, [_key(act)]).get(_key(act))
        return None if found is None else replace(act, revision=_act(found).revision)

    def work(tx: Writing) -> None:
        found = line(tx)
        if found is not None:
            tx.put(ACT, [_row(found)])

    if store.read(line) is not None:
        store.write(work)


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


def _key(act: Act) -> Key:
    return (-act.at, act.id)


def _row(act: Act) -> Row:
    detail = dict(act.detail)
    return (*_key(act), act.subject, act.role, act.action, act.thing, act.revision, detail, act.request)


def _act(row: Row) -> Act:
    back, id_, subject, role, action, thing, revision, detail, request = row
    return Act(id_, -back, subject, role, action, thing, revision, detail, request)
