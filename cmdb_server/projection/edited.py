"""A projection as it would be: with some relations, gates and CIs otherwise, and the one it is made of left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from cmdb_server.errors import NotFound
from cmdb_server.projection.columns import Interned, Longs
from cmdb_server.projection.feed import RelationKey
from cmdb_server.projection.overlay import Changes, with_relations
from cmdb_server.projection.projection import GONE, Projection
from cmdb_server.projection.rules import Overrides, Rules
from cmdb_server.projection.scratch import Pool
from cmdb_server.store.port import Row


@dataclass(frozen=True, slots=True)
class Edits:
    """What is otherwise, by ids. ``removed``: CIs that are not there. ``gates``: what CIs set, None for nothing.
    ``relations``: rows by key, as of the table ``relation``, None for what is not there; where impact flows both ways,
    what there is the other way round too."""

    removed: frozenset[str] = frozenset()
    gates: Mapping[str, Overrides | None] = field(default_factory=dict)
    relations: Mapping[RelationKey, Row | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.removed or self.gates or self.relations)

    def then(self, later: Edits) -> Edits:
        """Both, where the later ones win."""
        return Edits(self.removed | later.removed, {**self.gates, **later.gates}, {**self.relations, **later.relations})


def edited(projection: Projection, edits: Edits) -> Projection:
    """``projection`` with ``edits``, in the same numbering and of the same revision; a removed CI counts nowhere.

    Nothing that is asked may cost those who follow the store: what grows is copied, numbers of gates and groups that
    exist in the question alone are forgotten with it. What is gone already stays so. Raises ``NotFound`` naming a CI
    that was never there.
    """
    if not edits:
        return projection
    base = apart(projection)
    removed = _known(base, sorted(edits.removed))
    retired, ended_at = base.retired.copy(), base.ended_at.copy()
    retired[removed], ended_at[removed] = True, GONE
    overrides, refused = dict(base.overrides), dict(base.refused)
    for ci, gates in zip(_known(base, list(edits.gates)).tolist(), edits.gates.values(), strict=True):
        refused.pop(ci, None)
        overrides.pop(ci, None)
        if gates is not None:
            overrides[ci] = gates
    moved = replace(base, retired=retired, ended_at=ended_at, overrides=overrides, refused=refused)
    return with_relations(moved, base, Changes(base.revision, {}, edits.relations), removed)


def _known(projection: Projection, ids: list[str]) -> Longs:
    found = projection.index.find(ids)
    for row in np.flatnonzero(found < 0).tolist():
        raise NotFound(f"there is no CI {ids[row]!r}", id=ids[row])
    return found


def apart(projection: Projection) -> Projection:
    """The same, sharing nothing that is written to with the projections of the store's revisions."""
    return replace(
        projection,
        rules=_own(projection.rules), index=replace(projection.index, identities=projection.index.identities.apart()),
        gates=projection.gates.apart(), members=projection.members.apart(), slots=projection.slots.apart(),
        listed=projection.listed.apart(), direct=projection.direct.apart(), counted=projection.counted.apart(),
        pool=Pool(),
    )  # fmt: skip


def _own(rules: Rules) -> Rules:
    return replace(rules, gates=Interned(rules.gates.values), groups=Interned(rules.groups.values))
