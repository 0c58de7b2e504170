"""What discovery saw change in a time outside of any booked change, page by page: what ``strays`` finds, as a viewer sees
it.

Whether a change excuses something is found out of everything: one that the viewer does not see excuses all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cmdb_server.answers.changes.strays import MOST, Stray, strays
from cmdb_server.answers.diff import RELATION, Difference
from cmdb_server.answers.feed import place_in, place_of
from cmdb_server.answers.seen import SeenReading, as_seen
from cmdb_server.answers.told import Named, plain
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid
from cmdb_server.ingest.declare import resolve_all
from cmdb_server.ingest.reach import check_time, revision_at
from cmdb_server.model.replacements import ATTRIBUTE as REPLACES
from cmdb_server.practices.kept_rows import Version
from cmdb_server.practices.unplanned import opened_of
from cmdb_server.projection.projections import Projections
from cmdb_server.store.partial import whole
from cmdb_server.store.port import Key, Reading
from cmdb_server.store.tables import CI, KEPT

LOOKS, FIRST = 20, 250
"""Goes at the feed for one page: where little of much is unplanned it has fewer items than were asked for. The rows of the
first go, of which each next one takes twice as many: where everything is unplanned, a page costs what it tells."""
END = (RELATION, "~")
"""After all of a revision."""


@dataclass(frozen=True, slots=True)
class UnplannedChange:
    """A difference, when it was observed (ms), the CIs that people know it is of, and the ``number`` under which it was
    kept; None where it was not, or not for the viewer's eyes."""

    at: int
    difference: Difference
    cis: tuple[Named, ...]
    number: str | None


@dataclass(frozen=True, slots=True)
class Unplanned:
    """What reports told that were received after ``since`` and by ``until`` (ms), in the order in which they came.
    ``cursor`` continues; None at the end."""

    revision: int
    since: int
    until: int
    items: tuple[UnplannedChange, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A stray as it is told: its difference and its CIs' ids with tokens for what is not seen."""

    stray: Stray
    difference: Difference
    cis: tuple[str, ...]

    @property
    def place(self) -> Key:
        return self.stray.revision, self.difference.kind, " ".join(self.difference.id)


def unplanned(
    projections: Projections, viewer: Viewer, since: int, until: int | None = None, limit: int = 100,
    cursor: str | None = None,
) -> Unplanned:  # fmt: skip
    """A page of what discovery saw change without a change. Times in ms; ``until`` None: now. Raises Invalid for a time
    that ends before it begins and a cursor that was not given out, Forgotten for a time that retention dropped."""

    def work(tx: Reading) -> Unplanned:
        now = projections.clock()
        end = now if until is None else until
        if end <= since:
            raise Invalid("until: must be after since", errors=[{"path": "until", "message": "must be after since"}])
        everything = whole(tx)
        check_time(everything, since, "since")
        last = tx.revision if until is None else revision_at(everything, until)
        after = (revision_at(everything, since), *END)
        page, on = _page(tx, after if cursor is None else max(after, place_in(cursor)), last, now, limit)
        return Unplanned(tx.revision, since, end, tuple(_told(tx, page)), on)

    return as_seen(projections.store, viewer).read(work)


def _page(tx: Reading, after: Key, last: int, now_ms: int, limit: int) -> tuple[list[_Seen], str | None]:
    """What is found after a place, up to a revision, and the cursor that goes on."""
    found: list[_Seen] = []
    reached = after[0] if after[1:] == END else after[0] - 1
    for look in range(LOOKS):
        if reached >= last or len(found) > limit:
            break
        looked = strays(whole(tx), reached, now_ms, most=min(MOST, FIRST << look), until=last)
        told = sorted(_as_seen(tx, looked.items), key=lambda one: one.place)
        found += [one for one in told if one.place > after][: limit + 1 - len(found)]
        reached = looked.until
    if len(found) > limit:
        return found[:limit], place_of(found[limit - 1].place)
    return found, place_of((reached, *END)) if reached < last else None


def _as_seen(tx: Reading, items: Sequence[Stray]) -> Iterator[_Seen]:
    if not isinstance(tx, SeenReading):
        yield from (_Seen(one, one.difference, one.cis) for one in items)
        return
    seen = tx.eyes.sees({id_ for one in items for id_ in (*_ends(one.difference), *one.cis)})
    for one in items:
        if not seen.isdisjoint(_ends(one.difference)):
            cis = tuple(id_ if id_ in seen else tx.eyes.token(id_) for id_ in one.cis)
            yield _Seen(one, _veiled(tx, one.difference, seen), cis)


def _ends(one: Difference) -> tuple[str, ...]:
    return (one.id[0], one.id[2]) if one.kind == RELATION else one.id


def _veiled(tx: SeenReading, one: Difference, seen: set[str]) -> Difference:
    """With a token for the end of a relation, or what a CI replaced, that is not seen."""
    if one.kind != RELATION:
        return replace(one, values=_values(tx, one.values))
    if seen.issuperset(_ends(one)):
        return one
    ends = [id_ if id_ in seen else tx.eyes.token(id_) for id_ in _ends(one)]
    rows = tx.get(CI, [(id_,) for id_ in ends])
    names = [str(rows[id_,][2]) if (id_,) in rows else id_ for id_ in ends]
    return replace(one, id=(ends[0], one.id[1], ends[1]), name=" ".join(names))


def _values(tx: SeenReading, values: Mapping[str, tuple[Any, Any]]) -> Mapping[str, tuple[Any, Any]]:
    if REPLACES not in values:
        return values
    living = resolve_all(tx.whole, values[REPLACES])
    seen = tx.eyes.sees(living.values())
    old, new = (id_ if living.get(id_) in seen else tx.eyes.token(id_) for id_ in values[REPLACES])
    return {**values, REPLACES: (old, new)}


def _told(tx: Reading, page: Sequence[_Seen]) -> Iterator[UnplannedChange]:
    rows = tx.get(CI, {(id_,) for one in page for id_ in one.cis})
    names = {key[0]: Named(key[0], row[2], row[1]) for key, row in rows.items()}
    kept = {number: opened_of(whole(tx), number) for number in {one.stray.revision for one in page}}
    shown = tx.get(KEPT, {(version.number,) for version in kept.values() if version is not None})
    for one in page:
        version = kept[one.stray.revision]
        is_shown = version is not None and (version.number,) in shown and _tells(version, one.stray)
        cis = tuple(names.get(id_, Named(id_, None, None)) for id_ in one.cis)
        number = version.number if version is not None and is_shown else None
        yield UnplannedChange(one.stray.at, one.difference, cis, number)


def _tells(version: Version, one: Stray) -> bool:
    """Whether it is among what was kept then: with what is not listed, if it is of a CI that is named."""
    mine = plain({"kind": one.difference.kind, "change": one.difference.change, "id": one.difference.id})
    listed = any(mine.items() <= told.items() for told in version.body["differences"])
    named = {id_ for ids in version.cis.values() for id_ in ids}
    return listed or (version.body.get("more", 0) > 0 and not named.isdisjoint(one.cis))
