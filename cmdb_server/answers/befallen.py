"""What befell a CI, and since which revision that is known: since what was borne before and what came in its place are
known to be one thing's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from cmdb_server.answers.lives import Lives
from cmdb_server.answers.testimony import as_evidence, unbelieved
from cmdb_server.model.events import Event, events
from cmdb_server.store import tables
from cmdb_server.store.bounds import begun
from cmdb_server.store.port import Reading, Row

PARENT = tables.RECORD.position("parent")
Memberships = Mapping[str, list[tuple[int, str]]]
"""Record -> (since which revision, the CI that is held to be its own)."""


def befallen(tx: Reading, ci: str, records: Mapping[str, Row]) -> Iterator[tuple[Event, int]]:
    """What befell a CI with these records, and the revision that tells of it first. What the history does not reach
    back to is left out; what a CI depends on is no matter of its components."""
    if len(records) < 2 or any(row[PARENT] for row in records.values()):
        return
    lives = Lives(tx, 0, {})
    lives.load([ci])
    told = [as_evidence(records[source.record], source) for source in lives.sources(ci)]
    found = [one for one in events(told, unbelieved(tx, told)) if one.at > (begun(tx) or -1)]
    held = _memberships(tx, found)
    for one in found:
        yield one, _known(held, one.former, one.record)


def _memberships(tx: Reading, found: list[Event]) -> Memberships:
    records = sorted({id_ for one in found for id_ in (one.former, one.record)})
    held: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for record, revision, ci in tx.find(tables.MEMBERSHIP, ("record",), [(id_,) for id_ in records]) if records else ():
        held[record].append((revision, ci))
    return {record: sorted(course) for record, course in held.items()}


def _known(held: Memberships, one: str, other: str) -> int:
    """Since which revision two records of one CI have been held to be one thing's without a break."""
    revisions = sorted({revision for record in (one, other) for revision, _ in held[record]}, reverse=True)
    known = revisions[0]
    for revision in revisions:
        cis = [next((ci for at, ci in reversed(held[record]) if at <= revision), None) for record in (one, other)]
        if cis[0] != cis[1]:
            break
        known = revision
    return known
