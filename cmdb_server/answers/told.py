"""CIs, gates and ways in words, for one viewer: what the answers have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cmdb_server.analysis.explanation import Explanation, GateCount, Step
from cmdb_server.answers.asked_graph import AskedGraph
from cmdb_server.answers.sight import HIDDEN, Eyes
from cmdb_server.model.instants import rfc3339
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.projection.columns import Bools, Longs
from cmdb_server.projection.projection import Projection


@dataclass(frozen=True, slots=True)
class Named:
    """A CI as the viewer may see it: ``id`` is an opaque token, name and class None, where it is hidden."""

    id: str
    name: str | None
    class_: str | None


@dataclass(frozen=True, slots=True)
class GateTold:
    """A gate with its arithmetic. ``over``: the group, or the class of its providers; ``definition``: the gate as it
    is written; counts in members, or weight where the gate weighs. ``text``: "2 of 3 serving, needs 2"."""

    relation: str
    over: str
    definition: Mapping[str, Any]
    total: int
    lost: int
    limping: int
    need: int
    want: int
    margin: int
    under_provisioned: bool
    text: str


@dataclass(frozen=True, slots=True)
class StepTold:
    """A CI on the way, its state, and the gate that passed it on to it; None for the one that failed by itself, and for
    one that is ``cut_off``: no path to any of its gateways is left without the step before. ``partitioned_from``: the
    provider to which no way leads without the step before; None where the step before is the provider."""

    ci: Named
    state: str
    gate: GateTold | None
    cut_off: bool = False
    partitioned_from: Named | None = None


@dataclass(frozen=True, slots=True)
class Leaning:
    """``consumer`` stands on ``provider``, both ids of ``Named``, by a gate as it is while all is well."""

    consumer: str
    provider: str
    relation: str
    text: str


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells of one graph what ``eyes`` see; None: everything."""

    projection: Projection
    eyes: Eyes | None = None

    @classmethod
    def of(cls, view: AskedGraph) -> Teller:
        """What the one who asks may know."""
        return cls(view.projection, view.eyes)

    def is_hidden(self, ci: int) -> bool:
        return self.eyes is not None and not self.eyes.sees((self.projection.id(ci),))

    def hidden(self, cis: Longs) -> Bools:
        """Which of these are."""
        return np.zeros(len(cis), bool) if self.eyes is None else self.eyes.unseen(self.projection, cis)

    def named(self, ci: int) -> Named:
        """A token stands for what is hidden."""
        projection = self.projection
        if self.eyes is not None and self.is_hidden(ci):
            return Named(self.eyes.token(projection.id(ci)), None, None)
        return Named(projection.id(ci), projection.names[ci], projection.class_name(ci))

    def knows(self, thing: Kept) -> bool:
        """Whether all CIs that it names are seen."""
        if self.eyes is None:
            return True
        named = {id_ for ids in thing.cis.values() for id_ in ids}
        return named == self.eyes.sees(named)

    def gate(self, count: GateCount) -> GateTold:
        """A gate with its arithmetic; over whom is hidden where any of them is."""
        projection, limits = self.projection, count.limits
        members = projection.members_of(count.gate) if self.eyes else np.empty(0, np.int32)
        return GateTold(
            projection.relation_type(count.gate),
            HIDDEN if self.hidden(members.astype(np.int64)).any() else projection.key_name(count.gate),
            projection.definition(count.gate).value(),
            limits.total,
            count.lost,
            count.limping,
            limits.need,
            limits.want,
            count.margin,
            limits.under_provisioned,
            arithmetic(count, projection.definition(count.gate).weighs),
        )

    def steps(self, steps: Iterable[Step], explanation: Explanation) -> tuple[StepTold, ...]:
        """A way, each step with its gate as it is in that answer."""
        return tuple(
            StepTold(
                self.named(step.ci),
                explanation.state(step.ci).name.lower(),
                None if step.gate is None else self.gate(explanation.count(step.gate)),
                step.cut_off,
                None if step.partitioned_from is None else self.named(step.partitioned_from),
            )
            for step in steps
        )

    def leanings(self, cis: Iterable[int], well: Explanation) -> tuple[Leaning, ...]:
        """How ``cis`` stand on one another, each pair by each of its gates; ``well``: of an answer where all is up."""
        among = {ci: self.named(ci).id for ci in cis}
        found = []
        for consumer, id_ in among.items():
            for gate in self.projection.gates_by(consumer).tolist():
                providers = [one for one in self.projection.members_of(gate).tolist() if one in among]
                if providers:
                    told = self.gate(well.count(gate))
                    found += [Leaning(id_, among[one], told.relation, told.text) for one in providers]
        return tuple(found)


def arithmetic(count: GateCount, weighs: bool = False) -> str:
    """A gate in words: "2 of 3 serving, needs 2"."""
    limits, unit = count.limits, " by weight" if weighs else ""
    words = [f"{count.serving} of {limits.total} serving{unit}"]
    if count.partitioned:
        words.append(f"{count.partitioned} of the lost up but out of reach")
    if count.limping:
        words.append(f"{count.limping} of them degraded")
    words.append(f"needs {limits.need}" if limits.need else "never down for it")
    if limits.want > limits.need:
        words.append(f"wants {limits.want}")
    if limits.under_provisioned:
        words.append(f"asks for {limits.asked} but has {limits.total}")
    return ", ".join(words)


def plain(value: Any) -> Any:
    """As JSON has it; ``class_`` as ``class``, ``from_`` as ``from``."""
    if isinstance(value, dict):
        return {key.rstrip("_"): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def moment(ms: int | None) -> str | None:
    """ms since 1970 UTC as RFC 3339."""
    return None if ms is None else rfc3339(ms)
