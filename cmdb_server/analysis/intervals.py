"""Impact over a stretch of time: who is down or degraded from when to when while failures begin and end.

Times are ms since 1970 UTC and spans half open, an end of None being none. Between two edges of spans nothing changes:
the answer of such a piece is computed once for each set of failed CIs, on the graph as it is by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cmdb_server.analysis.apart import Apart, Cause, Causes, States
from cmdb_server.analysis.impact import Impact
from cmdb_server.errors import Invalid
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Longs
from cmdb_server.projection.edited import Edits, edited
from cmdb_server.projection.projection import GONE, Projection

Span = tuple[int, int | None]
FOREVER = np.iinfo(np.int64).max
"""In columns: no end."""


@dataclass(frozen=True, slots=True)
class Failure:
    """CIs that are down by themselves, or with ``degraded`` degraded, during ``spans``, which may overlap or touch."""

    cis: tuple[int, ...]
    spans: tuple[Span, ...]
    degraded: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A time in which nothing changes. ``causes``: what fails by itself; ``down``, ``degraded``: how many are, those among them."""

    start: int
    end: int | None
    causes: Causes
    down: int
    degraded: int
    graph: Apart

    @property
    def impact(self) -> Impact:
        """The whole answer at ``start``, with its certificate, computed now; where it goes on unchanged on an edited
        graph, that of the graph before."""
        return self.graph.whole(self.causes)

    @property
    def failed(self) -> Longs:
        """Who is down by themselves, ascending."""
        return np.asarray(sorted(down_of(self.causes)), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class OverTime:
    """``pieces`` follow one another without a gap, and no two neighbours are equal. ``ci``, ``state``, ``start``,
    ``end``: when each affected CI is in which state, ascending by CI and start; ``end`` may be ``FOREVER``.
    ``computed``: how many answers that took of the engine."""

    pieces: tuple[Piece, ...]
    ci: Longs
    state: States
    start: Longs
    end: Longs
    computed: int

    def of(self, ci: int, state: State = State.DOWN) -> tuple[Span, ...]:
        """When a CI is in a state."""
        low, high = np.searchsorted(self.ci, (ci, ci + 1))
        rows = np.arange(low, high)[self.state[low:high] == state]
        return tuple(
            (start, None if end == FOREVER else end)
            for start, end in zip(self.start[rows].tolist(), self.end[rows].tolist(), strict=True)
        )


def over_time(
    projection: Projection,
    window: Span,
    failures: Sequence[Failure],
    edits: Iterable[tuple[int, Edits]] = (),
    not_impacted: Iterable[int] = (),
) -> OverTime:
    """Who is affected when, within ``window``. ``edits``: what the graph is expected to be from a time on, each on top
    of the earlier ones; a CI that one removes fails no more. Raises ``Invalid`` for what ends before it begins, and as
    ``impact`` does."""
    _refuse_backward(window, failures)
    going = _Going(projection, window, failures, sorted(edits, key=lambda one: one[0]), list(not_impacted))
    going.go()
    return OverTime(tuple(going.pieces), *going.columns(), going.computed)


def down_of(causes: Causes) -> frozenset[int]:
    """Who is down by themselves."""
    return frozenset(ci for one in causes for ci in one.down)


def _refuse_backward(window: Span, failures: Sequence[Failure]) -> None:
    for path, (start, end) in (
        ("window", window),
        *((f"failures[{n}].spans[{m}]", span) for n, one in enumerate(failures) for m, span in enumerate(one.spans)),
    ):
        if end is not None and end <= start:
            message = "ends before it begins" if end < start else "ends as it begins"
            raise Invalid(f"{path}: {message}", errors=[{"path": path, "message": message}])


@dataclass(slots=True)
class _Going:
    """Edge by edge through the window. ``rows``: (CIs, their state, since when, until when) of states that ended."""

    projection: Projection
    window: Span
    failures: Sequence[Failure]
    edits: Sequence[tuple[int, Edits]]
    not_impacted: list[int]
    pieces: list[Piece] = field(default_factory=list)
    rows: list[tuple[Longs, States, Longs, int]] = field(default_factory=list)
    computed: int = 0
    running: Counter[int] = field(default_factory=Counter)
    causes: dict[int, Cause] = field(default_factory=dict)

    def go(self) -> None:
        edges = self._edges()
        times = sorted(edges)
        size = len(self.projection)
        graph, epoch = Apart(self.projection, self.not_impacted, np.zeros(size, np.uint8)), 0
        since, counts = np.zeros(size, np.int64), np.zeros(3, np.int64)
        for place, time in enumerate(times):
            before, epoch = epoch, self._step(edges[time], epoch)
            for _, one in self.edits[before:epoch]:
                self.computed += graph.computed
                graph = Apart(edited(graph.graph, one), self.not_impacted, graph.told)
                self.causes = {}
            causes = self._causes(graph.graph)
            changed, was, now = graph.go(causes)
            self._note(changed[was > 0], was[was > 0], since, time)
            since[changed] = time
            counts += np.bincount(now, minlength=3) - np.bincount(was, minlength=3)
            end = times[place + 1] if place + 1 < len(times) else self.window[1]
            self._piece(Piece(time, end, causes, int(counts[2]), int(counts[1]), graph), len(changed) > 0)
        self.computed += graph.computed
        left = np.flatnonzero(graph.told)
        self._note(left, graph.told[left], since, FOREVER if self.window[1] is None else self.window[1])

    def columns(self) -> tuple[Longs, States, Longs, Longs]:
        """(CI, state, start, end), ascending by CI and start."""
        ci, state, start = (np.concatenate(column) for column in list(zip(*self.rows, strict=True))[:3])
        end = np.repeat(np.asarray([row[3] for row in self.rows], np.int64), [len(row[0]) for row in self.rows])
        order = np.lexsort((start, ci))
        return ci[order], state[order], start[order], end[order]

    def _note(self, ci: Longs, state: States, since: Longs, end: int) -> None:
        self.rows.append((ci, state, since[ci], end))

    def _piece(self, piece: Piece, changed: bool) -> None:
        """An equal neighbour only goes on."""
        last = self.pieces[-1] if self.pieces else None
        if last is not None and not changed and down_of(last.causes) == down_of(piece.causes):
            self.pieces[-1] = replace(last, end=piece.end)
        else:
            self.pieces.append(piece)

    def _edges(self) -> dict[int, list[tuple[int, int]]]:
        """Time within the window -> (failure or -1 for the next edit, by how much its running spans grow)."""
        start, end = self.window
        edges: dict[int, list[tuple[int, int]]] = {start: []}
        for number, failure in enumerate(self.failures):
            for begin, finish in failure.spans:
                if (end is None or begin < end) and (finish is None or finish > start):
                    edges.setdefault(max(begin, start), []).append((number, 1))
                    if finish is not None and (end is None or finish < end):
                        edges.setdefault(finish, []).append((number, -1))
        for at, _ in self.edits:
            if end is None or at < end:
                edges.setdefault(max(at, start), []).append((-1, 1))
        return edges

    def _step(self, steps: list[tuple[int, int]], epoch: int) -> int:
        for number, step in steps:
            if number < 0:
                epoch += 1
            else:
                self.running[number] += step
        self.running = +self.running
        return epoch

    def _causes(self, graph: Projection) -> Causes:
        """What fails now, without those who are gone."""
        found = (self._cause(graph, number) for number in self.running)
        return frozenset(one for one in found if one.down or one.limping)

    def _cause(self, graph: Projection, number: int) -> Cause:
        known = self.causes.get(number)
        if known is None:
            failure = self.failures[number]
            cis = frozenset(ci for ci in failure.cis if graph.ended_at[ci] != GONE)
            known = Cause(frozenset(), cis) if failure.degraded else Cause(cis, frozenset())
            self.causes[number] = known
        return known
