"""A release: its changes as a sequence in time, each on the graph that those before it leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cmdb_server.answers.intervals import Booked, Expected, IntervalsAnswer, intervals
from cmdb_server.answers.seen import as_seen, in_whole
from cmdb_server.answers.told import plain
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.what_if import Edit
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.practices.booked import CHANGE, Booking, Span, booking_of
from cmdb_server.practices.expected import Expectation, expectations
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

RELEASE = "release"
HORIZON = 366 * 86_400_000
_EDITS: Mapping[str, tuple[str, ...]] = {
    "remove": ("ci",), "relate": ("from_", "relation", "to", "group", "weight"), "unrelate": ("from_", "relation", "to"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Placed:
    """A change in a release: from its first moment to its last, None where it has no end; ``late``: it begins before
    the one before it has ended."""

    number: str
    state: str
    summary: str
    start: int
    end: int | None
    late: bool


@dataclass(frozen=True, slots=True)
class ReleaseAnswer:
    """``changes`` in their order; ``impact``: what breaks from when to when, None where nothing is interrupted."""

    number: str
    state: str
    changes: tuple[Placed, ...]
    impact: IntervalsAnswer | None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        told: dict[str, Any] = plain(asdict(self))
        return told


def release(projections: Projections, viewer: Viewer, number: str) -> ReleaseAnswer:
    """Assess a release. Raises NotFound, Invalid where a change's windows are over or it names what is no change."""
    kept, booked = as_seen(projections.store, viewer).read(lambda tx: _read(tx, projections, number))
    placed = tuple(_placed(booked))
    spans = [span for one in booked for span in one.spans]
    end = None if any(one[1] is None for one in spans) else max(one[1] for one in spans if one[1] is not None)
    window: Span = min(one[0] for one in spans), end
    failures = [Booked(one.cis, one.spans) for one in booked if one.cis and not one.degraded]
    later = [
        Expected(_last(one.spans) or window[0], edits)
        for one in booked
        if _last(one.spans) is not None and (edits := tuple(_edits(expectations(one.thing.body.get("expected", ())))))
    ]
    found = intervals(projections, viewer, window, failures, later) if failures else None
    return ReleaseAnswer(kept.number, kept.state, placed, found)


def _read(tx: Reading, projections: Projections, number: str) -> tuple[Kept, list[Booking]]:
    kept, now = in_whole(tx, number), projections.clock()
    if kept.kind != RELEASE:
        raise NotFound(f"there is no release {number}")
    booked = []
    for place, name in enumerate(kept.body["changes"]):
        change = in_whole(tx, name)
        path = f"body.changes[{place}]"
        if change.kind != CHANGE:
            raise Invalid(f"{path}: {name} is no change", errors=[{"path": path, "message": "is no change"}])
        one = booking_of(change, (now, now + HORIZON), now)
        if not one.spans:
            raise Invalid(f"{path}: {name} has no time to come", errors=[{"path": path, "message": "is over"}])
        booked.append(one)
    return kept, booked


def _placed(booked: Iterable[Booking]) -> Iterator[Placed]:
    before: int | None = 0
    for one in booked:
        start, end = one.spans[0][0], _last(one.spans)
        late = before is None or start < before
        yield Placed(one.number, one.thing.state, str(one.thing.body.get("summary", "")), start, end, late)
        before = None if before is None or end is None else max(before, end)


def _last(spans: Iterable[Span]) -> int | None:
    ends = [end for _, end in spans]
    return None if None in ends else max(end for end in ends if end is not None)


def _edits(told: Iterable[Expectation]) -> Iterator[Edit]:
    """Those that change what breaks."""
    for one in told:
        if one.edit in _EDITS:
            yield Edit(one.edit, **{name: getattr(one, name) or None for name in _EDITS[one.edit]})
        elif one.edit == "set" and one.attribute == "gate" and not one.any_value:
            yield Edit("gate", ci=one.ci, gate=one.value)
