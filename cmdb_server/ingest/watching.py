"""What a lane is to look at again at its next report, even if the bytes are the same: a report that repeats the last
one is not read, so whatever may yet change by mere repetition is noted here."""

from __future__ import annotations

from collections.abc import Iterable

from cmdb_server.ingest.batch import Batch, Held, Lane

MORE_COMPLETE = 0
"""Due at the next sighting that is more complete."""


def watch(batch: Batch, held: Held) -> None:
    """Read the record at its lane's next report."""
    note(batch, batch.lane(held.scope, held.part), held.id)


def note(batch: Batch, lane: Lane, record: str) -> None:
    """Read the record at this lane's next report."""
    if record not in lane.lost:
        lane.lost.append(record)
        batch.dirty_lanes.add((lane.scope, lane.part))


def await_ends(batch: Batch, held: Held, dues: Iterable[int]) -> None:
    """The record's last sighting lacks parts or claims that another may end: from these times on (ms), 0 for one that
    is more complete; none: it lacks nothing."""
    due = sorted(set(dues))
    for lane in _of_scope(batch, held.scope):
        wanted = due if lane.part == held.part else []
        if lane.pending.get(held.id, []) == wanted:
            continue
        lane.pending.pop(held.id, None)
        if wanted:
            lane.pending[held.id] = wanted
        batch.dirty_lanes.add((lane.scope, lane.part))


def move(batch: Batch, held: Held, part: int) -> None:
    """The record is confirmed by another part of its scope now. Should the former tell of it again, it is to be read."""
    former = batch.lane(held.scope, held.part)
    note(batch, former, held.id)
    dues = former.pending.get(held.id, [])
    held.part = part
    await_ends(batch, held, dues)


def is_due(lane: Lane, at: int) -> bool:
    """Whether a sighting at ``at`` (ms) may end something by its time alone, even if it is the last one's repetition."""
    return any(0 < due < at for dues in lane.pending.values() for due in dues)


def awaiting(batch: Batch, scope: str, at: int) -> set[str]:
    """The records of a scope of which a sighting at ``at`` (ms) may end parts or claims."""
    return {
        id_ for lane in _of_scope(batch, scope) for id_, dues in lane.pending.items() if any(due < at for due in dues)
    }  # fmt: skip


def _of_scope(batch: Batch, scope: str) -> Iterable[Lane]:
    return [lane for (of, _), lane in batch.lanes.items() if of == scope]
