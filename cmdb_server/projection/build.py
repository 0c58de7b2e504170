"""A projection made from nothing: out of the store, out of rows, or out of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from cmdb_server.errors import Invalid
from cmdb_server.model.member_rule import ATTRIBUTE as MEMBER_RULE
from cmdb_server.projection.columns import Bools, Column, Ints, Longs
from cmdb_server.projection.gates import Edges, Gates, Members, Slots, flow_lists, gate_rows, list_bounds
from cmdb_server.projection.identities import Identities, Index, Names, words
from cmdb_server.projection.network import Wiring
from cmdb_server.projection.projection import DELETED, GONE, Bounds, Counted, Direct, Listed, Projection
from cmdb_server.projection.rules import Overrides, Rules, overrides_of
from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import CI, RELATION, Table

T = TypeVar("T")
PAGE = 20_000
"""Rows read at once: few enough to hold as Python objects, many enough for the arrays to be made in bulk."""

_ENDED, _DELETED = CI.position("ended_at"), CI.position("deleted")

HEAVIEST = 1_000_000
"""The most that one relation weighs, whatever an agent says: sums must stay small numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class CIColumns:
    """The CIs of a graph. ``ended_at``: milliseconds, -1 while claimed, or ``DELETED``. ``refused``: gate attributes that are none;
    ``member_rules``: by which services have their members."""

    index: Index
    names: Names
    class_of: Ints
    ended_at: Longs
    overrides: Mapping[int, Overrides]
    refused: Mapping[int, str]
    member_rules: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class RelationColumns:
    """The relations of a graph: ends by CI number, -1 where there is no such CI; ``group`` -1 where there is none."""

    from_: Ints
    type: Ints
    to: Ints
    group: Ints
    weight: Ints


def build(reading: Reading, rules: Rules, now: int) -> Projection:
    """The present graph of the store. ``now``, in milliseconds, decides who is retired."""
    cis = ci_columns(pages(reading, CI), rules)
    return assemble(cis, relation_columns(pages(reading, RELATION), cis.index, rules), rules, reading.revision, now)


def from_rows(cis: Sequence[Row], relations: Sequence[Row], rules: Rules, revision: int, now: int) -> Projection:
    """The graph of these rows of the tables ``ci`` and ``relation``, in any order and from wherever they come."""
    columns = ci_columns([cis], rules)
    return assemble(columns, relation_columns([relations], columns.index, rules), rules, revision, now)


def assemble(cis: CIColumns, relations: RelationColumns, rules: Rules, revision: int, now: int) -> Projection:
    """The graph of these columns."""
    retired = retirement(now, cis.class_of, cis.ended_at, rules)
    edges = edges_of(relations, cis.class_of, retired.retired, rules)
    return from_edges(cis, edges, retired, rules, revision, Wiring.of(relations, rules))


def from_edges(
    cis: CIColumns, edges: Edges, retired: Retirement, rules: Rules, revision: int, wiring: Wiring
) -> Projection:
    """The graph of these edges, which hold no retired provider and no CI as its own."""
    size = len(cis.class_of)
    rows = gate_rows(edges, cis.class_of, cis.overrides, rules)
    gates, members, slots = Gates.of(*rows.gates), Members.of(*rows.members), Slots.of(*rows.slots)
    every = np.arange(len(gates), dtype=np.int32)
    provider, consumer, gate, counter, slot, weight = flow_lists(gates, members, every, rules)
    return Projection(
        revision=revision,
        rules=rules,
        index=cis.index,
        names=cis.names,
        class_of=cis.class_of,
        ended_at=cis.ended_at,
        retired=retired.retired,
        next_retirement=retired.next_at,
        overrides=cis.overrides,
        refused=cis.refused,
        member_rules=cis.member_rules,
        gates=gates,
        members=members,
        slots=slots,
        gates_of=Bounds(*list_bounds(gates.consumer, size)),
        listed=Listed.of(every),
        direct_of=Bounds(*list_bounds(provider, size)),
        direct=Direct.of(consumer, gate),
        counted_of=Bounds(*list_bounds(counter, size)),
        counted=Counted.of(slot, weight),
        wiring=wiring,
    )


def pages(reading: Reading, table: Table) -> Iterator[Sequence[Row]]:
    """All rows of a table, in key order."""
    places = [table.position(name) for name in table.key]
    after = None
    while page := reading.scan(table, after, PAGE):
        yield page
        after = tuple(page[-1][place] for place in places)


def ci_columns(parts: Iterable[Sequence[Row]], rules: Rules) -> CIColumns:
    """The columns of rows of the table ``ci``."""
    halves, classes, ended = [words([])], [np.empty(0, np.int32)], [np.empty(0, np.int64)]
    names: list[Names] = []
    overrides: dict[int, Overrides] = {}
    refused: dict[int, str] = {}
    member_rules: dict[int, str] = {}
    size = 0
    for rows in parts:
        if not rows:
            continue
        ids, class_names, row_names, _, _, attributes, _, ends, deleted = zip(*rows, strict=True)
        halves.append(words(ids))
        codes = {name: rules.classes.code(name) for name in dict.fromkeys(class_names)}
        classes.append(_mapped(codes, class_names))
        ended.append(np.fromiter((-1 if end is None else end for end in ends), np.int64, len(rows)))
        ended[-1][np.fromiter(deleted, bool, len(rows))] = DELETED
        names.append(Names.of(row_names))
        for place, values in enumerate(attributes):
            if values and "gate" in values:
                read_override(size + place, values["gate"], overrides, refused)
            if values and MEMBER_RULE in values:
                read_member_rule(size + place, values[MEMBER_RULE], member_rules)
        size += len(rows)
    high, low = (np.concatenate(half) for half in zip(*halves, strict=True))
    index = Index.of(Identities.of(high, low))
    return CIColumns(
        index, Names.joined(names), np.concatenate(classes), np.concatenate(ended), overrides, refused, member_rules
    )


def end_of(row: Row) -> int:
    """When the CI of a row ended, as ``Projection.ended_at`` has it."""
    ended_at: int | None = row[_ENDED]
    return -1 if ended_at is None else DELETED if row[_DELETED] else ended_at


def read_member_rule(ci: int, value: object, member_rules: dict[int, str]) -> None:
    """Take over one CI's rule for its members, as text."""
    member_rules.pop(ci, None)
    if isinstance(value, str) and value:
        member_rules[ci] = value


def read_override(ci: int, value: object, overrides: dict[int, Overrides], refused: dict[int, str]) -> None:
    """Take over one CI's attribute ``gate``, or say why not."""
    overrides.pop(ci, None)
    refused.pop(ci, None)
    if value is None:
        return
    try:
        overrides[ci] = overrides_of(value)
    except Invalid as error:
        refused[ci] = error.detail


def relation_columns(parts: Iterable[Sequence[Row]], index: Index, rules: Rules) -> RelationColumns:
    """The columns of rows of the table ``relation``; types that ``rules`` does not know are left out."""
    found: list[tuple[Column, ...]] = [tuple(np.empty(0, np.int32) for _ in range(5))]
    for rows in parts:
        if rows:
            found.append(_relation_page(rows, index, rules))
    return RelationColumns(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _relation_page(rows: Sequence[Row], index: Index, rules: Rules) -> tuple[Column, ...]:
    # A page has few different types, groups and weights: each is looked up once, and the rest runs without Python code.
    froms, types, tos, groups, weights, *_ = zip(*rows, strict=True)
    known = {name: code for code, name in enumerate(rules.types.values)}
    group_codes = {name: -1 if name is None else rules.groups.code(name) for name in dict.fromkeys(groups)}
    limits = {value: 1 if value is None else min(max(value, 1), HEAVIEST) for value in set(weights)}
    type_ = _mapped({name: known.get(name, -1) for name in set(types)}, types)
    group, weight = _mapped(group_codes, groups), _mapped(limits, weights)
    columns = (index.find(froms).astype(np.int32), type_, index.find(tos).astype(np.int32), group, weight)
    kept = np.flatnonzero(type_ >= 0)
    return columns if len(kept) == len(rows) else tuple(column[kept] for column in columns)


def _mapped(codes: Mapping[T, int], values: Sequence[T]) -> Ints:
    return np.fromiter(map(codes.__getitem__, values), np.int32, len(values))


@dataclass(frozen=True, slots=True, eq=False)
class Retirement:
    """``retired``: who has ended for longer than the class allows, or was deleted; ``next_at``: when the next one will have."""

    retired: Bools
    next_at: int | None


def retirement(now: int, class_of: Ints, ended_at: Longs, rules: Rules) -> Retirement:
    """Who is retired at ``now``. A class without a life retires as it ends, and what people delete does at once."""
    allowed = np.asarray([rules.retired_ms.get(name, 0) for name in rules.classes.values] or [0], np.int64)
    ended = np.flatnonzero(ended_at >= 0)
    due = ended_at[ended] + allowed[class_of[ended]]
    retired: Bools = (ended_at == GONE) | (ended_at == DELETED)
    retired[ended[due <= now]] = True
    waiting = due[due > now]
    return Retirement(retired, int(waiting.min()) if len(waiting) else None)


def edges_of(relations: RelationColumns, class_of: Ints, retired: Bools, rules: Rules) -> Edges:
    """Who has whom as a provider. Retired CIs neither provide nor consume, and none provides for itself."""
    impact = np.asarray([flow.impact if flow.gate else "none" for flow in rules.flows])[relations.type]
    both = impact == "both"
    forward, backward = np.flatnonzero(both | (impact == "to_from")), np.flatnonzero(both | (impact == "from_to"))
    return Edges.joined(
        _towards(relations, forward, relations.from_, relations.to, class_of, retired),
        _towards(relations, backward, relations.to, relations.from_, class_of, retired),
    )


def _towards(
    relations: RelationColumns, rows: Longs, consumers: Ints, providers: Ints, class_of: Ints, retired: Bools
) -> Edges:
    """The edges of ``rows`` read one way."""
    consumer, provider = consumers[rows], providers[rows]
    counts = (consumer >= 0) & (provider >= 0) & (consumer != provider)
    kept = np.flatnonzero(counts & ~retired[provider] & ~retired[consumer])
    group, provider = relations.group[rows[kept]], provider[kept]
    key = np.where(group >= 0, group, -1 - class_of[provider]).astype(np.int32)
    return Edges(consumer[kept], relations.type[rows[kept]], key, provider, relations.weight[rows[kept]])
