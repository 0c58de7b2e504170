"""One projection's memory for all processes of an installation: who writes its snapshot when, and who takes which.

A snapshot is taken only where the store itself vouches for its name. It does so in a revision after the snapshot's own,
so a store that was restored from before knows nothing of it, and one that knows of it holds the history that it is from:
whatever the store says since is in its change feed. The name is a digest of all contents, so nothing else need be trusted.
"""

from __future__ import annotations

import ctypes
import logging
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Protocol

from cmdb_server.projection import snapshot
from cmdb_server.projection.attributes import MOST
from cmdb_server.projection.columns import Room, Rows
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Rules
from cmdb_server.projection.snapshot import Snapshot
from cmdb_server.store import array_files
from cmdb_server.store.array_files import DamagedError, Turn
from cmdb_server.store.bounds import HISTORY, bound
from cmdb_server.store.port import Reading, Store, Writing
from cmdb_server.store.tables import SNAPSHOT

LOG = logging.getLogger(__name__)
WORTH = 10_000
"""Fewer CIs than these are projected anew faster than anything can be shared."""
GROWN = 0.01
"""A share of rows: once so much is private, or has to be followed by whoever starts, a new snapshot pays."""
EVERY_S = 300.0
"""A process thinks of a new snapshot, or of taking another's, at most so often."""
PATIENCE_S = 120.0
"""How long one that starts waits for another that is projecting the same, before it does so itself."""
DAY_MS = 86_400_000
FORGOTTEN_MS = 30 * DAY_MS
"""After so long the store no longer vouches for what another machine may have had."""


class Host(Protocol):
    """What goes on from a snapshot, and has what one is made of."""

    def state(self) -> Snapshot:
        """What is to be kept, at the store's newest revision."""

    def adopt(self, found: Snapshot) -> bool:
        """Go on from this one, of whatever revision it is; False when that cannot be."""

    def held(self) -> frozenset[Hashable]:
        """The names of the columns that one would have."""


@dataclass(frozen=True, slots=True)
class _Base:
    """Of the snapshot that a process goes on from, what tells how far it has gone."""

    rules: Rules
    rooms: list[Room]
    rows: int
    held: frozenset[Hashable]


class Sharing:
    """One process's part in it, for all of its threads; ``folder`` is that of one store and made when it is needed.

    Nobody who asks waits for a snapshot to be written: a thread of its own does that. ``worth``: from how many CIs on.
    """

    def __init__(self, store: Store, folder: Path, *, worth: int = WORTH, every_s: float = EVERY_S) -> None:
        self.store, self.folder = store, folder
        self.worth, self.every_s = worth, every_s
        self.name = ""
        self._base: _Base | None = None
        self._seen: Projection | None = None
        self._next = 0.0
        self._busy = Lock()

    def first(self, rules: Rules, size: int, make: Callable[[], Projection], host: Host) -> Snapshot:
        """The newest snapshot there is, else what ``make`` gives. Of processes that start at once with no snapshot one
        makes it and the others wait for that. ``size``: how many CIs there are."""
        if size < self.worth:
            return Snapshot(make())
        found, turn = self._newest(rules), None
        if found is None:
            turn = self._turn()
            found = self._newest(rules) if turn else None
        try:
            made = self._based(*found) if found else Snapshot(make())
            if turn and not found and self._busy.acquire(blocking=False):
                self._begin(rules, host, turn)
                turn = None
        finally:
            _end(turn)
        return made

    def follow(self, newest: Projection, host: Host) -> None:
        """Told of every projection that is answered from: see to it now and then, beside the answers, that its memory is
        shared."""
        if newest is self._seen or time.monotonic() < self._next or not self._busy.acquire(blocking=False):
            return
        self._seen = newest
        if not self._pays(newest, host.held()):
            self._busy.release()
            return
        self._begin(newest.rules, host, None)

    def _begin(self, rules: Rules, host: Host, turn: Turn | None) -> None:
        self._next = time.monotonic() + self.every_s
        Thread(target=self._share, args=(rules, host, turn), name="sharing", daemon=True).start()

    def _pays(self, newest: Projection, held: frozenset[Hashable]) -> bool:
        if len(newest) < self.worth:
            return False
        base = self._base
        if base is None or base.rules is not newest.rules or (len(base.held) < MOST and held - base.held):
            return True
        tables = _tables(newest)
        if any(now.room is not then for now, then in zip(tables, base.rooms, strict=True)):
            return True
        more = sum(map(len, tables)) - base.rows + len(newest.names.changed) + len(newest.index.added)
        return more > GROWN * base.rows

    def _share(self, rules: Rules, host: Host, turn: Turn | None) -> None:
        try:
            turn = turn or self._turn()
            if turn is None:
                return
            found = self._newest(rules)
            if found is None or found[0] == self.name:
                self._keep(host.state())
                found = self._newest(rules)
            _end(turn)
            if found is not None and host.adopt(found[1]):
                self._based(*found)
                _give_back()
        except Exception:
            LOG.exception("the projection's memory stays this process's own")
        finally:
            _end(turn)
            self._busy.release()

    def _based(self, name: str, found: Snapshot) -> Snapshot:
        base = found.projection
        LOG.info("going on from the projection of revision %d in %s", base.revision, name[:12])
        tables = _tables(base)
        self.name, self._base = name, _Base(
            base.rules, [one.room for one in tables], sum(map(len, tables)),
            found.columns.names() if found.columns else frozenset(),
        )  # fmt: skip
        return found

    def _newest(self, rules: Rules) -> tuple[str, Snapshot] | None:
        """(its name, the snapshot) that the store vouches for."""
        there = array_files.there(self.folder)
        for name in self.store.read(_vouched) if there else ():
            if name not in there:
                continue
            try:
                found = snapshot.opened(self.folder, name, rules)
            except FileNotFoundError:  # a newer one has just taken its place
                continue
            except (DamagedError, OSError) as error:
                LOG.warning("a snapshot of the projection is left out: %s", error)
                continue
            if found is not None:
                return name, found
        return None

    def _keep(self, kept: Snapshot) -> None:
        """Write a snapshot, have the store vouch for it, and take away what it takes the place of."""
        try:
            name = snapshot.write(self.folder, kept)
        except OSError as error:
            LOG.warning("no snapshot of the projection is kept: %s", error)
            return
        old, revision = array_files.there(self.folder) - {name}, kept.projection.revision

        def work(tx: Writing) -> bool:
            # A store that is not past this revision by more than this one is another than was projected.
            if tx.revision <= revision:
                return False
            late = [row[0] for row in tx.scan(SNAPSHOT) if row[0] in old or row[2] < _now_ms() - FORGOTTEN_MS]
            tx.delete(SNAPSHOT, [(one,) for one in late])
            tx.put(SNAPSHOT, [(name, revision, _now_ms())])
            return True

        try:
            vouched = self.store.write(work)
        except BaseException:
            array_files.remove(self.folder, name)
            raise
        for one in old if vouched else {name}:
            array_files.remove(self.folder, one)
        array_files.sweep(self.folder, {name})

    def _turn(self) -> Turn | None:
        try:
            return Turn.of(self.folder, PATIENCE_S)
        except OSError as error:
            LOG.warning("no snapshot of the projection is kept: %s", error)
            return None


def _end(turn: Turn | None) -> None:
    if turn is not None:
        turn.end()


def _tables(projection: Projection) -> list[Rows]:
    return [getattr(projection, name) for name in snapshot.TABLES]


def _give_back() -> None:
    """Let the system have what building took and nobody uses any more, where the C library knows how (glibc)."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _vouched(reading: Reading) -> list[str]:
    """The names of the snapshots that this store is the history of, newest first."""
    first = bound(reading, HISTORY).told.get("feed", 0)
    rows = [row for row in reading.scan(SNAPSHOT) if first <= row[1] < reading.revision]
    return [row[0] for row in sorted(rows, key=lambda row: (row[1], row[2]), reverse=True)]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
