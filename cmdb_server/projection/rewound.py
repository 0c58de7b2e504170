"""The projection of a past state: the present one, with what was otherwise then."""

from __future__ import annotations

from dataclasses import replace

from cmdb_server.projection.build import build
from cmdb_server.projection.edited import apart
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import with_changed
from cmdb_server.store.draft import Draft
from cmdb_server.store.tables import CI, RELATION


def rewound(present: Projection, past: Draft, now: int) -> Projection:
    """The graph that ``past`` holds; ``now`` (ms): its time, which decides who was retired. ``present``: the one that
    ``past`` was made from; one of another revision only lends its rules. Nothing that follows the store pays for it."""
    if present.revision != past.base:
        return build(past, present.rules, now)
    earlier = replace(apart(present), next_retirement=now)  # who retired since had not yet
    cis, relations = [key[0] for key in past.changed(CI)], [(a, b, c) for a, b, c in past.changed(RELATION)]
    return replace(with_changed(earlier, past, sorted(cis), relations, now), revision=past.revision)
