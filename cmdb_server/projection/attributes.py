"""Typed columns of what CIs say of themselves, beside the projection's arrays and in its numbering.

A column is read from the store when first asked for, and then brought forward by the change feed. CIs that ended say
nothing any more: what they said is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cmdb_server.model.selector_tree import Field
from cmdb_server.model.selector_values import value_of
from cmdb_server.projection.build import RelationColumns, pages, relation_columns
from cmdb_server.projection.columns import Bools, Column, Interned, Ints, Longs, frozen
from cmdb_server.projection.feed import RelationKey, changed
from cmdb_server.projection.identities import Index
from cmdb_server.projection.projection import GONE, Projection
from cmdb_server.projection.sightings import Sightings, sightings
from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import CI, RELATION

Floats = npt.NDArray[np.float64]
Flagged = npt.NDArray[np.int8]
MOST = 64
"""Columns kept; the ones not asked for longest go first."""
SPARE_VALUES = 4096
"""Values of the past that a column may remember beyond twice the number of CIs."""
OWN_PLACES = {"name": CI.position("name"), "parent": CI.position("parent"), "first_discovered": CI.position("first_at")}
ATTRIBUTES, ENDED = CI.position("attributes"), CI.position("ended_at")


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """``codes`` by CI, numbers of ``values``; -1 where nothing is known."""

    codes: Ints
    values: Interned[str]

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int32), Interned())

    def with_values(self, cis: Longs, values: Sequence[Any], size: int) -> Self:
        codes = _with(self.codes, cis, [-1 if value is None else self.values.code(value) for value in values], size, -1)
        return self if codes is self.codes else type(self)(codes, self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """``values`` by CI; NaN where nothing is ``known``."""

    values: Floats
    known: Bools

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.float64), np.empty(0, bool))

    def with_values(self, cis: Longs, values: Sequence[Any], size: int) -> Self:
        column = _with(self.values, cis, [np.nan if value is None else value for value in values], size, np.nan)
        return self if column is self.values else type(self)(column, frozen(~np.isnan(column)))


@dataclass(frozen=True, slots=True, eq=False)
class Flags:
    """``values`` by CI: 1 true, 0 false, -1 unknown."""

    values: Flagged

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int8))

    def with_values(self, cis: Longs, values: Sequence[Any], size: int) -> Self:
        column = _with(self.values, cis, [-1 if value is None else int(value) for value in values], size, -1)
        return self if column is self.values else type(self)(column)


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """``codes``: numbers of ``values``, one for each item; ``owner``: the CI whose item it is. ``known`` by CI."""

    owner: Ints
    codes: Ints
    known: Bools
    values: Interned[str | float]

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, bool), Interned())

    def with_values(self, cis: Longs, values: Sequence[Any], size: int) -> Self:
        known = _with(self.known, cis, [value is not None for value in values], size, False)
        changes = np.zeros(size, bool)
        changes[cis] = True
        replaced = changes[self.owner]
        owner = np.repeat(cis, [len(value or ()) for value in values]).astype(np.int32)
        codes = np.asarray([self.values.code(item) for value in values for item in value or ()], np.int32)
        if known is self.known and _same_items(self.owner[replaced], self.codes[replaced], owner, codes):
            return self
        return type(self)(
            frozen(np.append(self.owner[~replaced], owner)), frozen(np.append(self.codes[~replaced], codes)), known,
            self.values,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Present:
    """``values`` by CI: whether there is any value."""

    values: Bools

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, bool))

    def with_values(self, cis: Longs, values: Sequence[Any], size: int) -> Self:
        column = _with(self.values, cis, [value is not None for value in values], size, False)
        return self if column is self.values else type(self)(column)


Typed = Texts | Numbers | Flags | Lists | Present
_EMPTY: Mapping[str, Callable[[], Typed]] = {
    "string": Texts.empty, "number": Numbers.empty, "time": Numbers.empty, "duration": Numbers.empty,
    "boolean": Flags.empty, "strings": Lists.empty, "numbers": Lists.empty, "other": Present.empty,
}  # fmt: skip


def _with(column: Column, cis: Longs, values: Sequence[Any], size: int, filling: Any) -> Column:
    """The column at this size with these values, read-only; itself where it has them already."""
    told = np.asarray(values, column.dtype)
    if len(column) == size and np.array_equal(column[cis], told, equal_nan=column.dtype == np.float64):
        return column
    longer = np.full(size, filling, column.dtype)
    longer[: len(column)] = column
    longer[cis] = told
    return frozen(longer)


def _same_items(owner: Ints, codes: Ints, new_owner: Ints, new_codes: Ints) -> bool:
    """Whether each owner has the same items in the same order."""
    one, other = (np.argsort(column, kind="stable") for column in (owner, new_owner))
    return np.array_equal(owner[one], new_owner[other]) and np.array_equal(codes[one], new_codes[other])


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """The relations of a graph by their type's number, ends by CI number, -1 where there is no such CI."""

    from_: Ints
    type: Ints
    to: Ints

    @classmethod
    def of(cls, relations: RelationColumns) -> Self:
        return cls(relations.from_, relations.type, relations.to)


@dataclass(frozen=True, slots=True, eq=False)
class AttributeColumns:
    """The columns at one revision. ``gone``: CIs that were taken out of the store. ``relations`` None: not asked for
    yet; ``sightings`` too, which are only brought forward when they are."""

    revision: int
    index: Index
    gone: Longs
    held: Mapping[Field, Typed] = field(default_factory=dict)
    relations: Ends | None = None
    sightings: Sightings | None = None
    _ends: dict[int, tuple[Ints, Ints]] = field(default_factory=dict)

    def names(self) -> frozenset[Hashable]:
        """What is held: fields, and the names of what is no field's column."""
        others = (name for name in ("relations", "sightings") if getattr(self, name) is not None)
        return frozenset([*self.held, *others])

    def ends(self, type_: int) -> tuple[Ints, Ints]:
        """The two ends of all relations of a type between CIs that are there."""
        found = self._ends.get(type_)
        if found is None:
            assert self.relations is not None
            from_, to = self.relations.from_, self.relations.to
            kept = np.flatnonzero((self.relations.type == type_) & (from_ >= 0) & (to >= 0))
            from_, to = from_[kept], to[kept]
            if len(self.gone):
                there = ~(np.isin(from_, self.gone) | np.isin(to, self.gone))
                from_, to = from_[there], to[there]
            found = self._ends[type_] = from_, to
        return found


class Attributes:
    """One store's columns, for all threads of a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: AttributeColumns | None = None

    def columns(
        self, projection: Projection, reading: Reading, wanted: Collection[Field], *, relations: bool,
        seen: int | None = None,
    ) -> AttributeColumns | None:  # fmt: skip
        """The columns of these fields, and the relations if asked for; ``seen``: also where and when CIs are seen, for
        this time (ms). ``projection`` and ``reading`` at one revision. None where others have gone on to a newer
        one."""
        with self._lock:
            held = self._newest
            if projection.revision != reading.revision or (held is not None and held.revision > reading.revision):
                return None
            if held is None or not continues(held.index, projection.index):
                held = AttributeColumns(projection.revision, projection.index, _gone(projection))
            held = _forward(held, projection, reading)
            missing = [one for one in wanted if one not in held.held]
            if missing:
                held = _holding(held, {**held.held, **_read(pages(reading, CI), missing, {}, projection)})
            if relations and held.relations is None:
                told = relation_columns(pages(reading, RELATION), projection.index, projection.rules)
                held = replace(held, relations=Ends.of(told), _ends={})
            if seen is not None:
                held = replace(held, sightings=sightings(held.sightings, reading, projection, seen))
            self._newest = _holding(held, _fitting(held.held, wanted, len(projection)))
            return held

    def kept(self, projection: Projection, reading: Reading) -> AttributeColumns | None:
        """All that is held, at the revision of both; None where nothing is, or others have gone on."""
        newest = self._newest
        if newest is None or not newest.names():
            return None
        seen = newest.sightings.looked_at if newest.sightings else None
        return self.columns(projection, reading, (), relations=False, seen=seen)

    def names(self) -> frozenset[Hashable]:
        """What is held: see ``AttributeColumns``."""
        return self._newest.names() if self._newest is not None else frozenset()

    def begin(self, found: AttributeColumns) -> None:
        """Go on from these, where nothing is held yet."""
        with self._lock:
            self._newest = self._newest or found

    def take(self, found: AttributeColumns, projection: Projection, reading: Reading) -> bool:
        """Go on from these too, which are of this store and of any revision, in place of what is held of the same. False
        where others have gone on to a newer revision than ``reading``'s."""
        with self._lock:
            held = self._newest
            if projection.revision != reading.revision or (held is not None and held.revision > reading.revision):
                return False
            found = _forward(found, projection, reading)
            if held is not None and continues(held.index, projection.index):
                held = _forward(held, projection, reading)
                found = replace(
                    found, held={**held.held, **found.held}, relations=found.relations or held.relations,
                    sightings=found.sightings or held.sightings, _ends={},
                )  # fmt: skip
            self._newest = found
            return True


def _holding(held: AttributeColumns, columns: Mapping[Field, Typed]) -> AttributeColumns:
    return replace(held, held=columns)


def _gone(projection: Projection) -> Longs:
    return np.flatnonzero(projection.ended_at == GONE)


def _fitting(columns: Mapping[Field, Typed], wanted: Collection[Field], size: int) -> Mapping[Field, Typed]:
    """The columns worth keeping, those just asked for last; without those whose dictionary is mostly of the past."""
    ordered = {one: columns[one] for one in columns if one not in wanted} | {one: columns[one] for one in wanted}
    newest = list(ordered)[-max(MOST, len(wanted)) :]
    return {one: ordered[one] for one in newest if _dictionary(ordered[one]) <= 2 * size + SPARE_VALUES}


def _dictionary(column: Typed) -> int:
    if isinstance(column, Texts):
        return len(column.values)
    return max(0, len(column.values) - len(column.codes)) if isinstance(column, Lists) else 0


def continues(old: Index, new: Index) -> bool:
    """Whether ``new`` numbers all CIs of ``old`` alike."""
    size = len(old.identities)
    if old is new:
        return True
    return size <= len(new.identities) and all(
        np.array_equal(getattr(old.identities, half), getattr(new.identities, half)[:size]) for half in ("high", "low")
    )


def _forward(held: AttributeColumns, projection: Projection, reading: Reading) -> AttributeColumns:
    """The columns at the revision of ``reading``."""
    if held.revision == reading.revision and held.index is projection.index:
        return held
    cis, keys = changed(held.revision, reading)
    there = reading.get(CI, [(id_,) for id_ in cis])
    rows = [there.get((id_,)) or (id_, "", None, None, None, {}, 0, 0, 0) for id_ in cis]
    columns = _read([rows], list(held.held), held.held, projection)
    relations = held.relations
    if relations is not None and keys:
        relations = _with_relations(relations, keys, projection, reading)
    return AttributeColumns(reading.revision, projection.index, _gone(projection), columns, relations, held.sightings)


def _read(
    parts: Iterable[Sequence[Row]], wanted: Sequence[Field], old: Mapping[Field, Typed], projection: Projection
) -> dict[Field, Typed]:
    """The columns of ``wanted`` with what these rows say in place of what ``old`` has of them."""
    places: list[Longs] = [np.empty(0, np.int64)]
    values: dict[Field, list[Any]] = {one: [] for one in wanted}
    for rows in parts:
        if not rows:
            continue
        found = projection.index.find([row[0] for row in rows])
        kept = found >= 0
        places.append(found[kept])
        told = rows if kept.all() else [row for row, keep in zip(rows, kept.tolist(), strict=True) if keep]
        for one in wanted:
            values[one] += _values(one, told)
    cis = np.concatenate(places)
    size = len(projection)
    return {one: (old.get(one) or _EMPTY[one.kind]()).with_values(cis, values[one], size) for one in wanted}


def _values(field_: Field, rows: Sequence[Row]) -> list[Any]:
    if field_.own:
        place = OWN_PLACES[field_.name]
        if field_.kind == "other":
            return [row[place] or None for row in rows]
        return [value_of(field_, row[place]) for row in rows]
    name = field_.name
    raw = [row[ATTRIBUTES].get(name) if row[ENDED] is None else None for row in rows]
    if field_.kind == "other":
        return [None if value in (None, "", [], {}) else True for value in raw]
    return [None if value is None else value_of(field_, value) for value in raw]


def _with_relations(old: Ends, keys: Iterable[RelationKey], projection: Projection, reading: Reading) -> Ends:
    """The relations with those of ``keys`` as they are now."""
    wanted = list(keys)
    gone = relation_columns([[(*key, None, None) for key in wanted]], projection.index, projection.rules)
    fresh = relation_columns([list(reading.get(RELATION, wanted).values())], projection.index, projection.rules)
    size = len(projection)
    known, dropped = ((one.type.astype(np.int64) * size + one.from_) * size + one.to for one in (old, gone))
    kept = np.flatnonzero(~np.isin(known, dropped))
    return Ends(*(np.append(getattr(old, name)[kept], getattr(fresh, name)) for name in Ends.__dataclass_fields__))
