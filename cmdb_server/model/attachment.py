"""Records that cannot prove who they are: sightings without trusted evidence, and what people declared by name.

They are attached to CIs after those are found, and never join two of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import merge

from cmdb_server.model.components import full_names
from cmdb_server.model.evidence import View
from cmdb_server.model.record import Record
from cmdb_server.model.weighing import Weights, shipped

GENERIC = frozenset(("ci", "hardware", "unknown_device"))
"""Classes of what was not told apart any further."""
OBSERVED = ""
"""In the place of a source: what was observed, by any."""
DEFAULT = "default"
"""The family of classes that have nothing in common."""


def owner(weak: Record, proofs: Iterable[Record], at: int, weights: Weights | None = None) -> str | None:
    """The record that a weak record's sighting at ``at`` (ms) belongs with: whoever of ``proofs`` (records with
    trusted evidence at the same site and address) was last seen there by then, else the first seen there later,
    unless their names contradict. None: it stays a CI of its own."""
    weights = weights or shipped()
    view = View(weak, weights)
    before: tuple[int, int, str] | None = None
    after: tuple[int, str] | None = None
    for proof in proofs:
        if _contradicts(view, View(proof, weights)):
            continue
        for first, last in proof.intervals:
            if first <= at:
                seen = (min(at, last), first, proof.id)
                before = seen if before is None or seen > before else before
            else:
                later = (first, proof.id)
                after = later if after is None or later < after else after
    if before:
        return before[-1]
    return after[-1] if after else None


def at_place(weak: Record, proofs: Iterable[Record]) -> list[Record]:
    """Those seen where the weak record was."""
    return [p for p in proofs if (p.site, p.address) == (weak.site, weak.address)] if weak.address else []


def _contradicts(weak: View, proof: View) -> bool:
    return bool(weak.hosts and proof.hosts) and not weak.called(proof)


def owners(
    weak: Record, proofs: Sequence[Record], weights: Weights | None = None
) -> tuple[tuple[int, int, str | None], ...]:
    """(from, to, owner) over a weak record's runs of sightings, split wherever a proof of the place begins or ends."""
    changes = sorted({at for proof in proofs for first, last in proof.intervals for at in (first, last + 1)})
    spans: list[tuple[int, int, str | None]] = []
    for first, last in weak.intervals:
        starts = [first, *(t for t in changes if first < t <= last)]
        for start, end in zip(starts, [*(t - 1 for t in starts[1:]), last], strict=True):
            whose = owner(weak, proofs, start, weights)
            since = spans.pop()[0] if start > first and spans[-1][2] == whose else start
            spans.append((since, end, whose))
    return tuple(spans)


def tenures(spans: Iterable[tuple[int, int, str | None]], ci_of: Mapping[str, str]) -> list[tuple[int, str]]:
    """(since, CI) of a weak record that several CIs held in turn, from its ``owners``; empty where one always did.
    ``ci_of``: record -> CI."""
    found: list[tuple[int, str]] = []
    for start, _, owner_ in spans:
        if owner_ is not None and (not found or found[-1][1] != ci_of[owner_]):
            found.append((start, ci_of[owner_]))
    return found if len(found) > 1 else []


def apart_from(ids: Collection[str], splits: Iterable[Sequence[Sequence[str]]]) -> frozenset[str]:
    """The records that people separated from any of these. ``splits``: the sides of each."""
    return frozenset(
        id_ for sides in splits for side in sides if any(one in ids for one in side)
        for other in sides if other is not side for id_ in other
    )  # fmt: skip


def beyond(view: Record, others: Iterable[Record], splits: Iterable[Sequence[Sequence[str]]]) -> list[Record]:
    """The records that nobody separated from this one."""
    apart = apart_from((view.id,), splits)
    return [other for other in others if other.id not in apart]


def nameless(weak: Iterable[Record]) -> dict[str, str]:
    """record -> the first of those at its place, for records that bear nothing at all: all that is known of them is
    where they answered, so at one place they are one."""
    firsts: dict[tuple[str, str], str] = {}
    found: dict[str, str] = {}
    for view in sorted(weak, key=lambda view: (view.first_at, view.id)):
        if view.address and not any(view.identifiers.values()):
            found[view.id] = firsts.setdefault((view.site, view.address), view.id)
    return found


class Bearers:
    """Records by the full names that they bear."""

    def __init__(self, records: Iterable[Record]) -> None:
        found: dict[str, dict[str, list[Record]]] = {}
        for one in sorted(records, key=_preferred):
            observed = (*one.identifiers.get("name", ()), *one.identifiers.get("fqdn", ()))
            for name in set(full_names(one) if one.declared else observed):
                found.setdefault(name, {}).setdefault(one.source if one.declared else OBSERVED, []).append(one)
        self._of = found

    def of(self, names: Iterable[str], sources: Collection[str]) -> Iterable[Record]:
        """Who bears any of these, but for what these sources declared: those observed first, then those declared, the
        earliest first; some twice."""
        held = (self._of.get(name, {}).items() for name in names)
        return merge(*(some for of in held for source, some in of if source not in sources), key=_preferred)


def declared_as(
    declared: Sequence[Record], bearers: Bearers, apart: Collection[str] = (), weights: Weights | None = None
) -> str | None:
    """The record that what people declared, and nobody was observed to be, belongs with: the earliest of ``bearers``
    that was observed bearing one of its full names, else the earliest that another source had declared by one before.
    ``declared``: the records of one such thing; ``apart``: those that people separated from it. Hardware that disagrees
    rules a bearer out. Short names attach nothing: too many things share them; and what one source tells twice is two
    things."""
    weights = weights or shipped()
    names = {name for one in declared for name in full_names(one)}
    sources, since = {one.source for one in declared}, min(map(_age, declared))
    for bearer in bearers.of(names, sources):
        if bearer.declared and _age(bearer) >= since:
            return None
        fits = all(_comparable(one, bearer) and not _disagree(one, bearer, weights) for one in declared)
        if fits and bearer.id not in apart:
            return bearer.id
    return None


def _comparable(one: Record, other: Record) -> bool:
    """Whether they may be one thing by what they are."""
    classes = {one.class_, other.class_}
    return len(classes) == 1 or not GENERIC.isdisjoint(classes) or (one.family == other.family != DEFAULT)


def _disagree(one: Record, other: Record, weights: Weights) -> bool:
    """Whether they bear different hardware."""
    pairs = [(one.identifiers.get(kind, ()), other.identifiers.get(kind, ())) for kind in weights.hardware]
    return any(ours and theirs and set(ours).isdisjoint(theirs) for ours, theirs in pairs)


def by_age(groups: Iterable[Sequence[Record]]) -> list[Sequence[Record]]:
    """The earliest first: whom one of them belongs with is settled before it."""
    return sorted(groups, key=lambda group: min(map(_age, group)))


def _age(record: Record) -> tuple[int, str]:
    return record.first_at, record.id


def _preferred(record: Record) -> tuple[bool, int, str]:
    return record.declared, *_age(record)
