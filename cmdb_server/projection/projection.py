"""The columnar read model: CIs, gates and the lists that impact runs along. Read-only; one for each revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cmdb_server.errors import NotFound
from cmdb_server.model.gates import Gate, Threshold, threshold
from cmdb_server.projection.columns import Bools, Ints, Longs, Rows, spans
from cmdb_server.projection.gates import Gates, Members, Slots
from cmdb_server.projection.identities import Index, Names
from cmdb_server.projection.network import Network, Wiring
from cmdb_server.projection.rules import Overrides, Rules
from cmdb_server.projection.scratch import Pool

GONE, DELETED = -2, -3
"""In place of the time a CI ended: it was taken out of the store; people deleted it."""


@dataclass(frozen=True, slots=True, eq=False)
class Direct(Rows):
    """Consumers that fail with the provider; ``gate`` says by which gate."""

    consumer: Ints
    gate: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Counted(Rows):
    """Gates in which the provider counts, and how much."""

    slot: Ints
    weight: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Listed(Rows):
    """Gate numbers, the gates of one consumer side by side."""

    gate: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """``first`` to ``last`` (without it): each CI's part of a list."""

    first: Ints
    last: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """The graph at one revision. CIs are numbered from 0; numbers are kept from revision to revision.

    ``class_of``: number of the class; ``ended_at``: milliseconds, -1 while some source claims the CI, ``GONE`` or ``DELETED``;
    ``retired``: ended for longer than its class allows, or deleted, so that it counts nowhere;
    ``next_retirement``: when the next one will be. ``overrides``: the gates that CIs set; ``refused``: why what they
    set is no gate; ``member_rules``: by which services have members, which are no part of this graph yet.
    """

    revision: int
    rules: Rules
    index: Index
    names: Names
    class_of: Ints
    ended_at: Longs
    retired: Bools
    next_retirement: int | None
    overrides: Mapping[int, Overrides]
    refused: Mapping[int, str]
    gates: Gates
    members: Members
    slots: Slots
    gates_of: Bounds
    listed: Listed
    direct_of: Bounds
    direct: Direct
    counted_of: Bounds
    counted: Counted
    wiring: Wiring
    member_rules: Mapping[int, str] = field(default_factory=dict)
    pool: Pool = field(default_factory=Pool)

    def __len__(self) -> int:
        """How many CIs, retired ones included."""
        return len(self.class_of)

    def ci(self, id_: str) -> int:
        """The CI's number. Raises ``NotFound`` naming the id."""
        return int(self.cis([id_])[0])

    def cis(self, ids: Sequence[str]) -> Longs:
        """The CIs' numbers. Raises ``NotFound`` naming the first id that is not there."""
        try:
            found = self.index.find(ids)
        except ValueError:
            found = np.asarray([self._find_one(id_) for id_ in ids], np.int64)
        if len(self):
            found = np.where(self.ended_at[found] == GONE, -1, found)
        for row in np.flatnonzero(found < 0).tolist():
            raise NotFound(f"there is no CI {ids[row]!r}", id=ids[row])
        return found

    def id(self, ci: int) -> str:
        return self.index.id(ci)

    def class_name(self, ci: int) -> str:
        return self.rules.classes[int(self.class_of[ci])]

    def gates_by(self, consumer: int) -> Ints:
        """The numbers of the CI's gates."""
        return self.listed.gate[self.gates_of.first[consumer] : self.gates_of.last[consumer]]

    def members_of(self, gate: int) -> Ints:
        """The providers that count in the gate."""
        return self.members.provider[self.gates.first[gate] : self.gates.last[gate]]

    def providers_of(self, consumers: Longs) -> tuple[Ints, Ints]:
        """(gate, provider) of every member of every gate of ``consumers``."""
        gate = self.listed.gate.take(spans(self.gates_of.first, self.gates_of.last, consumers))
        first, last = self.gates.first, self.gates.last
        return np.repeat(gate, last.take(gate) - first.take(gate)), self.members.provider.take(spans(first, last, gate))

    def weights_of(self, gate: int) -> Ints:
        """What each of ``members_of`` counts."""
        weight = self.members.weight[self.gates.first[gate] : self.gates.last[gate]]
        return weight if self.definition(gate).weighs else np.ones_like(weight)

    def weighs(self) -> Bools:
        """By number of a definition, whether its members count with their weight."""
        return np.asarray([gate.weighs for gate in self.rules.gates.values], bool)

    def definition(self, gate: int) -> Gate:
        return self.rules.gates[int(self.gates.rule[gate])]

    def threshold(self, gate: int) -> Threshold:
        return threshold(self.definition(gate), int(self.weights_of(gate).sum()))

    def relation_type(self, gate: int) -> str:
        return self.rules.types[int(self.gates.type[gate])]

    def key_name(self, gate: int) -> str:
        """The gate's group, or the class of its providers."""
        return self.rules.key_name(int(self.gates.key[gate]))

    def network(self) -> Network | None:
        """Links and gateways; None where no links are known."""
        return self.wiring.network(self)

    def retires_by(self, now: int) -> bool:
        """Whether some CI that ended has retired since."""
        return self.next_retirement is not None and now >= self.next_retirement

    def _find_one(self, id_: str) -> int:
        try:
            return int(self.index.find([id_])[0])
        except ValueError:
            return -1
