"""Under what a record is entered in the inverted index, and the record as identity reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cmdb_server.ingest.sighting import Index, Said
from cmdb_server.model.components import CALLED, full_names, link_keys, place
from cmdb_server.model.record import DECLARED as DECLARED
from cmdb_server.model.record import Record
from cmdb_server.model.record import is_told_by_people as is_told_by_people

if TYPE_CHECKING:
    from cmdb_server.ingest.batch import Batch, Held


def takes_back(source: str) -> bool:
    """Whether what a source does not tell any more is withdrawn. A probe that misses an attribute has not seen it; a
    person who leaves one out has taken it back."""
    return source == DECLARED


def entries(batch: Batch, held: Held, said: Said) -> set[Index]:
    """A component is found by the port it listens on; a thing by its identifiers, addresses, native key and places."""
    if held.parent:
        return said.index
    found = set(said.index)
    found.update((kind, value) for kind, values in said.identifiers.items() for value in values)
    view = record(batch, held, ((held.first_at, held.first_at),))
    found.update(link_keys(view))
    if (where := place(view)) is not None:
        found.add(where)
    if view.declared:
        found.update((CALLED, name) for name in full_names(view))
    return found


def record(batch: Batch, held: Held, intervals: tuple[tuple[int, int], ...]) -> Record:
    """The record as identity reads it."""
    class_ = batch.kinds[held.class_]
    identifiers = {kind: tuple(values) for kind, values in held.identifiers.items()}
    address = identifiers.pop("@address", (None,))[0]
    return Record(
        id=held.id,
        source=held.source,
        site=held.site,
        target=held.target,
        native_key=held.native_key,
        class_=held.class_,
        family=class_.family,
        identifiers=identifiers,
        address=address,
        intervals=intervals,
        declared=is_told_by_people(held.source),
        first_at=held.first_at,
        naming="host" if class_.identity == "evidence" else "class" if class_.named else "nothing",
    )
