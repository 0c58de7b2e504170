"""Which CI may have taken the place of another: other hardware under the same name, with what was installed on the old.

That two CIs follow each other like this is told apart from a cloned image by time alone: clones are seen together, and
what they share is then distrusted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cmdb_server.model.decisions import Decision, pins
from cmdb_server.model.evidence import Points, View
from cmdb_server.model.record import Record
from cmdb_server.model.weighing import Weights

ATTRIBUTE = "replaces"
"""What is pinned on the new CI where people agree: any id of the old one."""
EVER = 1 << 62
"""After all times, ms."""
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Replacement:
    """The CIs ``new`` and ``old``, and the numbers of the two views, new and old, that speak most clearly."""

    new: str
    old: str
    views: Pair


def succeeding(
    views: Sequence[View],
    found: Mapping[Pair, Sequence[Points]],
    ci_of: Mapping[str, str],
    records: Iterable[Record],
    weights: Weights,
) -> list[Replacement]:
    """All pairs of CIs of which the second was not seen any more when the first came with its name and installation on
    hardware that is another. ``found``: the points of each pair of views (i < j); ``ci_of``: record -> CI."""
    clearest: dict[tuple[str, str], tuple[float, Pair]] = {}
    spans, cis = _spans(records, ci_of), [ci_of[view.record.id] for view in views]
    for (i, j), terms in found.items():
        new, old = (i, j) if spans[cis[i]] > spans[cis[j]] else (j, i)
        if (
            spans[cis[old]][1] >= spans[cis[new]][0]
            or (against := _inherited(views[i], views[j], terms, weights)) is None
        ):
            continue
        told = (against, (new, old))
        clearest[cis[new], cis[old]] = min(clearest.get((cis[new], cis[old]), told), told)
    return [Replacement(new, old, pair) for (new, old), (_, pair) in sorted(clearest.items())]


def _inherited(one: View, two: View, terms: Iterable[Points], weights: Weights) -> float | None:
    """What hardware says against their being one, where that suffices, an installation agrees and they share a full
    name."""
    if one.full.isdisjoint(two.full):
        return None
    told = list(terms)
    against = sum(worth for kind, worth in told if kind in weights.hardware)
    kept = any(kind in weights.installation and worth > 0 for kind, worth in told)
    return against if kept and against <= weights.default.apart else None


def _spans(records: Iterable[Record], ci_of: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """CI -> its first and last sighting. What people entered is there for as long as they leave it; of what they alone
    tell nothing came before and nothing after."""
    seen: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        seen[ci_of[record.id]] += [] if record.told_by_people else [record]
    return {
        ci: (min(r.first_at for r in some), max(r.last_at for r in some)) if some else (0, EVER)
        for ci, some in seen.items()
    }


def unanswered(
    found: Iterable[Replacement],
    ci_of: Mapping[str, str],
    records: Mapping[str, Record],
    decisions: Sequence[Decision],
) -> list[Replacement]:
    """Of each new CI the one that came last before it, unless people said what it replaces, or that these two have
    nothing to do with each other."""
    nearest: dict[str, tuple[tuple[int, str], Replacement]] = {}
    for one in found:
        told = ((records[one.old].first_at, one.old), one)
        nearest[one.new] = max(nearest.get(one.new, told), told, key=lambda near: near[0])
    members: defaultdict[str, set[str]] = defaultdict(set)
    for id_, ci in ci_of.items():
        members[ci].add(id_)
    return [
        one
        for _, one in nearest.values()
        if ATTRIBUTE not in pins(decisions, frozenset(members[one.new]))
        and not any(_separates(d, members[one.new], members[one.old]) for d in decisions if d.verb == "split")
    ]


def _separates(split: Decision, one: set[str], other: set[str]) -> bool:
    return any(
        not one.isdisjoint(side) and not other.isdisjoint(beyond)
        for side in split.sides for beyond in split.sides if beyond is not side
    )  # fmt: skip
