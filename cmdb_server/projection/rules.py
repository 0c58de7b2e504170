"""Which gate applies: that of the relation type, unless the consumer's class or the consumer itself sets another.

A class (``gates``) and a CI (its attribute ``gate``) set gates by key::

    {"powered_by": {"kind": "at_least", "k": 2}}              every gate of that relation type
    {"depends_on/database": {"kind": "at_least", "k": 1}}     only the one over that group, or class of provider

A CI's attribute may also be one bare gate, ``{"kind": "at_least", "k": 2}``: it then holds for the gates over what makes
the CI up, the relation types whose default is not ``all`` (members of a cluster, pool members, power feeds), and leaves
plain dependencies as they are. The longer key wins over the shorter, the CI over its class, a class over its parents.
A value that is no gate is left out and kept as ``refused`` with its reason: agents may send anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from cmdb_schemas.ci_class import CIClass, Life
from cmdb_schemas.relations import Gate as DefinedGate
from cmdb_schemas.relations import RelationType
from cmdb_server.errors import Invalid
from cmdb_server.model.gates import ALL, Gate
from cmdb_server.projection.columns import Interned, Ints

Impact = Literal["from_to", "to_from", "both", "none"]
BARE = ""
FORWARDING = frozenset({"network_device", "stack"})
PARTS = frozenset({"network_interface", "ip_address", "module"})
NETWORKS = frozenset({"ip_network", "vlan"})

Overrides = Mapping[str, Gate]


@dataclass(frozen=True, slots=True)
class Flow:
    """One relation type as the projection sees it. ``gate`` None: it carries no impact by edges. ``grouped``: the gate
    over providers that stand in a named group, where that differs. ``crosses``: it works over the network; ``places``:
    the consumer stands in the network where its providers do."""

    name: str
    impact: Impact
    gate: Gate | None
    grouped: Gate | None = None
    link: bool = False
    crosses: bool = False
    places: bool = False

    @classmethod
    def of(cls, kind: RelationType) -> Flow:
        """The relation type as its definition has it."""
        if kind.gate is None or kind.gate.kind == "path":
            return cls(kind.name, kind.impact, None, link=kind.gate is not None)
        return cls(
            kind.name, kind.impact, _gate(kind.gate), _gate(kind.grouped) if kind.grouped else None,
            crosses=kind.network == "crosses", places=kind.network == "places",
        )  # fmt: skip

    def default(self, key: int) -> Gate:
        """What holds for the gate over this key unless anyone sets another."""
        return (self.grouped if key >= 0 else None) or self.gate or ALL


def _gate(value: DefinedGate) -> Gate:
    if value.kind == "at_least":
        return Gate("at_least", value.need, value.percent, value.inclusive, None, value.want)
    if value.kind == "weighted":
        return Gate("weighted", None, value.percent, value.inclusive, value.need, value.want)
    return Gate.of({"kind": value.kind})


@dataclass(slots=True)
class Rules:
    """Relation types, classes and gates, numbered. ``flows`` in order of their numbers; ``gates`` are all gates that
    apply anywhere; ``groups`` are the groups that relations name. Classes, their heirs included, by what they are in a
    network: ``forwarding`` pass on what is not for them, ``parts`` belong to a device, ``networks`` are no devices.
    ``lives``: after how long a class's CIs age."""

    flows: tuple[Flow, ...]
    class_gates: Mapping[str, Overrides] = field(default_factory=dict)
    ancestors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    retired_ms: Mapping[str, int] = field(default_factory=dict)
    forwarding: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    lives: Mapping[str, Life] = field(default_factory=dict)
    gates: Interned[Gate] = field(default_factory=lambda: Interned([ALL]))
    classes: Interned[str] = field(default_factory=Interned)
    groups: Interned[str] = field(default_factory=Interned)
    types: Interned[str] = field(init=False)

    @classmethod
    def of(cls, types: Mapping[str, RelationType], classes: Mapping[str, CIClass]) -> Rules:
        """As the files of relation types and classes have them."""
        return cls(
            tuple(Flow.of(kind) for kind in types.values()),
            {name: overrides_of(dict(kind.gates)) for name, kind in classes.items() if kind.gates},
            ancestors={name: kind.ancestors for name, kind in classes.items()},
            retired_ms={name: kind.life.retired_ms for name, kind in classes.items() if kind.life},
            forwarding=FORWARDING,
            parts=PARTS,
            networks=NETWORKS,
            lives={name: kind.life for name, kind in classes.items() if kind.life},
        )

    def __post_init__(self) -> None:
        self.types = Interned(flow.name for flow in self.flows)

    def key_name(self, key: int) -> str:
        """The group's or class's name."""
        return self.groups[key] if key >= 0 else self.classes[-1 - key]

    def lineage(self, class_name: str) -> tuple[str, ...]:
        """The class and its ancestors, nearest first."""
        return (class_name, *self.ancestors.get(class_name, ()))

    def codes(self, class_of: Ints, type_: Ints, key: Ints) -> Ints:
        """The gate number of each gate by its consumer's class, relation type and key; CI overrides come after."""
        alone, grouped = ([self.gates.code(flow.default(key_)) for flow in self.flows] for key_ in (-1, 0))
        codes = np.where(key >= 0, np.asarray(grouped, np.int32)[type_], np.asarray(alone, np.int32)[type_])
        for name, overrides in self._by_class():
            rows = np.flatnonzero(class_of == self.classes.code(name))
            kinds, which = np.unique(np.stack((type_[rows], key[rows])), axis=1, return_inverse=True)
            for place, (kind, key_) in enumerate(kinds.T.tolist()):
                gate = self.pick(overrides, kind, key_)
                if gate is not None:
                    codes[rows[which == place]] = self.gates.code(gate)
        return codes

    def pick(self, overrides: Overrides, type_: int, key: int) -> Gate | None:
        """What these overrides say of one gate; None when nothing."""
        flow = self.flows[type_]
        exact = overrides.get(f"{flow.name}/{self.key_name(key)}") or overrides.get(flow.name)
        if exact is None and flow.default(key).kind != "all":
            return overrides.get(BARE)
        return exact

    def _by_class(self) -> Iterator[tuple[str, Overrides]]:
        """Classes met so far that set gates, their ancestors' included."""
        for name in list(self.classes.values) if self.class_gates else ():
            merged: dict[str, Gate] = {}
            for ancestor in reversed(self.lineage(name)):
                merged.update(self.class_gates.get(ancestor, {}))
            if merged:
                yield name, merged


def overrides_of(value: Any, path: str = "gate") -> Overrides:
    """The gates of a CI's attribute ``gate``. Raises ``Invalid`` with the path."""
    if isinstance(value, Mapping) and "kind" in value:
        return {BARE: Gate.of(value, path)}
    if not isinstance(value, Mapping):
        problem = "must be a gate or a mapping from relation type to gate"
        raise Invalid(f"{path}: {problem}", errors=[{"path": path, "message": problem}])
    return {str(name): Gate.of(gate, f"{path}.{name}") for name, gate in value.items()}
