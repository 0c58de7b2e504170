"""Large random estates as arrays: layers from sites to services, with pools and feeds between them.

Every CI above the first layer hangs on one CI below it; some have a second plain dependency; about 70 % have a group of
2 to 6 providers under a gate of their own. The gates over groups are mixed: ``all``, ``at_least`` (count and percent),
``weighted`` and ``degrade_only``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from cmdb_server.model.gates import ALL, Gate
from cmdb_server.projection.build import CIColumns, RelationColumns, assemble
from cmdb_server.projection.columns import Ints
from cmdb_server.projection.identities import Identities, Index, Names
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Flow, Rules

LAYERS = (
    ("site", 0.000002), ("rack", 0.002), ("switch", 0.008), ("hypervisor", 0.04), ("server", 0.2),
    ("database_instance", 0.15), ("application", 0.45), ("application_service", 0.12), ("business_service", 0.03),
)  # fmt: skip
"""Classes from the ground up, with their share of all CIs."""

FLOWS = (
    Flow("runs_on", "to_from", ALL),
    Flow("depends_on", "to_from", ALL),
    Flow("needs_each", "to_from", ALL),
    Flow("load_balances", "to_from", Gate("at_least", k=1)),
    Flow("powered_by", "to_from", Gate("at_least", k=2)),
    Flow("replicated_on", "to_from", Gate("at_least", percent=50)),
    Flow("consists_of", "to_from", Gate("weighted", percent=50)),
    Flow("uses", "to_from", Gate("degrade_only")),
)
GROUPED = (("needs_each", 0.25), ("load_balances", 0.3), ("powered_by", 0.1), ("replicated_on", 0.1),
           ("consists_of", 0.15), ("uses", 0.1))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estate:
    """``layer``: first CI of each layer, and the number of CIs at the end."""

    rules: Rules
    cis: CIColumns
    relations: RelationColumns
    layer: Ints

    def projection(self) -> Projection:
        return assemble(self.cis, self.relations, self.rules, 1, 0)

    def gates_of_several(self, projection: Projection) -> int:
        """How many gates are over more than one provider."""
        return int(np.count_nonzero(projection.gates.last - projection.gates.first > 1))

    def gate_mix(self, projection: Projection) -> str:
        """How many gates over more than one provider there are of each kind."""
        several = np.flatnonzero(projection.gates.last - projection.gates.first > 1)
        counts = Counter[str]()
        for code, count in zip(*np.unique(projection.gates.rule[several], return_counts=True), strict=True):
            counts[projection.rules.gates[int(code)].kind] += int(count)
        parts = ", ".join(f"{kind} {count:,}" for kind, count in counts.most_common())
        return f"{len(several):,} gates over several providers: {parts}"


def estate(cis: int = 1_000_000, relations: int = 4_000_000, seed: int = 1, redundant: float = 0.0) -> Estate:
    """A random estate of this size. ``redundant``: the share of CIs with a group that stand on the group alone; with
    none of them everything falls with its site, with many a large failure leaves many degraded."""
    dice = np.random.default_rng(seed)
    rules = Rules(FLOWS)
    for name, _ in LAYERS:
        rules.classes.code(name)
    share = np.cumsum([part for _, part in LAYERS])
    layer = np.append(0, np.maximum(np.arange(len(LAYERS)) + 1, (share / share[-1] * cis).astype(int))).astype(np.int32)
    class_of = np.repeat(np.arange(len(LAYERS), dtype=np.int32), np.diff(layer))
    return Estate(rules, _cis(dice, class_of), _relations(dice, rules, class_of, layer, relations, redundant), layer)


def _cis(dice: np.random.Generator, class_of: Ints) -> CIColumns:
    size = len(class_of)
    high, low = (
        np.sort(dice.integers(0, 2**63, size).astype(np.uint64)),
        dice.integers(0, 2**63, size).astype(np.uint64),
    )
    names = Names.of(f"{LAYERS[layer][0]}-{ci}" for ci, layer in enumerate(class_of.tolist()))
    return CIColumns(Index.of(Identities.of(high, low)), names, class_of, np.full(size, -1, np.int64), {}, {})


def _relations(
    dice: np.random.Generator, rules: Rules, class_of: Ints, layer: Ints, wanted: int, redundant: float
) -> RelationColumns:
    upper = np.arange(layer[1], len(class_of))
    base = _one_below(dice, upper, class_of, layer)
    grouped = upper[dice.random(len(upper)) < 0.7]
    size = dice.integers(2, 7, len(grouped))
    kind = dice.choice(len(GROUPED), len(grouped), p=[part for _, part in GROUPED])
    codes = np.asarray([rules.types.code(name) for name, _ in GROUPED])
    member = np.repeat(grouped, size)
    plain = upper[dice.random(len(upper)) < max(0, wanted - len(upper) - len(member)) / len(upper)]
    hung = np.setdiff1d(upper, grouped[dice.random(len(grouped)) < redundant]) if redundant else upper
    plain = plain[np.isin(plain, hung)]
    parts = [
        (hung, np.full(len(hung), rules.types.code("runs_on")), base[np.isin(upper, hung)]),
        (plain, np.full(len(plain), rules.types.code("depends_on")), _one_below(dice, plain, class_of, layer)),
        (member, np.repeat(codes[kind], size), _one_below(dice, member, class_of, layer)),
    ]
    from_, type_, to = (np.concatenate(column).astype(np.int32) for column in zip(*parts, strict=True))
    group = np.full(len(from_), -1, np.int32)
    group[len(from_) - len(member) :] = rules.groups.code("group")
    return RelationColumns(from_, type_, to, group, dice.integers(1, 4, len(from_)).astype(np.int32))


def _one_below(dice: np.random.Generator, cis: Ints, class_of: Ints, layer: Ints) -> Ints:
    """A CI of a lower layer for each, mostly of the next one; popular ones are taken more often."""
    below = np.maximum(class_of[cis] - 1 - (dice.random(len(cis)) < 0.25), 0)
    first, last = layer[below], layer[below + 1]
    return (first + (last - first) * dice.random(len(cis)) ** 2).astype(np.int32)
