"""Small graphs by names, and verdicts on them: what the published cases of other systems are stated in.

Systems with many statuses are stated as one graph with a node for each CI and severity cut: the node is down when the
CI is that bad or worse, and the answer is the highest cut that is down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar
from uuid import NAMESPACE_OID, uuid5

from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.model.gates import ALL, Gate
from cmdb_server.projection.build import HEAVIEST, from_rows
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Flow, Rules
from cmdb_server.store.port import Row
from cmdb_server.store.tables import CI

Case = dict[str, Any]
MOST = 2**31 - 1
"""What the weights of a gate add up to at most."""


class OutsideError(Exception):
    """Gates cannot state a case; the words say why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``outside``: why our gates cannot state the case; else ``expected`` and ``got``. ``unread``: fields of the case
    that took no part in it."""

    case: str
    expected: Any = None
    got: Any = None
    outside: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return self.outside is not None or self.expected == self.got


def _at_once(cis: Sequence[Row], relations: Sequence[Row], rules: Rules) -> Projection:
    return from_rows(cis, relations, rules, 1, 0)


@dataclass
class Graph:
    """A small graph by names: ``need`` adds a gate over its providers, each with its weight. ``through``: how rows of
    the tables ``ci`` and ``relation`` become a projection."""

    through: ClassVar[staticmethod[[Sequence[Row], Sequence[Row], Rules], Projection]] = staticmethod(_at_once)

    gates: dict[str, dict[str, Gate]] = field(default_factory=dict)
    relations: list[tuple[str, str, str, int]] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)

    def need(self, consumer: str, gate: Gate, providers: Sequence[str], weights: Sequence[int] | None = None) -> None:
        if weights and (max(weights) > HEAVIEST or sum(weights) > MOST):
            raise OutsideError(f"weights of {max(weights)} are more than a relation can have")
        own = self.gates.setdefault(consumer, {})
        group = f"g{len(own)}"
        own[f"t{len(own)}/{group}"] = gate
        self.names.setdefault(consumer)
        for place, provider in enumerate(providers):
            if provider in providers[:place]:
                continue  # a provider counts once in a gate
            self.names.setdefault(provider)
            weight = 1 if weights is None else weights[place]
            self.relations.append((consumer, group, provider, weight))

    def projection(self) -> Projection:
        flows = max(map(len, self.gates.values()), default=1)
        rules = Rules(tuple(Flow(f"t{number}", "to_from", ALL) for number in range(flows)))
        cis = [ci_row(name, self.gates.get(name, {})) for name in self.names]
        relations = [
            (name_id(consumer), f"t{group[1:]}", name_id(provider), group, weight, 1.0, 0, 0, 1)
            for consumer, group, provider, weight in self.relations
        ]
        return self.through(cis, relations, rules)

    def hops(self, failed: Sequence[str], spared: Sequence[str] = ()) -> dict[str, int]:
        """How many rounds of derivation each affected CI is away, by name."""
        projection, answer = self._answer(failed, spared)
        return {projection.names[ci]: hops for ci, hops in zip(answer.ci.tolist(), answer.rank.tolist(), strict=True)}

    def fail(self, failed: Sequence[str], spared: Sequence[str] = ()) -> dict[str, int]:
        """State by name of all affected. Each answer is verified."""
        projection, answer = self._answer(failed, spared)
        affected = zip(answer.ci.tolist(), answer.state.tolist(), strict=True)
        return {projection.names[ci]: state for ci, state in affected}

    def _answer(self, failed: Sequence[str], spared: Sequence[str]) -> tuple[Projection, Impact]:
        projection = self.projection()
        sources = [projection.ci(name_id(name)) for name in failed if name in self.names]
        excluded = [projection.ci(name_id(name)) for name in spared if name in self.names]
        answer = impact(projection, sources, excluded)
        problems = check(projection, answer.certificate())
        assert not problems, problems
        return projection, answer


def ci_row(name: str, gates: Mapping[str, Gate]) -> Row:
    """The CI of that name, as in the table ``ci``."""
    told = {"id": name_id(name), "class": "ci", "name": name, "parent": None, "ended_at": None,
            "attributes": {"gate": {key: gate.value() for key, gate in gates.items()}}}  # fmt: skip
    return tuple(told.get(column, 0) for column, _ in CI.columns)


def name_id(name: str) -> str:
    return str(uuid5(NAMESPACE_OID, name))


@dataclass
class Levels:
    """A graph with one node for each CI and severity cut of ``order`` above its first."""

    order: Sequence[str]
    graph: Graph = field(default_factory=Graph)
    failed: list[str] = field(default_factory=list)

    def cuts(self) -> range:
        return range(1, len(self.order))

    def leaf(self, name: str, status: str) -> None:
        """The CI has this status by itself."""
        self.failed += [at(name, cut) for cut in self.cuts() if self.order.index(status) >= cut]

    def answers(self, *names: str) -> dict[str, str | None]:
        """The highest cut that is down for each; None where none is."""
        down = {name for name, state in self.graph.fail(self.failed).items() if state == 2}
        return {
            name: next((self.order[cut] for cut in reversed(self.cuts()) if at(name, cut) in down), None)
            for name in names
        }


def at(name: str, cut: int) -> str:
    return f"{name} @ {cut}"


def least_whole(enough: Fraction, *, inclusive: bool) -> int:
    """The least whole number that is at least ``enough``, or above it."""
    whole = enough.__floor__()
    return whole + 1 if inclusive or whole < enough else whole
