"""Which identifiers of a component are not to be believed, computed once from what stratum 0 left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cmdb_server.model.evidence import Points, View
from cmdb_server.model.record import Value
from cmdb_server.model.weighing import Weights

CONTRADICTED = -8
"""Other hardware that sums to this or less shows that two holders of one value are two things."""


@dataclass(frozen=True, slots=True)
class Distrusted:
    """A value that identifies nothing here, why, and the two records that show it."""

    value: Value
    why: str
    records: tuple[str, str]


def contradictions(
    views: Sequence[View], found: Mapping[tuple[int, int], list[Points]], weights: Weights
) -> dict[Value, Distrusted]:
    """The values two records share although they are two things:

    - hard: both were seen at overlapping times and their other hardware contradicts;
    - soft, hardware values only: one source saw both at overlapping times, with software to compare, none of it equal.

    ``found``: the points of each pair of views (i < j).
    """
    distrusted: dict[Value, Distrusted] = {}
    for (i, j), terms in found.items():
        hardware = {kind: worth for kind, worth in terms if kind in weights.hardware}
        software = [worth for kind, worth in terms if kind in weights.installation]
        against = sum(worth for worth in hardware.values() if worth < 0)
        unlike = bool(software) and max(software) < 0
        if (against > CONTRADICTED and not unlike) or not views[i].record.meets(views[j].record):
            continue
        _judge(views[i], views[j], hardware, unlike, distrusted, weights)
    return distrusted


def _judge(
    a: View, b: View, hardware: Mapping[str, float], unlike: bool, into: dict[Value, Distrusted], weights: Weights
) -> None:
    total = sum(hardware.values())
    soft = unlike and a.record.source == b.record.source
    first, second = sorted((a.record.id, b.record.id))
    for kind in sorted(weights.strong & a.values.keys() & b.values.keys()):
        if total - hardware.get(kind, 0) <= CONTRADICTED:
            why = "two records seen at the same time share it, and their other hardware differs"
        elif soft and kind in weights.hardware:
            why = "two records of one source seen at the same time share it, and no software identity of theirs agrees"
        else:
            continue
        for value in a.values[kind] & b.values[kind]:
            said = Distrusted((kind, value), why, (first, second))
            known = into.get(said.value)
            if known is None or (said.why, said.records) < (known.why, known.records):
                into[said.value] = said
