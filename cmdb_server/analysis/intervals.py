"""Impact over a stretch of time: who is down or degraded from when to when while failures begin and end.

Times are ms since 1970 UTC and spans half open, an end of None being none. Between two edges of spans nothing changes:
the answer of such a piece is computed once for each set of failed CIs, on the graph as it is by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cmdb_server.analysis.impact import Impact, impact
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
    """A time in which nothing changes. ``impact``: the answer at ``start``, with its certificate; where it goes on
    unchanged on an edited graph, that of the graph before."""

    start: int
    end: int | None
    impact: Impact


@dataclass(frozen=True, slots=True, eq=False)
class OverTime:
    """``pieces`` follow one another without a gap, and no two neighbours are equal. ``ci``, ``state``, ``start``,
    ``end``: when each affected CI is in which state, ascending by CI and start; ``end`` may be ``FOREVER``.
    ``computed``: how many answers that took."""

    pieces: tuple[Piece, ...]
    ci: Longs
    state: npt.NDArray[np.uint8]
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
    answering = _Answering(projection, window, failures, sorted(edits, key=lambda one: one[0]), list(not_impacted))
    pieces = tuple(_merged(answering.pieces()))
    return OverTime(pieces, *_columns(len(projection), pieces), len(answering.known))


def _refuse_backward(window: Span, failures: Sequence[Failure]) -> None:
    for path, (start, end) in (
        ("window", window),
        *((f"failures[{n}].spans[{m}]", span) for n, one in enumerate(failures) for m, span in enumerate(one.spans)),
    ):
        if end is not None and end <= start:
            message = "ends before it begins" if end < start else "ends as it begins"
            raise Invalid(f"{path}: {message}", errors=[{"path": path, "message": message}])


@dataclass(slots=True)
class _Answering:
    projection: Projection
    window: Span
    failures: Sequence[Failure]
    edits: Sequence[tuple[int, Edits]]
    not_impacted: list[int]
    known: dict[tuple[int, frozenset[int], frozenset[int]], Impact] = field(default_factory=dict)
    spans: Counter[int] = field(default_factory=Counter)

    def pieces(self) -> Iterator[Piece]:
        """Edge by edge."""
        edges = self._edges()
        times = sorted(edges)
        graph, epoch = self.projection, 0
        for place, time in enumerate(times):
            before, epoch = epoch, self._go(edges[time], epoch)
            for _, one in self.edits[before:epoch]:
                graph = edited(graph, one)
            end = times[place + 1] if place + 1 < len(times) else self.window[1]
            yield Piece(time, end, self._answer(graph, epoch))

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

    def _go(self, steps: list[tuple[int, int]], epoch: int) -> int:
        for number, step in steps:
            if number < 0:
                epoch += 1
            else:
                self.spans[number] += step
        return epoch

    def _answer(self, graph: Projection, epoch: int) -> Impact:
        active = [self.failures[number] for number, running in self.spans.items() if running > 0]
        down, limping = (
            frozenset(ci for one in active if one.degraded is soft for ci in one.cis if graph.ended_at[ci] != GONE)
            for soft in (False, True)
        )
        key = epoch, down, limping
        if key not in self.known:
            self.known[key] = impact(graph, down, self.not_impacted, limping - down)
        return self.known[key]


def _merged(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Equal neighbours as one."""
    held: Piece | None = None
    for piece in pieces:
        if held is None:
            held = piece
        elif _same(held.impact, piece.impact):
            held = Piece(held.start, piece.end, held.impact)
        else:
            yield held
            held = piece
    if held is not None:
        yield held


def _same(one: Impact, other: Impact) -> bool:
    """Whether the same CIs failed, and the same are in the same states."""
    if one is other:
        return True
    if len(one.ci) != len(other.ci) or not np.array_equal(one.failed, other.failed):
        return False
    first, second = np.argsort(one.ci), np.argsort(other.ci)
    return np.array_equal(one.ci[first], other.ci[second]) and np.array_equal(one.state[first], other.state[second])


def _columns(size: int, pieces: Sequence[Piece]) -> tuple[Longs, npt.NDArray[np.uint8], Longs, Longs]:
    """(CI, state, start, end), a state that lasts over several pieces once. Work follows what each piece affects."""
    now, then, since = np.zeros(size, np.uint8), np.zeros(size, np.uint8), np.zeros(size, np.int64)
    before = np.empty(0, np.int64)
    rows: list[tuple[Longs, npt.NDArray[np.uint8], Longs, int]] = []

    def note(ended: Longs, end: int) -> None:
        rows.append((ended, now[ended], since[ended], end))

    for piece in pieces:
        answer = piece.impact
        then[answer.ci] = answer.state
        either = np.concatenate((before, answer.ci))
        changed = np.unique(either[now[either] != then[either]])
        note(changed[now[changed] > 0], piece.start)
        since[changed] = piece.start
        now[before] = 0
        now[answer.ci], then[answer.ci] = answer.state, 0
        before = answer.ci
    last = pieces[-1].end
    note(before, FOREVER if last is None else last)
    ci, state, start = (np.concatenate(column) for column in list(zip(*rows, strict=True))[:3])
    end = np.repeat(np.asarray([row[3] for row in rows], np.int64), [len(row[0]) for row in rows])
    order = np.lexsort((start, ci))
    return ci[order], state[order], start[order], end[order]
