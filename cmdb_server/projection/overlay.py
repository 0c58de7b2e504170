"""A projection brought forward by what changed: replaced lists are written anew at the end of the columns.

Only gates that really changed are replaced, so that a consumer's new dependency leaves the long list of the site it
stands in alone. The older projection stays valid. Once a quarter is replaced rows, everything is laid out afresh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from cmdb_server.model.member_rule import ATTRIBUTE as MEMBER_RULE
from cmdb_server.projection.build import (
    CIColumns,
    RelationColumns,
    Retirement,
    edges_of,
    end_of,
    from_edges,
    read_member_rule,
    read_override,
    relation_columns,
    retirement,
)
from cmdb_server.projection.columns import Bools, Column, Ints, Longs, Rows, spans
from cmdb_server.projection.feed import RelationKey
from cmdb_server.projection.gates import Edges, GateRows, by, flow_lists, gate_rows
from cmdb_server.projection.identities import words
from cmdb_server.projection.network import Wiring
from cmdb_server.projection.projection import GONE, Bounds, Projection
from cmdb_server.projection.rules import Rules
from cmdb_server.store.port import Row

T = TypeVar("T", bound=Rows)
COMPACT_AT = 0.25


@dataclass(frozen=True, slots=True)
class Changes:
    """``cis``: rows by id, None for what is gone. ``relations``: rows by key, None for what is gone; all relations of
    CIs that are new, come back or change their class among them."""

    revision: int
    cis: Mapping[str, Row | None]
    relations: Mapping[RelationKey, Row | None]


def with_cis(old: Projection, changes: Changes, now: int) -> tuple[Projection, Longs]:
    """(the projection with its CIs as they are now and its gates as they were, the CIs that must be tied anew: new,
    retired or come back, or of another class). Columns in which nothing changed are the old ones."""
    present = {id_: row for id_, row in changes.cis.items() if row is not None}
    known = dict(zip(changes.cis, old.index.find(list(changes.cis)).tolist(), strict=True))
    fresh = [id_ for id_ in present if known[id_] < 0]
    known.update({id_: len(old) + place for place, id_ in enumerate(fresh)})
    rows = {known[id_]: row for id_, row in present.items()}
    gone = [known[id_] for id_, row in changes.cis.items() if row is None and known[id_] >= 0]
    index = old.index.extended(old.index.identities.extended(*words(fresh))) if fresh else old.index
    class_of = _with(old.class_of, {ci: old.rules.classes.code(row[1]) for ci, row in rows.items()}, len(fresh))
    ends = {ci: end_of(row) for ci, row in rows.items()} | dict.fromkeys(gone, GONE)
    ended_at = _with(old.ended_at, ends, len(fresh))
    status = Retirement(old.retired, old.next_retirement)
    if class_of is not old.class_of or ended_at is not old.ended_at or old.retires_by(now):
        status = retirement(now, class_of, ended_at, old.rules)
    retired = status.retired
    same = (class_of[: len(old)] == old.class_of) & (retired[: len(old)] == old.retired)
    anew = np.append(np.flatnonzero(~same), np.arange(len(old), len(class_of)))
    told = {ci: row[2] or "" for ci, row in rows.items()}
    names = old.names.with_changed({ci: name for ci, name in told.items() if ci >= len(old) or old.names[ci] != name})
    moved = replace(
        _with_own(old, rows),
        revision=changes.revision, index=index, names=names, class_of=class_of, ended_at=ended_at, retired=retired,
        next_retirement=status.next_at, gates_of=_more(old.gates_of, len(fresh)),
        direct_of=_more(old.direct_of, len(fresh)), counted_of=_more(old.counted_of, len(fresh)),
    )  # fmt: skip
    return moved, anew


def _with(column: Column, values: Mapping[int, int], more: int) -> Column:
    """The column with ``more`` places and these values; itself where it has them already."""
    places, told = (np.fromiter(part, column.dtype, len(values)) for part in (values.keys(), values.values()))
    if not more and np.array_equal(column[places], told):
        return column
    longer = _longer(column, more)
    longer[places] = told
    return longer


def _with_own(old: Projection, rows: Mapping[int, Row]) -> Projection:
    """With what these CIs set themselves: gates, and rules for members."""
    overrides, refused, member_rules = dict(old.overrides), dict(old.refused), dict(old.member_rules)
    for ci, row in rows.items():
        attributes = row[5] or {}
        read_override(ci, attributes.get("gate"), overrides, refused)
        read_member_rule(ci, attributes.get(MEMBER_RULE), member_rules)
    return replace(old, overrides=overrides, refused=refused, member_rules=member_rules)


def with_relations(old: Projection, before: Projection, changes: Changes, anew: Longs) -> Projection:
    """``old`` with its gates as they are now. ``before``: the projection before ``with_cis``; ``anew``: see there."""
    rules = old.rules
    rows = [row for row in changes.relations.values() if row is not None]
    columns = relation_columns([rows], old.index, rules)
    old = replace(old, wiring=_wiring(old, changes, columns, anew))
    added = edges_of(columns, old.class_of, old.retired, rules)
    dropped = _pairs(changes.relations, old, rules)
    touched = np.unique(np.concatenate((
        added.consumer, dropped[0], anew, _consumers(before, anew[anew < len(before)]), _overridden(old, before),
    )).astype(np.int64))  # fmt: skip
    if not len(touched):
        return old
    kept = _kept(old, edges_in(old, touched), dropped, anew)
    fresh = gate_rows(Edges.joined(kept, added), old.class_of, old.overrides, rules, touched)
    laid = _replace_gates(old, touched, fresh)
    return compacted(laid) if replaced(laid) > COMPACT_AT else laid


def compacted(projection: Projection) -> Projection:
    """The same graph, laid out afresh."""
    columns = CIColumns(
        projection.index, projection.names, projection.class_of, projection.ended_at,
        projection.overrides, projection.refused, projection.member_rules,
    )  # fmt: skip
    edges = edges_in(projection, np.arange(len(projection)))
    status = Retirement(projection.retired, projection.next_retirement)
    return from_edges(columns, edges, status, projection.rules, projection.revision, projection.wiring)


def edges_in(projection: Projection, consumers: Longs) -> Edges:
    """The edges of these consumers, as its gates have them."""
    gate = projection.listed.gate[spans(projection.gates_of.first, projection.gates_of.last, consumers)]
    gates, at = projection.gates, spans(projection.gates.first, projection.gates.last, gate)
    size = gates.last[gate] - gates.first[gate]
    consumer, type_, key = (np.repeat(column[gate], size) for column in (gates.consumer, gates.type, gates.key))
    return Edges(consumer, type_, key, projection.members.provider[at], projection.members.weight[at])


def _wiring(old: Projection, changes: Changes, added: RelationColumns, anew: Longs) -> Wiring:
    """Without the relations that changed, and with those there are now."""
    gone = relation_columns([[(*key, None, None) for key in changes.relations]], old.index, old.rules)
    known = old.wiring
    size, types = len(old), len(old.rules.flows)
    words_, dropped = (
        (column.type.astype(np.int64) + types * column.from_.astype(np.int64)) * size + column.to
        for column in (known, gone)
    )
    kept = np.flatnonzero(~np.isin(words_, dropped))
    more = Wiring.of(added, old.rules)
    if len(kept) == len(words_) and not len(more.from_) and not len(anew):
        return known
    return Wiring(
        np.append(known.from_[kept], more.from_),
        np.append(known.type[kept], more.type),
        np.append(known.to[kept], more.to),
    )


def _pairs(relations: Mapping[RelationKey, Row | None], projection: Projection, rules: Rules) -> tuple[Ints, ...]:
    """(consumer, type, provider) of what these relations may have meant, both ways for those that flow both ways."""
    gone = [(*key, None, None) for key in relations]
    columns = relation_columns([gone], projection.index, rules)
    nobody = np.zeros(len(projection), bool)
    edges = edges_of(columns, projection.class_of, nobody, rules)
    return edges.consumer, edges.type, edges.provider


def _kept(projection: Projection, edges: Edges, dropped: tuple[Ints, ...], anew: Longs) -> Edges:
    changed = np.zeros(len(projection), bool)
    changed[anew] = True
    size = len(projection)
    words_, gone = (
        (type_.astype(np.int64) * size + consumer) * size + provider
        for consumer, type_, provider in ((edges.consumer, edges.type, edges.provider), dropped)
    )
    stays = ~(changed[edges.consumer] | changed[edges.provider] | np.isin(words_, gone))
    return edges.rows(np.flatnonzero(stays))


def _consumers(projection: Projection, providers: Longs) -> Ints:
    direct, counted = projection.direct_of, projection.counted_of
    slot = projection.counted.slot[spans(counted.first, counted.last, providers)]
    return np.concatenate((
        projection.direct.consumer[spans(direct.first, direct.last, providers)], projection.slots.consumer[slot],
    ))  # fmt: skip


def _overridden(new: Projection, old: Projection) -> Longs:
    """The CIs whose own gates differ."""
    if new.overrides == old.overrides:
        return np.empty(0, np.int64)
    both = new.overrides.keys() | old.overrides.keys()
    return np.asarray([ci for ci in both if new.overrides.get(ci) != old.overrides.get(ci)], np.int64)


def _replace_gates(old: Projection, consumers: Longs, fresh: GateRows) -> Projection:
    """``fresh`` in place of all gates of ``consumers``; those that are the same stay."""
    before = old.listed.gate[spans(old.gates_of.first, old.gates_of.last, consumers)]
    numbers, new = _reused(old, before, fresh)
    dead = np.zeros(len(old.gates) + len(new), bool)
    dead[np.setdiff1d(before, numbers)] = True
    appended = _append(old, fresh, new)
    listing = _List(old.gates_of, len(old.listed))
    listed = old.listed.extended(numbers)
    gates_of = listing.bounds(fresh.gates[0], consumers)
    laid = replace(appended, listed=listed, gates_of=gates_of)
    rows = np.arange(len(old.gates), len(laid.gates), dtype=np.int32)
    return _relink(laid, old, dead, rows)


def _reused(old: Projection, before: Ints, fresh: GateRows) -> tuple[Ints, Ints]:
    """(the number of each fresh gate, which of them are new)."""
    consumer, type_, key, rule, first, last, _ = (column.tolist() for column in fresh.gates)
    provider, weight = fresh.members
    gates = old.gates
    known = {(int(gates.consumer[g]), int(gates.type[g]), int(gates.key[g])): g for g in before.tolist()}
    numbers: list[int] = []
    new: list[int] = []
    for row in range(len(consumer)):
        gate = known.get((consumer[row], type_[row], key[row]))
        span, size = slice(first[row], last[row]), last[row] - first[row]
        if (
            gate is not None
            and gates.rule[gate] == rule[row]
            and gates.last[gate] - gates.first[gate] == size
            and np.array_equal(old.members_of(gate), provider[span])
            and np.array_equal(old.members.weight[gates.first[gate] : gates.last[gate]], weight[span])
        ):
            numbers.append(gate)
        else:
            numbers.append(len(gates) + len(new))
            new.append(row)
    return np.asarray(numbers, np.int32), np.asarray(new, np.int32)


def _append(old: Projection, fresh: GateRows, new: Ints) -> Projection:
    """The gates ``new`` of ``fresh`` with their members and slots, after those there are."""
    consumer, type_, key, rule, first, last, slot = (column[new] for column in fresh.gates)
    at = spans(fresh.gates[4], fresh.gates[5], new)
    size = last - first
    end = (len(old.members) + np.cumsum(size)).astype(np.int32)
    counting = np.flatnonzero(slot >= 0)
    number = np.full(len(new), -1, np.int32)
    number[counting] = len(old.slots) + np.arange(len(counting), dtype=np.int32)
    _, *slots = (column[slot[counting]] for column in fresh.slots)
    gate = (len(old.gates) + counting).astype(np.int32)
    return replace(
        old,
        gates=old.gates.extended(consumer, type_, key, rule, end - size, end, number),
        members=old.members.extended(*(column[at] for column in fresh.members)),
        slots=old.slots.extended(gate, *slots),
    )


def _relink(laid: Projection, old: Projection, dead: Bools, rows: Ints) -> Projection:
    """The lists of all providers of dead gates and of the new gates ``rows``, rewritten."""
    gone = np.flatnonzero(dead)
    either = np.concatenate((gone, rows))
    providers = np.unique(laid.members.provider[spans(laid.gates.first, laid.gates.last, either)]).astype(np.int64)
    provider, consumer, gate, counter, slot, weight = flow_lists(laid.gates, laid.members, rows, laid.rules)
    at, owner = _entries(old.direct_of, providers)
    live = np.flatnonzero(~dead[old.direct.gate[at]])
    direct_of, direct = _rewritten(
        laid.direct_of, old.direct, providers, np.append(owner[live], provider),
        (np.append(old.direct.consumer[at[live]], consumer), np.append(old.direct.gate[at[live]], gate)),
    )  # fmt: skip
    at, owner = _entries(old.counted_of, providers)
    live = np.flatnonzero(~dead[old.slots.gate[old.counted.slot[at]]])
    counted_of, counted = _rewritten(
        laid.counted_of, old.counted, providers, np.append(owner[live], counter),
        (np.append(old.counted.slot[at[live]], slot), np.append(old.counted.weight[at[live]], weight)),
    )  # fmt: skip
    return replace(laid, direct_of=direct_of, direct=direct, counted_of=counted_of, counted=counted)


def _entries(bounds: Bounds, providers: Longs) -> tuple[Ints, Longs]:
    at = spans(bounds.first, bounds.last, providers)
    return at, np.repeat(providers, bounds.last[providers] - bounds.first[providers])


def _rewritten(bounds: Bounds, rows: T, providers: Longs, owner: Longs, columns: Sequence[Column]) -> tuple[Bounds, T]:
    order = by(owner)
    listing = _List(bounds, len(rows))
    extended = rows.extended(*(column[order] for column in columns))
    return listing.bounds(owner[order], providers), extended


@dataclass(frozen=True, slots=True, eq=False)
class _List:
    """Bounds of lists, some of them about to be written from row ``start`` on."""

    old: Bounds
    start: int

    def bounds(self, owner: Column, owners: Longs) -> Bounds:
        """With those of ``owners`` as the ascending ``owner`` of the new rows has them."""
        first, last = self.old.first.copy(), self.old.last.copy()
        first[owners] = self.start + np.searchsorted(owner, owners)
        last[owners] = self.start + np.searchsorted(owner, owners, "right")
        return Bounds(first, last)


def replaced(projection: Projection) -> float:
    """The share of rows that later ones replaced."""
    live = sum(int((bounds.last - bounds.first).sum()) for bounds in (projection.direct_of, projection.counted_of))
    total = len(projection.direct) + len(projection.counted)
    return 1 - live / total if total > 4096 else 0.0


def _longer(column: Column, more: int) -> Column:
    return np.append(column, np.zeros(more, column.dtype)) if more else column.copy()


def _more(bounds: Bounds, more: int) -> Bounds:
    return Bounds(_longer(bounds.first, more), _longer(bounds.last, more)) if more else bounds
