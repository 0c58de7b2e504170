"""From edges to gates, and from gates to the two lists that impact runs along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cmdb_server.model.gates import threshold
from cmdb_server.projection.columns import Column, Ints, Longs, Rows
from cmdb_server.projection.rules import Overrides, Rules


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """One row for each way a consumer has a provider. ``key``: see ``Gates``; ``weight`` is 1 where none is given."""

    consumer: Ints
    type: Ints
    key: Ints
    provider: Ints
    weight: Ints

    @classmethod
    def joined(cls, *parts: Edges) -> Edges:
        names = ("consumer", "type", "key", "provider", "weight")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def rows(self, which: Column) -> Edges:
        return Edges(self.consumer[which], self.type[which], self.key[which], self.provider[which], self.weight[which])


@dataclass(frozen=True, slots=True, eq=False)
class Gates(Rows):
    """One row a gate. ``key``: the group's number, or -1 - the number of the providers' class. ``rule``: the number
    of its definition. ``first`` to ``last``: its rows in ``Members``. ``slot``: its row in ``Slots``, or -1 where
    every member is needed, so that nothing need be counted."""

    consumer: Ints
    type: Ints
    key: Ints
    rule: Ints
    first: Ints
    last: Ints
    slot: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Members(Rows):
    """The providers of each gate, once each, ascending. ``weight`` as related, whether the gate weighs or not."""

    provider: Ints
    weight: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Slots(Rows):
    """The gates that count. ``slack``: what may be lost before down (total - need); ``want_slack`` and ``full_slack``:
    before degraded, as lost, and as lost or degraded."""

    gate: Ints
    consumer: Ints
    total: Ints
    slack: Ints
    want_slack: Ints
    full_slack: Ints


@dataclass(frozen=True, slots=True, eq=False)
class GateRows:
    """Gates, members and slots of some edges, numbered from 0; gates ascend by consumer, type and key."""

    gates: tuple[Ints, ...]
    members: tuple[Ints, ...]
    slots: tuple[Ints, ...]


def gate_rows(
    edges: Edges, class_of: Ints, overrides: Mapping[int, Overrides], rules: Rules, consumers: Column | None = None
) -> GateRows:
    """The gates over ``edges``; ``class_of`` and ``overrides`` are by CI. ``consumers``: the only ones there are."""
    if consumers is not None:
        overrides = {ci: overrides[ci] for ci in consumers.tolist() if ci in overrides}
    edges = _sorted_once(edges)
    first = _boundaries(edges).astype(np.int32)
    last = np.append(first[1:], len(edges.consumer)).astype(np.int32)[: len(first)]
    consumer, type_, key = edges.consumer[first], edges.type[first], edges.key[first]
    rule = rules.codes(class_of[consumer], type_, key)
    _override(rule, (consumer, type_, key), overrides, rules)
    slot, slots = _slots(consumer, *_limits(edges.weight, (first, last), rule, rules))
    return GateRows((consumer, type_, key, rule, first, last, slot), (edges.provider, edges.weight), slots)


def flow_lists(gates: Gates, members: Members, rows: Ints, rules: Rules) -> tuple[Ints, ...]:
    """The edges of gate ``rows`` from provider to consumer, sorted by provider: direct ones as (provider, consumer,
    gate), then counted ones as (provider, slot, what the member counts)."""
    first, last = gates.first[rows].astype(np.int64), gates.last[rows]
    count = last - first
    at = np.repeat(first - np.cumsum(count) + count, count)
    at += np.arange(len(at))
    gate = np.repeat(rows, count)
    provider, slot = members.provider[at], gates.slot[gate]
    direct, counted = np.flatnonzero(slot < 0), np.flatnonzero(slot >= 0)
    direct, counted = direct[by(provider[direct])], counted[by(provider[counted])]
    weighs = np.asarray([rule.weighs for rule in rules.gates.values])
    weight = np.where(weighs[gates.rule[gate[counted]]], members.weight[at[counted]], 1).astype(np.int32)
    return (
        provider[direct], gates.consumer[gate[direct]], gate[direct].astype(np.int32),
        provider[counted], slot[counted], weight,
    )  # fmt: skip


def by(values: Column) -> Longs:
    """A stable order of small non-negative numbers: sorting (value, place) as one word beats sorting places."""
    word = values.astype(np.int64) << 32
    word |= np.arange(len(values))
    word.sort()
    word &= 0xFFFFFFFF
    return word


def list_bounds(owner: Ints, size: int) -> tuple[Ints, Ints]:
    """First and last row of each owner's list, given the owners in ascending order."""
    ends = np.cumsum(np.bincount(owner, minlength=size)).astype(np.int32)
    first = np.empty_like(ends)
    first[0:1] = 0
    first[1:] = ends[:-1]
    return first, ends


def _sorted_once(edges: Edges) -> Edges:
    """By consumer, type, key and provider; of a provider named twice in a gate the largest weight."""
    if not len(edges.consumer):
        return edges
    low = int(edges.key.min())
    span, types = int(edges.key.max()) - low + 1, int(edges.type.max()) + 1
    gate = (edges.consumer.astype(np.int64) * types + edges.type) * span + (edges.key - low)
    order = np.lexsort((-edges.weight, edges.provider, gate))
    edges = edges.rows(order)
    gate = gate[order]
    again = (gate[1:] == gate[:-1]) & (edges.provider[1:] == edges.provider[:-1])
    return edges.rows(np.flatnonzero(np.append(True, ~again))) if again.any() else edges


def _boundaries(edges: Edges) -> Longs:
    """The first row of each gate."""
    if not len(edges.consumer):
        return np.empty(0, np.int64)
    columns = (edges.consumer, edges.type, edges.key)
    new = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return np.append(0, np.flatnonzero(new) + 1)


def _override(rule: Ints, gates: tuple[Ints, Ints, Ints], overrides: Mapping[int, Overrides], rules: Rules) -> None:
    consumer, type_, key = gates
    mine = np.asarray(sorted(overrides), np.int32)
    for ci, low, high in zip(
        mine.tolist(), np.searchsorted(consumer, mine), np.searchsorted(consumer, mine, "right"), strict=True
    ):
        for row in range(low, high):
            gate = rules.pick(overrides[ci], int(type_[row]), int(key[row]))
            if gate is not None:
                rule[row] = rules.gates.code(gate)


def _limits(weight: Ints, bounds: tuple[Ints, Ints], rule: Ints, rules: Rules) -> tuple[Ints, Ints]:
    """(total, [need, want, full] by row) of each gate."""
    first, last = bounds
    total = (last - first).astype(np.int64)
    weighs = np.flatnonzero(np.asarray([gate.weighs for gate in rules.gates.values])[rule])
    if len(weighs):
        running = np.append(0, np.cumsum(weight, dtype=np.int64))
        total[weighs] = running[last[weighs]] - running[first[weighs]]
    pairs, which = np.unique((rule.astype(np.int64) << 40) | total, return_inverse=True)
    found = [threshold(rules.gates[pair >> 40], pair & ((1 << 40) - 1)) for pair in pairs.tolist()]
    table = np.asarray([(limit.need, limit.want, limit.full) for limit in found], np.int32).reshape(-1, 3)
    return total.astype(np.int32), table[which]


def _slots(consumer: Ints, total: Ints, limits: Ints) -> tuple[Ints, tuple[Ints, ...]]:
    """(slot of each gate or -1, columns of ``Slots``). A gate whose need is its total needs no counting."""
    counting = np.flatnonzero(limits[:, 0] != total).astype(np.int32)
    slot = np.full(len(consumer), -1, np.int32)
    slot[counting] = np.arange(len(counting), dtype=np.int32)
    total = total[counting]
    slack = [total - limits[counting, column] for column in range(3)]
    return slot, (counting, consumer[counting], total, *slack)
