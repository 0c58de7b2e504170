"""Rows that say outright which CI they are: decisions like any other, made once, shown and undone like any other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping

from cmdb_schemas.ci_class import CIClass
from cmdb_server.ingest.accepted import Accepted
from cmdb_server.ingest.declare import resolve_all
from cmdb_server.ingest.sighting import Origin, read
from cmdb_server.model.weighing import shipped
from cmdb_server.practices.imports.entry import Fault, Subject
from cmdb_server.practices.imports.observations import Checked
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Writing

MOST = 1000
"""Rows of one file that may be tied by nothing but an id: decisions are a person's, and all are read at every turn."""


def ties(
    tx: Reading, checked: Checked, origin: Origin, kinds: Mapping[str, CIClass], about: Subject | None
) -> dict[str, str]:
    """Record -> the CI that it is to be tied to: all records of a file about one CI, else those of rows that name a CI
    by its id, as an export's do, and bear nothing that proves who they are. Records that are there were tied already,
    or were untied since. Too many are a fault of the file."""
    wanted = dict(_wanted(checked, origin, kinds, about))
    there = tx.get(tables.RECORD, [(record,) for record in wanted])
    homes = resolve_all(tx, set(wanted.values()))
    found = {record: homes[ci] for record, ci in wanted.items() if ci in homes and (record,) not in there}
    if len(found) > MOST:
        problem = f"{len(found)} rows bear nothing but the id of a CI: at most {MOST} are tied at a time"
        checked.faults.append(Fault(0, "id", problem))
    return found


def _wanted(
    checked: Checked, origin: Origin, kinds: Mapping[str, CIClass], about: Subject | None
) -> Iterator[tuple[str, str]]:
    strong = shipped().strong
    for seen in checked.observations:
        id_ = about.top if about is not None else checked.ids.get(seen.ref)
        if id_ is None or (about is None and kinds[seen.class_].identity == "declared"):
            continue
        thing = read(seen, origin, kinds, b"", seen.ref).thing
        if about is not None or strong.isdisjoint(thing.identifiers):
            yield thing.record, id_


def tie(tx: Writing, found: Mapping[str, str], accepted: Accepted) -> None:
    """Decide so in the name of who imports."""
    who, why = accepted.caller.subject, "an import about this CI"
    bodies = [{"sides": [[ci], [record]]} for record, ci in found.items()]
    tx.insert(
        tables.DECISION,
        [(str(uuid.uuid4()), tx.revision, "merge", body, who, accepted.received, why, None) for body in bodies],
    )
