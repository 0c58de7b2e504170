"""Whether one seen at an address shows that another, seen there before, is gone.

Within a scope whoever answers at an address now stands for it. Scopes that overlap may see the same machine with
different rights, and each its own evidence of it: as long as that is evidence of one machine, neither drives the other
away. Pure, and a matter of the two alone: who else is there, and when they were seen, has no say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cmdb_server.model.evidence import View, bearing, points, score
from cmdb_server.model.record import Record
from cmdb_server.model.weighing import shipped

TOLD = ("@address", "vendor")
"""Kinds that are told beside the evidence that a record's key is made of."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Who was seen at an address. ``scope``: that saw it. ``like``: stands for the raw evidence, whatever the scope."""

    scope: str
    like: str
    record: Record

    @classmethod
    def of(cls, scope: str, like: str, family: str, identifiers: Mapping[str, Sequence[str]]) -> Witness:
        """``identifiers`` as ingest keeps them, with the address as ``@address``."""
        evidence = {kind: tuple(values) for kind, values in identifiers.items() if kind not in TOLD}
        address = next(iter(identifiers.get("@address", ())), None)
        return cls(scope, like, Record(like, "", "", "", None, "", family, evidence, address, (), False, 0))


def displaces(one: Witness, other: Witness) -> bool:
    """Whether of two seen at one address the later shows that the earlier is gone; the same either way round."""
    if one.like == other.like:
        return False
    return one.scope == other.scope or not one_machine(one.record, other.record)


def one_machine(one: Record, other: Record) -> bool:
    """Whether two seen at one address are the same by their own evidence. What proves nothing contradicts by its name
    alone."""
    weights = shipped()
    a, b = View(one, weights), View(other, weights)
    family = weights.between(one.family, other.family)
    _, opposed, agreed = bearing(a, b, family)
    if not (a.strong and b.strong):
        return agreed or not (a.hosts and b.hosts)
    return not opposed and score(points(a, b, family)) >= weights.default.join
