"""Many records that bear the like: scored once for all pairs that cannot differ.

In a component of clones nearly every pair says the same: what each alone bears disagrees with whatever the other bears,
and what they share they all share. Records are told apart here by what any two of them could have in common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from cmdb_server.model.evidence import Points, View, bearing, points, standing
from cmdb_server.model.weighing import Weights

FEW = 8
"""So many are compared pair by pair sooner than they are told apart."""


class Likeness:
    """The points of pairs of some views, each the same as ``evidence.points`` gives."""

    def __init__(self, views: Sequence[View], weights: Weights) -> None:
        self.views, self.weights = views, weights
        if len(views) < FEW:
            return
        self._borne = Counter(
            (kind, value) for view in views for kind, values in view.values.items() for value in values
        )
        self._hosts = Counter(host for view in views for host in view.hosts)
        self._labelled = any(view.labels for view in views)
        self._exact = {kind.qualifier for family in weights.families.values() for kind in family.kinds}
        numbers: dict[Hashable, int] = {}
        self._numbers = [numbers.setdefault(self._mark(view), len(numbers)) for view in views]
        self._known: dict[tuple[int, int], tuple[list[Points], bool, bool]] = {}

    def points(self, i: int, j: int) -> list[Points]:
        """What two views say for and against being one thing."""
        a, b = self.views[i], self.views[j]
        family = self.weights.between(a.record.family, b.record.family)
        if len(self.views) < FEW:
            return points(a, b, family)
        key = (self._numbers[i], self._numbers[j])
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = bearing(a, b, family)
        terms, opposed, agreed = known
        found = list(terms)
        standing(a.record, b.record, family, found, placed=agreed and not opposed)
        return found

    def _mark(self, view: View) -> Hashable:
        """All that can matter to another view: of values that nobody else bears only that they are there."""
        borne = tuple(
            (kind, len(values), values if kind in self._exact else self._shared(kind, values))
            for kind, values in sorted(view.values.items())
        )
        return view.record.family, borne, self._named(view)

    def _shared(self, kind: str, values: frozenset[str]) -> frozenset[str]:
        return frozenset(value for value in values if self._borne[kind, value] > 1)

    def _named(self, view: View) -> Hashable:
        """Names agree by their first labels; labels that people gave are compared in more ways."""
        if self._labelled:
            return frozenset(view.full), frozenset(view.short), tuple(view.labels)
        names = {name for name in view.full | view.short if self._hosts[name.partition(".")[0]] > 1}
        return bool(view.hosts), frozenset(names)
