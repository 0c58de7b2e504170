"""What a viewer may see: the CIs that a selector fits for certain, each component with the thing that it is part of.

What a CI is now decides, in answers about the past too: whoever may see a CI may see its past, and whoever may not
sees nothing of it. One that is no more is judged by what it was in the graph that is asked.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cmdb_schemas.ci_class import CIClass
from cmdb_server.answers.history import Graph
from cmdb_server.answers.lives import Lives
from cmdb_server.answers.selected import SCAN, Selected, selected
from cmdb_server.ingest.declare import resolve_all
from cmdb_server.model.selector_tree import Related, parts
from cmdb_server.practices.kind import Kind
from cmdb_server.practices.kind_files import kinds as kept_kinds
from cmdb_server.projection.attributes import continues
from cmdb_server.projection.columns import Bools, Longs
from cmdb_server.projection.feed import changed
from cmdb_server.projection.identities import Index
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.selection import candidates
from cmdb_server.store import tables
from cmdb_server.store.bounds import HISTORY, bound
from cmdb_server.store.port import Reading, Row

HIDDEN = "hidden"
MOST = 64
"""Policies whose masks are kept; those not asked for longest go first."""
REFRESH_MS = 300_000
"""For so long what a CI was found to be is relied on, while no revision touches the graph: it may age meanwhile."""
DEEPEST = 32
PARENT = tables.CI.position("parent")
Rows = Callable[[Collection[str]], Mapping[str, Row]]
UNASKED = -1
FEW, OFTEN = 50, 5
"""So many CIs, in so many questions, are looked up in less time than it takes to bring what is known forward."""


def is_token(id_: str) -> bool:
    """Whether it stands for a CI that is not seen."""
    return id_.startswith(f"{HIDDEN}-")


@dataclass(frozen=True, slots=True)
class Mask:
    """What is known of one revision, by number of the projection: 1 seen, 0 not, -1 not asked yet, which is filled in.
    ``may``: who may fit at all, None where that is not known. ``at``: since when (ms) something of it is known."""

    revision: int
    index: Index
    at: int
    seen: npt.NDArray[np.int8]
    may: Bools | None


@dataclass(slots=True)
class Sight:
    """The CIs that ``selected`` fits. ``kept``: the kinds of things that people keep; ``secret`` keys the tokens that
    stand for CIs that are not seen."""

    selected: Selected
    kinds: Mapping[str, CIClass]
    kept: Mapping[str, Kind]
    secret: bytes
    _lock: Lock = field(default_factory=Lock)
    _mask: Mask | None = None

    @property
    def projections(self) -> Projections:
        return self.selected.projections

    def token(self, id_: str) -> str:
        """What stands for a CI that is not seen: the same as long as the server runs, and nothing can be told from it."""
        return f"{HIDDEN}-{hashlib.blake2b(id_.encode(), key=self.secret, digest_size=8).hexdigest()}"

    def fitting(self, tx: Reading, ids: Iterable[str], now: int, may: Callable[[str], bool] | None = None) -> set[str]:
        """Those of ``ids`` that are in the store and seen, by its rows. ``now``: ms. ``may``: what is known to be needed."""

        def rows(some: Collection[str]) -> Mapping[str, Row]:
            return {key[0]: row for key, row in tx.get(tables.CI, [(id_,) for id_ in some]).items()}

        return self._held(tx, tops(ids, rows), Lives(tx, now, self.kinds), None, now, may)

    def fitting_then(self, tx: Reading, graph: Graph, ids: Iterable[str], now: int) -> set[str]:
        """The same of a graph of the past, by what was so then."""

        def rows(some: Collection[str]) -> Mapping[str, Row]:
            return {id_: graph.cis[id_] for id_ in some if id_ in graph.cis}

        return self._held(tx, tops(ids, rows), Lives(tx, now, self.kinds, graph), graph, now, None)

    def _held(
        self, tx: Reading, top: Mapping[str, Row], lives: Lives, graph: Graph | None, now: int,
        may: Callable[[str], bool] | None,
    ) -> set[str]:  # fmt: skip
        rows = list({row[0]: row for row in top.values() if may is None or may(row[0])}.values())
        fit: set[str] = set()
        for start in range(0, len(rows), SCAN):
            some: Sequence[Row] = rows[start : start + SCAN]
            fit.update(row[0] for row in self.selected.holding(tx, some, lives, graph, now))
        return {id_ for id_, row in top.items() if row[0] in fit}

    def mask(self, tx: Reading, projection: Projection, now: int) -> Mask:
        """What is known at the revision of ``tx``, which is the projection's. What no change touched since it was found
        out is still known."""
        with self._lock:
            held = self._mask if self._mask is not None and abs(now - self._mask.at) <= REFRESH_MS else None
            if held is not None and (held.revision, held.index) == (projection.revision, projection.index):
                return held
            may = candidates(self.projections.attributes, projection, tx, self.selected.selector.tree, now)
            seen, at = np.full(len(projection), UNASKED, np.int8), now
            if held is not None and self._follows(tx, projection, held):
                seen[: len(held.seen)], at = held.seen, held.at
                numbers = _numbers(projection, self._touched(tx, held.revision))
                seen[numbers[numbers >= 0]] = UNASKED
            self._mask = Mask(projection.revision, projection.index, at, seen, may)
            return self._mask

    def _follows(self, tx: Reading, projection: Projection, held: Mask) -> bool:
        """Whether the feed tells all that may have changed: what others are to a CI does not stand there by it."""
        related = any(isinstance(part, Related) for part in parts(self.selected.selector.tree))
        reaches = bound(tx, HISTORY).told.get("feed", 0) <= held.revision <= projection.revision
        return not related and reaches and continues(held.index, projection.index)

    def _touched(self, tx: Reading, since: int) -> list[str]:
        """The CIs that changed after a revision, and all their parts."""
        touched = set(changed(since, tx)[0])
        above = touched
        while above := {row[0] for row in tx.find(tables.CI, ("parent",), [(id_,) for id_ in above])} - touched:
            touched |= above
        return list(touched)


def tops(ids: Iterable[str], rows: Rows) -> dict[str, Row]:
    """By id the row of the thing that a CI is part of, or its own where it is part of none. Who is not there, or is part
    of what is not, is left out."""
    top = dict(rows(set(ids)))
    for _ in range(DEEPEST):
        above = {row[PARENT] for row in top.values() if row[PARENT]}
        if not above:
            return top
        there = rows(above)
        top = {
            id_: there[row[PARENT]] if row[PARENT] else row
            for id_, row in top.items()
            if not row[PARENT] or row[PARENT] in there
        }
    return {id_: row for id_, row in top.items() if not row[PARENT]}


class Eyes(Protocol):
    """What one viewer sees of one state of the graph."""

    def sees(self, ids: Iterable[str]) -> set[str]:
        """Those of ``ids`` that are there and seen."""

    def unseen(self, projection: Projection, cis: Longs) -> Bools:
        """Which of a projection's CIs are not."""

    def token(self, id_: str) -> str:
        """What stands for a CI that is not."""


class Now:
    """The present state, as ``tx`` has it: all of it, whoever looks."""

    def __init__(self, sight: Sight, tx: Reading) -> None:
        self.sight, self._tx, self._now = sight, tx, sight.projections.clock()
        self._told: dict[str, bool] = {}
        self._known: tuple[Projection, Mask] | None = None
        self._asked = 0

    def token(self, id_: str) -> str:
        return self.sight.token(id_)

    def sees(self, ids: Iterable[str]) -> set[str]:
        asked = set(ids)
        new = [id_ for id_ in asked if id_ not in self._told]
        if new:
            seen = self._look(new)
            self._told.update({id_: id_ in seen for id_ in new})
        return {id_ for id_ in asked if self._told[id_]}

    def unseen(self, projection: Projection, cis: Longs) -> Bools:
        """By number where the mask numbers them alike: ids of many CIs cost more than what is asked of them."""
        known = self._mask() if len(cis) > FEW else None
        if known is None or known[1].index is not projection.index:
            return _unseen(self, projection, cis)
        unasked = cis[known[1].seen[cis] == UNASKED]
        if len(unasked):
            self._ask(*known, np.unique(unasked))
        unseen: Bools = known[1].seen[cis] != 1
        return unseen

    def _mask(self) -> tuple[Projection, Mask] | None:
        """What is known of this revision, where the projection is of it."""
        if self._known is None:
            projection = self.sight.projections.current(self._tx)
            if projection.revision == self._tx.revision:
                self._known = projection, self.sight.mask(self._tx, projection, self._now)
        return self._known

    def _look(self, ids: list[str]) -> set[str]:
        """A few by themselves; more by the mask, where the projection is of this revision."""
        self._asked += 1
        known = self._mask() if len(self._told) + len(ids) > FEW or self._asked > OFTEN else self._known
        if known is None:
            return self.sight.fitting(self._tx, ids, self._now)
        projection, mask = known
        numbers = _numbers(projection, ids)
        there = numbers[numbers >= 0]
        unasked = there[mask.seen[there] == UNASKED]
        if len(unasked):
            self._ask(projection, mask, unasked)
        return {
            id_ for id_, number in zip(ids, numbers.tolist(), strict=True) if number >= 0 and mask.seen[number] == 1
        }

    def _ask(self, projection: Projection, mask: Mask, cis: Longs) -> None:
        """Find out of these, and keep it."""
        ids = [projection.id(ci) for ci in cis.tolist()]
        found = self.sight.fitting(self._tx, ids, self._now, lambda id_: _may(projection, mask, id_))
        mask.seen[cis] = np.fromiter((id_ in found for id_ in ids), np.int8, len(ids))


class Then:
    """A graph of the past. Who is there now is seen if it is seen now."""

    def __init__(self, sight: Sight, tx: Reading, graph: Graph, now: int) -> None:
        self.sight, self._tx, self._graph, self._now = sight, tx, graph, now
        self._present = Now(sight, tx)
        self._told: dict[str, bool] = {}

    def token(self, id_: str) -> str:
        return self.sight.token(id_)

    def sees(self, ids: Iterable[str]) -> set[str]:
        asked = set(ids)
        new = asked - self._told.keys()
        if new:
            living = resolve_all(self._tx, new)
            seen = self._present.sees(living.values())
            past = self.sight.fitting_then(self._tx, self._graph, new - living.keys(), self._now)
            self._told.update({id_: living[id_] in seen if id_ in living else id_ in past for id_ in new})
        return {id_ for id_ in asked if self._told[id_]}

    def unseen(self, projection: Projection, cis: Longs) -> Bools:
        return _unseen(self, projection, cis)


class Sights:
    """The policies in use, for all threads of a process: each is read once, and keeps what was found out by it. ``secret``
    keys the tokens: the same for all processes of a server, so that pages which each of them gives follow one another."""

    def __init__(
        self, projections: Projections, kinds: Mapping[str, CIClass], kept: Mapping[str, Kind] | None = None,
        secret: bytes | None = None,
    ) -> None:  # fmt: skip
        self._projections, self._kinds, self._kept = projections, kinds, kept or kept_kinds()
        self._secret, self._lock = secret or secrets.token_bytes(32), Lock()
        self._held: OrderedDict[str, Sight] = OrderedDict()

    def of(self, text: str | None) -> Sight | None:
        """What one sees who sees ``text``; None: everything. Raises SelectorError, which names the column."""
        if text is None:
            return None
        with self._lock:
            found = self._held.pop(text, None)
        found = found or self._read(text)
        with self._lock:
            self._held[text] = found
            while len(self._held) > MOST:
                self._held.popitem(last=False)
        return found

    def _read(self, text: str) -> Sight:
        own = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._secret, digest_size=32).digest()
        return Sight(selected(text, self._projections, self._kinds), self._kinds, self._kept, own)


def _unseen(eyes: Eyes, projection: Projection, cis: Longs) -> Bools:
    ids = [projection.id(ci) for ci in cis.tolist()]
    seen = eyes.sees(ids)
    return np.fromiter((id_ not in seen for id_ in ids), bool, len(ids))


def _may(projection: Projection, mask: Mask, id_: str) -> bool:
    number = int(_numbers(projection, [id_])[0])
    return mask.may is None or number < 0 or bool(mask.may[number])


def _numbers(projection: Projection, ids: Sequence[str]) -> Longs:
    """-1 for what is none of its CIs."""
    try:
        return projection.index.find(ids)
    except ValueError:
        if len(ids) == 1:
            return np.asarray([-1], np.int64)
        return np.concatenate([_numbers(projection, [id_]) for id_ in ids])
