"""Whose a record that proves nothing was, when: an address that one host held and then another has its history with each
for its time.

A record's membership tells whose it is now. Where that was another's before, the record's facts tell since when it was
whose, in both times like everything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from cmdb_server.ingest.batch import Batch
from cmdb_server.ingest.courses import Course, corrections, courses
from cmdb_server.model.attachment import at_place, beyond, owners, tenures
from cmdb_server.model.decisions import Decision
from cmdb_server.model.identity import Resolution
from cmdb_server.store import tables
from cmdb_server.store.port import Reading

TENURE = "@ci"
"""The attribute of a record's facts that names whose it was since then, by any of the CI's ids; none: by membership."""
HELD = "held"
"""The kind of the index under which a CI's id finds the records that were once its own."""


def courses_of(
    resolution: Resolution, ci_of: Mapping[str, str], decisions: Sequence[Decision], doubtful: Collection[str]
) -> dict[str, Course]:
    """Record -> whose it was since when, for all of a component that several CIs may have held in turn; empty where
    one always did. ``doubtful``: records once found to prove nothing. What people tied together stays so."""
    views, weak = resolution.records, resolution.weak
    if len(views) < 2:
        return {}
    splits = [decision.sides for decision in decisions if decision.verb == "split"]
    tied = {id_ for decision in decisions if decision.verb == "merge" for side in decision.sides for id_ in side}
    kept = {id_ for group in resolution.groups if not tied.isdisjoint(group) for id_ in group}
    proofs = [view for id_, view in views.items() if id_ not in weak]
    found: dict[str, Course] = {}
    for view in (views[id_] for id_ in sorted({*weak, *doubtful}) if id_ in views and not views[id_].declared):
        there = beyond(view, at_place(view, proofs), splits) if view.id in weak and view.id not in kept else []
        found[view.id] = [*tenures(owners(view, there), ci_of)]
    return found


def follow(batch: Batch, wanted: Mapping[str, Course]) -> None:
    """Write whose these records were, where that differs from what stands."""
    if not wanted:
        return
    keys = [(id_, TENURE) for id_ in sorted(wanted)]
    known = courses([*batch.tx.find(tables.FACT, ("record", "attribute"), keys), *batch.said(wanted, TENURE)], 4)
    entries = []
    for record, course in wanted.items():
        stands = known.get((record, TENURE), {})
        told: Course = [*course]
        if stands and (not told or told[0][0] > min(stands)):
            told.insert(0, (min(stands), None))
        for at, ci in corrections(stands, told):
            batch.fact(record, TENURE, at, ci)
            if ci is not None:
                entries.append((HELD, ci, record, 0, None))
    batch.tx.put(tables.IDENTIFIER, entries)


def once_of(tx: Reading, ids: Iterable[str]) -> set[str]:
    """The records that were once a CI's, by any of its ids: all of them and perhaps some more."""
    return {row[2] for row in tx.find(tables.IDENTIFIER, ("kind", "value"), [(HELD, id_) for id_ in ids])}


def known(tx: Reading, records: Iterable[str], revision: int | None = None) -> dict[str, Course]:
    """Record -> whose it was since when, as known at ``revision`` (None: now), for those that were several CIs'."""
    rows = tx.find(tables.FACT, ("record", "attribute"), [(id_, TENURE) for id_ in sorted(records)])
    told = courses([row for row in rows if revision is None or row[3] <= revision], 4)
    return {record: sorted(course.items()) for (record, _), course in told.items()}


def holder(course: Course, at: int) -> str | None:
    """Whose it was at ``at`` (ms), by one of the CI's ids; None: the membership tells."""
    return next((ci for since, ci in reversed(course) if since <= at), None)
