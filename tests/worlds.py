"""Small random estates as rows of the store, and a slow exact evaluation of impact on them.

The evaluation knows the definitions only: it takes rows, counts with fractions, and shares no code with the server.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import networkx as nx
from hypothesis import strategies as st

from cmdb_server.model.gates import ALL, Gate
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Flow, Rules
from tests.wires import CROSSING, HOLDS, LINK, PLACING, ROUTES, RUNS, Wires

UP, DEGRADED, DOWN = 0, 1, 2
NOW = 1_800_000_000_000
CLASSES = ("server", "database", "service")
DEFAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "depends_on": ("to_from", {"kind": "all"}),
    "member_of": ("from_to", {"kind": "at_least", "k": 1}),
    "peers_with": ("both", {"kind": "all"}),
    "located_near": ("none", {"kind": "all"}),
    LINK: ("none", {}),
    HOLDS: ("from_to", {"kind": "all"}),
    ROUTES: ("to_from", {"kind": "at_least", "k": 1}),
    RUNS: ("to_from", {"kind": "all"}),
}


def rules() -> Rules:
    return Rules(
        tuple(
            Flow(
                name,
                impact,
                None if impact == "none" else Gate.of(gate),  # type: ignore[arg-type]
                link=name == LINK,
                crosses=name in CROSSING,
                places=name in PLACING,
            )
            for name, (impact, gate) in DEFAULTS.items()
        ),
        forwarding=frozenset({"switch"}),
        parts=frozenset({"port"}),
        networks=frozenset({"subnet"}),
    )


def name_id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


def ci_row(
    name: str, class_name: str = "server", attributes: Any = None, ended_at: int | None = None, deleted: int = 0
) -> tuple[Any, ...]:
    return (name_id(name), class_name, name, "", 0, attributes or {}, 1, ended_at, deleted)


def relation_row(
    from_: str, type_: str, to: str, group: str | None = None, weight: int | None = None
) -> tuple[Any, ...]:
    return (name_id(from_), type_, name_id(to), group, weight, 1.0, 0, 0, 1)


@dataclass(frozen=True)
class World:
    """CIs named by number. ``relations``: from, type, to, group, weight. ``gates``: CI -> its ``gate`` attribute.
    ``classes``: in turn."""

    size: int
    relations: tuple[tuple[int, str, int, str | None, int | None], ...]
    gates: dict[int, Any]
    retired: frozenset[int] = frozenset()
    classes: tuple[str, ...] = CLASSES

    def class_of(self, ci: int) -> str:
        return self.classes[ci % len(self.classes)]

    def rows(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        cis = [
            ci_row(
                str(ci), self.class_of(ci), {"gate": self.gates[ci]} if ci in self.gates else {},
                0 if ci in self.retired else None,
            )
            for ci in range(self.size)
        ]  # fmt: skip
        return cis, [
            relation_row(str(a), type_, str(b), group, weight) for a, type_, b, group, weight in self.relations
        ]

    def projection(self) -> Projection:
        cis, relations = self.rows()
        return from_rows(cis, relations, rules(), 1, NOW)

    def gate_members(self) -> dict[tuple[int, str, str], dict[int, int]]:
        """(consumer, type, key) -> provider -> weight."""
        gates: dict[tuple[int, str, str], dict[int, int]] = {}
        for from_, type_, to, group, weight in self.relations:
            impact = DEFAULTS[type_][0]
            pairs = [(from_, to)] if impact == "to_from" else [(to, from_)] if impact == "from_to" else []
            pairs = [(from_, to), (to, from_)] if impact == "both" else pairs
            for consumer, provider in pairs:
                if consumer == provider or {consumer, provider} & self.retired:
                    continue
                members = gates.setdefault((consumer, type_, group or self.class_of(provider)), {})
                members[provider] = max(members.get(provider, 0), weight or 1)
        return gates

    def definition(self, consumer: int, type_: str, key: str) -> dict[str, Any]:
        default = DEFAULTS[type_][1]
        own = self.gates.get(consumer)
        if own is None:
            return default
        if "kind" in own:
            return own if default["kind"] != "all" else default
        return own.get(f"{type_}/{key}") or own.get(type_) or default


@dataclass(frozen=True)
class Truth:
    """States and rounds by CI, of the affected only. ``cut``: (consumer, provider) whose ends came apart, and when."""

    state: dict[int, int]
    rank: dict[int, int]
    cut: dict[tuple[int, int], int]

    def down(self) -> set[int]:
        return {ci for ci, state in self.state.items() if state == DOWN}


def needs(gate: dict[str, Any], total: Fraction) -> tuple[Fraction, Fraction]:
    """(need, want) of a gate by its definition."""
    kind = gate["kind"]
    if kind in ("all", "degrade_only"):
        return (total if kind == "all" else Fraction(0)), total
    asked = gate.get("k", gate.get("t"))
    wanted = Fraction(asked) if asked is not None else total * Fraction(gate["percent"], 100)
    # With whole members, "not more than wanted" is the same as "less than the next whole number".
    enough = wanted.__floor__() + 1 if gate.get("inclusive") else wanted
    need = min(enough, total)
    want = gate.get("want")
    want = (total if kind == "weighted" else need) if want is None else min(Fraction(want), total)
    return Fraction(need), Fraction(max(need, want))


def gate_state(gate: dict[str, Any], weights: dict[int, int], down: set[int], limp: set[int]) -> int:
    """The state of one gate by its definition, in fractions."""
    kind = gate["kind"]
    count = weights if kind == "weighted" else dict.fromkeys(weights, 1)
    total = Fraction(sum(count.values()))
    serving = Fraction(sum(weight for ci, weight in count.items() if ci not in down))
    fully = Fraction(sum(weight for ci, weight in count.items() if ci not in down and ci not in limp))
    if kind in ("all", "degrade_only"):
        worst = DOWN if kind == "all" else DEGRADED
        return worst if serving < total else DEGRADED if fully < total else UP
    need, want = needs(gate, total)
    if serving < need:
        return DOWN
    return DEGRADED if fully < need or serving < want else UP


def evaluate(
    world: World,
    failed: set[int],
    not_impacted: set[int] = frozenset(),
    degraded: set[int] = frozenset(),  # type: ignore[assignment]
) -> Truth:
    """Round by round from ``failed``: first who is down, then who is degraded given who is down. Once gates take nobody
    down any more, whoever has lost the way to all gateways is down, and whoever lost the way to a provider has lost the
    provider, and so on."""
    gates = world.gate_members()
    wires = Wires.of(world)
    gated = wires.with_a_way(set())
    over = {(key[0], provider) for key, members in gates.items() if key[1] in CROSSING for provider in members}
    touching = {pair for pair in over if wires.in_touch(pair, set())}
    down, cut = dict.fromkeys(failed, 0), dict[tuple[int, int], int]()
    rank = 0

    def lost(key: tuple[int, str, str], before: int) -> set[int]:
        away = {p for (c, p), at in cut.items() if c == key[0] and at < before} if key[1] in CROSSING else set()
        return away | {ci for ci, at in down.items() if at < before}

    while True:
        rank += 1
        seen = set(down)
        fresh = {
            key[0]
            for key, members in gates.items()
            if key[0] not in down and key[0] not in not_impacted
            and gate_state(world.definition(*key), members, lost(key, rank), set()) == DOWN
        }  # fmt: skip
        apart: set[tuple[int, int]] = set()
        if not fresh:
            fresh = gated - wires.with_a_way(seen) - seen - set(not_impacted)
            open_ = {pair for pair in touching - set(cut) if not set(pair) & (seen | set(not_impacted))}
            apart = {pair for pair in open_ if not wires.in_touch(pair, seen)}
        if not fresh and not apart:
            break
        down |= dict.fromkeys(fresh, rank)
        cut |= dict.fromkeys(apart, rank)
    limp = _limping(world, down, degraded, not_impacted, lost)
    state = dict.fromkeys(down, DOWN) | dict.fromkeys(limp, DEGRADED)
    return Truth(state, {**down, **limp}, cut)


def _limping(
    world: World, down: Mapping[int, int], degraded: Set[int], not_impacted: Set[int],
    lost: Callable[[tuple[int, str, str], int], set[int]],
) -> dict[int, int]:  # fmt: skip
    """Who is degraded, and since which round, given who is down."""
    gates = world.gate_members()
    limp = dict.fromkeys(degraded - down.keys(), 0)
    for rank in range(1, 4 * world.size + 5):
        soft = {ci for ci, at in limp.items() if at < rank}
        fresh = {
            key[0]
            for key, members in gates.items()
            if key[0] not in down and key[0] not in limp and key[0] not in not_impacted
            and gate_state(world.definition(*key), members, lost(key, rank), soft) == DEGRADED
        }  # fmt: skip
        limp |= dict.fromkeys(fresh, rank)
    return limp


def digraph(world: World) -> nx.DiGraph[int]:
    """Provider to consumer, over all gates."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(world.size))
    graph.add_edges_from((provider, key[0]) for key, members in world.gate_members().items() for provider in members)
    return graph


def gate_values() -> st.SearchStrategy[dict[str, Any]]:
    small, percent = st.integers(0, 5), st.integers(0, 100)
    flags = st.fixed_dictionaries({}, optional={"inclusive": st.booleans(), "want": small})
    counts = st.one_of(
        st.tuples(st.just("at_least"), st.fixed_dictionaries({"k": small})),
        st.tuples(st.just("at_least"), st.fixed_dictionaries({"percent": percent})),
        st.tuples(st.just("weighted"), st.fixed_dictionaries({"t": st.integers(0, 9)})),
        st.tuples(st.just("weighted"), st.fixed_dictionaries({"percent": percent})),
    )
    counting = st.builds(lambda kind, more: {"kind": kind[0], **kind[1], **more}, counts, flags)
    return st.one_of(st.sampled_from([{"kind": "all"}, {"kind": "degrade_only"}]), counting)


def dense_world(seed: int, size: int) -> World:
    """A world of pools and feeds whose gates often lose some members and hold."""
    dice = random.Random(seed)
    relations: dict[tuple[int, str, int], tuple[int, str, int, str | None, int | None]] = {}
    for consumer in range(size):
        for pool in ("pool", "feed", None)[: dice.randrange(4)]:
            for provider in dice.sample(range(size), min(size, dice.randrange(2, 6) if pool else 1)):
                type_ = dice.choice(("depends_on", "depends_on", "member_of"))
                ends = (provider, consumer) if type_ == "member_of" else (consumer, provider)
                weight = dice.choice((None, 1, 2, 3))
                relations.setdefault((ends[0], type_, ends[1]), (ends[0], type_, ends[1], pool, weight))
    gates = {ci: dice_gates(dice) for ci in range(size) if dice.random() < 0.8}
    retired = frozenset(dice.sample(range(size), dice.randrange(2)))
    return World(size, tuple(relations.values()), gates, retired)


def dice_gates(dice: random.Random, bare: float = 0.3) -> dict[str, Any]:
    value = {
        "at_least": {"k": dice.randrange(1, 4)},
        "percent": {"percent": dice.randrange(0, 101), "inclusive": dice.random() < 0.3},
        "weighted": {"t": dice.randrange(1, 9)},
        "degrade_only": {},
        "all": {},
    }
    kind = dice.choice(("at_least", "at_least", "percent", "weighted", "weighted", "degrade_only", "all"))
    gate = {"kind": "at_least" if kind == "percent" else kind, **value[kind]}
    if kind in ("at_least", "weighted") and dice.random() < 0.3:
        gate["want"] = dice.randrange(1, 8)
    return gate if dice.random() < bare else {"depends_on/pool": gate, "depends_on/feed": dict(gate), "member_of": gate}


def worlds(largest: int = 40) -> st.SearchStrategy[World]:
    """Both kinds: drawn ones, which shrink well, and dense ones."""
    dense = st.builds(dense_world, st.integers(0, 2**32), st.integers(2, largest))
    return st.one_of(drawn_worlds(largest), dense, dense)


@st.composite
def drawn_worlds(draw: st.DrawFn, largest: int = 40) -> World:
    size = draw(st.integers(2, largest))
    cis = st.integers(0, size - 1)
    relation = st.tuples(
        cis, st.sampled_from(["depends_on", "depends_on", "member_of", "peers_with", "located_near"]), cis,
        st.sampled_from([None, None, "pool", "feed"]), st.sampled_from([None, 1, 2, 3]),
    )  # fmt: skip
    relations = draw(st.lists(relation, max_size=3 * size, unique_by=lambda row: row[:3]))
    keys = [f"{type_}{part}" for type_ in ("depends_on", "member_of") for part in ("", "/pool", "/server")]
    own = st.one_of(gate_values(), st.dictionaries(st.sampled_from(keys), gate_values(), max_size=3))
    gates = draw(st.dictionaries(cis, own, max_size=size))
    retired = draw(st.frozensets(cis, max_size=2))
    return World(size, tuple(relations), gates, retired)


__all__ = ["ALL", "DEGRADED", "DOWN", "NOW", "UP", "Truth", "World", "evaluate", "rules", "worlds"]
