"""A proof as columns: whole answers of any size, without a text or an object a row.

CIs are rows of ``ids``, relation types and what gates are over are rows of two lists of names. A gate is told by its
consumer, type and over what, so that the columns stand by themselves: they name nothing by the numbers of a projection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

import numpy as np

from cmdb_server.analysis.certificate import Certificate, Numbers
from cmdb_server.answers.asked_graph import AskedGraph
from cmdb_server.projection.columns import Bools, Longs, Words, spans
from cmdb_server.projection.projection import GONE, Projection

NAMES = (
    "claim_ci", "claim_state", "claim_rank", "claim_relation", "claim_over", "held_ci", "held_relation", "held_over",
    "held_lost", "cut_ci", "cut_relation", "cut_over", "cut_provider", "cut_rank",
)  # fmt: skip
"""``_ci``, ``cut_provider``: rows of the ids; ``_relation``, ``_over``: rows of the lists of names, of the gate of
``_ci``. ``claim_relation`` is -1 for what fails itself and -2 for what no way is left to."""
PARTS = ("claim", "held", "cut")
MOST_RELATIONS = 10_000
LOOKED_UP = 10_000
"""Ids that may stand for another CI by now."""
TOLD = 100
"""Problems of one kind that are told by name."""
Over: TypeAlias = tuple[str, bool]
"""A name, and whether it is a group's; else a class's."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """``high`` and ``low``: the halves of the ids; ``told``: by the names of ``NAMES``, each a whole number a row."""

    revision: int
    high: Words
    low: Words
    relations: tuple[str, ...]
    overs: tuple[Over, ...]
    told: Mapping[str, Longs]

    def faults(self) -> list[str]:
        """What no proof can have: columns of one part that differ in length, rows that are not there."""
        found = [
            f"the columns of {part} differ in length"
            for part in PARTS
            if len({len(self.told[name]) for name in NAMES if name.startswith(f"{part}_")}) > 1
        ]
        if len(self.relations) > MOST_RELATIONS:
            found.append(f"more than {MOST_RELATIONS} relation types")
        for name in NAMES:
            column, low = self.told[name], -2 if name in ("claim_relation", "claim_over") else 0
            most = np.iinfo(np.int32).max if (size := self._size(name)) is None else size
            if len(column) and not (column.min() >= low and column.max() < most):
                found.append(f"{name} names what is not there")
        return found

    def _size(self, name: str) -> int | None:
        sizes = {"ci": len(self.high), "provider": len(self.high), "relation": len(self.relations)}
        return {**sizes, "over": len(self.overs)}.get(name.partition("_")[2])


def columns(projection: Projection, found: Certificate) -> Columns:
    """A certificate in words that stand by themselves."""
    gates = projection.gates
    own = found.gate >= 0
    named = {"claim": found.gate[own], "held": found.held, "cut": found.cut_gate}
    types, keys = (
        np.unique(np.concatenate([column[gate] for gate in named.values()])) for column in (gates.type, gates.key)
    )
    consumers = {part: gates.consumer[gate] for part, gate in named.items()}
    cis = np.unique(np.concatenate([found.ci, consumers["held"], consumers["cut"], found.cut_provider])).astype(
        np.int64
    )

    def gate_of(gate: Numbers) -> tuple[Longs, Longs]:
        return np.searchsorted(types, gates.type[gate]), np.searchsorted(keys, gates.key[gate])

    held, cut = gate_of(found.held), gate_of(found.cut_gate)
    relation, over = found.gate.astype(np.int64), np.full(len(own), -1)
    relation[own], over[own] = gate_of(found.gate[own])
    told = (
        np.searchsorted(cis, found.ci), found.state, found.rank, relation, over, np.searchsorted(cis, consumers["held"]), *held, found.lost,
        np.searchsorted(cis, consumers["cut"]), *cut, np.searchsorted(cis, found.cut_provider), found.cut_rank,
    )  # fmt: skip
    identities = projection.index.identities
    return Columns(
        projection.revision, identities.high[cis], identities.low[cis],
        tuple(projection.rules.types[int(type_)] for type_ in types.tolist()),
        tuple((projection.rules.key_name(key), key >= 0) for key in keys.tolist()),
        {name: column.astype(np.int64) for name, column in zip(NAMES, told, strict=True)},
    )  # fmt: skip


def certificate(view: AskedGraph, failed: list[int], spared: list[int], told: Columns) -> tuple[Certificate, list[str]]:
    """The certificate of columns without faults, in the numbers of a graph; and what of it is not there."""
    finding = _Finding(view, told)
    column, none = told.told, np.empty(0, np.int64)
    cis = finding.cis
    own = column["claim_relation"] >= 0
    claimed = column["claim_relation"].copy()
    claimed[own] = finding.gates(*(column[f"claim_{name}"][own] for name in ("ci", "relation", "over")))
    held, cut = (
        finding.gates(*(column[f"{part}_{name}"] for name in ("ci", "relation", "over"))) for part in PARTS[1:]
    )
    made = Certificate(
        view.projection.revision, _ascending(failed), none, _ascending(spared), cis[column["claim_ci"]],
        column["claim_state"], column["claim_rank"], claimed, held, column["held_lost"], cut,
        cis[column["cut_provider"]], column["cut_rank"], none,
    )  # fmt: skip
    return made, finding.problems


def _ascending(numbers: list[int]) -> Longs:
    return np.asarray(sorted(set(numbers)), np.int64)


@dataclass
class _Finding:
    """From names to numbers; what is not there is a problem, and 0."""

    view: AskedGraph
    told: Columns
    problems: list[str] = field(default_factory=list)
    cis: Longs = field(init=False)

    def __post_init__(self) -> None:
        projection = self.view.projection
        found = projection.index.matching(self.told.high, self.told.low)
        if len(projection):
            found = np.where((found >= 0) & (projection.ended_at[found] == GONE), -1, found)
        for row in np.flatnonzero(found < 0)[:LOOKED_UP].tolist():  # of another that it was merged into, or of none
            living = self.view.there([self._id(row)])
            found[row] = living[0] if living else -1
        self._tell(found < 0, lambda row: f"there is no CI {self._id(row)}")
        self.cis = np.maximum(found, 0)

    def gates(self, ci: Longs, relation: Longs, over: Longs) -> Longs:
        """The gates of these consumers (rows of the ids), of these types and over these names."""
        projection = self.view.projection
        consumers = np.unique(self.cis[ci])
        gate = projection.listed.gate.take(spans(projection.gates_of.first, projection.gates_of.last, consumers))
        type_ = _renamed(projection.gates.type[gate], projection.rules.types.__getitem__, self.told.relations)
        key = _renamed(
            projection.gates.key[gate], lambda key: (projection.rules.key_name(key), key >= 0), self.told.overs
        )
        listed = np.flatnonzero((type_ >= 0) & (key >= 0))
        mine = self._key(projection.gates.consumer[gate[listed]], type_[listed], key[listed])
        wanted, order = self._key(self.cis[ci], relation, over), np.argsort(mine, kind="stable")
        place = np.searchsorted(mine, wanted, sorter=order)
        found = np.full(len(ci), -1, np.int64)
        near = np.flatnonzero(place < len(order))
        at = order[place[near]]
        right = mine[at] == wanted[near]
        found[near[right]] = gate[listed[at[right]]]
        self._tell(found < 0, lambda row: self._gate(int(ci[row]), int(relation[row]), int(over[row])))
        return np.maximum(found, 0)

    def _key(self, consumer: Numbers, relation: Longs, over: Longs) -> Longs:
        """One number for the three; that of no gate, where -1 is told."""
        sizes = len(self.told.relations) + 1, len(self.told.overs) + 1
        return (consumer.astype(np.int64) * sizes[0] + relation + 1) * sizes[1] + over + 1

    def _id(self, row: int) -> str:
        return str(UUID(int=(int(self.told.high[row]) << 64) | int(self.told.low[row])))

    def _gate(self, ci: int, relation: int, over: int) -> str:
        if over < 0:
            return "a claim that names no gate did not fail by itself and was not cut off"
        return f"{self._id(ci)} has no gate {self.told.relations[relation]} over {self.told.overs[over][0]}"

    def _tell(self, wrong: Bools, words: Callable[[int], str]) -> None:
        rows = np.flatnonzero(wrong).tolist()
        self.problems += [words(row) for row in rows[:TOLD]]
        if len(rows) > TOLD:
            self.problems.append(f"and {len(rows) - TOLD} more like it")


def _renamed(codes: Numbers, name: Callable[[int], object], names: tuple[object, ...]) -> Longs:
    """Numbers of the projection as rows of a list of names; -1 for what is not listed."""
    if not len(codes):
        return np.empty(0, np.int64)
    place = {told: row for row, told in enumerate(names)}
    known, which = np.unique(codes, return_inverse=True)
    return np.asarray([place.get(name(code), -1) for code in known.tolist()], np.int64)[which]
