"""Records that cannot prove who they are: sightings without trusted evidence, and what people declared by name.

They are attached to CIs after those are found, and never join two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cmdb_server.model.evidence import View
from cmdb_server.model.record import Record
from cmdb_server.model.weighing import Weights, shipped


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


def beyond(view: Record, others: Iterable[Record], splits: Iterable[Sequence[Sequence[str]]]) -> list[Record]:
    """The records that nobody separated from this one. ``splits``: the sides of each."""
    apart = {
        id_ for sides in splits for side in sides if view.id in side
        for other in sides if other is not side for id_ in other
    }  # fmt: skip
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


def declared_as(declared: Record, bearers: Iterable[Record]) -> str | None:
    """The record that a declared, name-only record belongs with: the earliest of ``bearers`` that bore one of its
    full names. Short names attach nothing: too many things share them."""
    names = {name for kind in ("name", "fqdn", "label") for name in declared.identifiers.get(kind, ()) if "." in name}
    fitting = [
        (r.first_at, r.id)
        for r in bearers
        if r.id != declared.id
        and not r.declared
        and not names.isdisjoint((*r.identifiers.get("name", ()), *r.identifiers.get("fqdn", ())))
    ]
    return min(fitting)[1] if fitting else None
