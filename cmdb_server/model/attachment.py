"""Records that cannot prove who they are: sightings without trusted evidence, and what people declared by name.

They are attached to CIs after those are found, and never join two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


def _contradicts(weak: View, proof: View) -> bool:
    return bool(weak.hosts and proof.hosts) and not weak.called(proof)


def owners(
    weak: Record, proofs: Sequence[Record], weights: Weights | None = None
) -> tuple[tuple[int, int, str | None], ...]:
    """(from, to, owner) over a weak record's runs of sightings, split wherever another proves the place."""
    changes = sorted({first for proof in proofs for first, _ in proof.intervals})
    spans: list[tuple[int, int, str | None]] = []
    for first, last in weak.intervals:
        starts = [first, *(t for t in changes if first < t <= last)]
        for start, end in zip(starts, [*(t - 1 for t in starts[1:]), last], strict=True):
            spans.append((start, end, owner(weak, proofs, start, weights)))
    return tuple(spans)


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
