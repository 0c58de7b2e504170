"""What if: questions of a graph with gates, relations and CIs otherwise than they are. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cmdb_schemas.ci_class import check_value
from cmdb_schemas.relations import relation_types
from cmdb_server.answers.asked_graph import AskedGraph
from cmdb_server.answers.told import Named, Teller
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.projection.edited import Edits, edited
from cmdb_server.projection.feed import RelationKey
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import overrides_of

MOST = 200
"""Edits in one question."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "remove": ("ci",), "gate": ("ci",), "relate": ("from_", "relation", "to"), "unrelate": ("from_", "relation", "to"),
}  # fmt: skip
ALLOWED = {**NEEDED, "gate": ("ci", "gate"), "relate": (*NEEDED["relate"], "group", "weight")}


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing supposed. ``edit``: ``remove`` (``ci``, with its components), ``gate`` (``ci`` sets ``gate`` as its
    attribute of that name does; None: nothing), ``relate`` (``from_`` ``relation`` ``to``, in place of the same one
    where there is one) or ``unrelate``. CIs by any of their ids."""

    edit: str
    ci: str | None = None
    gate: Any = None
    from_: str | None = None
    relation: str | None = None
    to: str | None = None
    group: str | None = None
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Supposed:
    """An ``Edit`` as it is told. ``ci``: the one edited, or the near end of the relation."""

    edit: str
    ci: Named
    relation: str | None
    to: Named | None
    gate: Any


def supposing(view: AskedGraph, viewer: Viewer, edits: Sequence[Edit], path: str = "edits") -> AskedGraph:
    """The graph with the edits, later ones winning. Raises ``Invalid`` or ``NotFound`` with the place of the first
    that cannot be."""
    if not edits:
        return view
    return replace(view, projection=edited(view.projection, edits_of(view, viewer, edits, path)))


def edits_of(view: AskedGraph, viewer: Viewer, edits: Sequence[Edit], path: str = "edits") -> Edits:
    """The edits in the projection's terms. Raises as ``supposing`` does."""
    if len(edits) > MOST:
        raise _refused(path, f"{len(edits)} edits are more than {MOST}")
    told = Edits()
    for place, one in enumerate(edits):
        told = told.then(_read(view, viewer, one, f"{path}[{place}]"))
    for place, one in enumerate(edits):
        _refuse_ends(view, told, one, f"{path}[{place}]")
    return told


def told(view: AskedGraph, teller: Teller, edits: Sequence[Edit]) -> tuple[Supposed, ...]:
    """What was supposed, in words."""

    def named(id_: str | None) -> Named:
        return teller.named(view.projection.index.find([view.resolve(id_ or "")])[0])

    return tuple(
        Supposed(one.edit, named(one.ci or one.from_), one.relation, named(one.to) if one.to else None, one.gate)
        for one in edits
    )


def _read(view: AskedGraph, viewer: Viewer, one: Edit, path: str) -> Edits:
    _refuse_members(one, path)
    if one.edit == "remove":
        ci = _ci(view, one.ci, f"{path}.ci")
        return Edits(removed=frozenset({ci, *view.components(ci)}))
    if one.edit == "gate":
        gate = None if one.gate is None else overrides_of(one.gate, f"{path}.gate")
        attribute = viewer.kinds["ci"].attributes["gate"]
        if gate is not None and (problem := check_value(attribute, one.gate)) is not None:
            raise _refused(f"{path}.gate", problem)
        return Edits(gates={_ci(view, one.ci, f"{path}.ci"): gate})
    return Edits(relations=dict(_relation(view, viewer, one, path)))


def _refuse_members(one: Edit, path: str) -> None:
    if one.edit not in NEEDED:
        raise _refused(f"{path}.edit", f"must be one of {', '.join(NEEDED)}")
    for name in ("ci", "gate", "from_", "relation", "to", "group", "weight"):
        given = getattr(one, name) is not None
        if given and name not in ALLOWED[one.edit]:
            raise _refused(f"{path}.{name.rstrip('_')}", f"is no part of the edit {one.edit}")
        if not given and name in NEEDED[one.edit]:
            raise _refused(f"{path}.{name.rstrip('_')}", f"is needed for the edit {one.edit}")


def _relation(view: AskedGraph, viewer: Viewer, one: Edit, path: str) -> Iterator[tuple[RelationKey, Any]]:
    kind = relation_types().get(one.relation or "")
    if kind is None:
        raise _refused(f"{path}.relation", f"unknown relation type {one.relation!r}")
    from_, to = _ci(view, one.from_, f"{path}.from"), _ci(view, one.to, f"{path}.to")
    key, mirror = (from_, kind.name, to), (to, kind.name, from_)
    both = kind.impact == "both"
    if one.edit == "relate":
        ends = (viewer.kinds[view.projection.class_name(view.projection.ci(id_))] for id_ in (from_, to))
        if (problem := "a CI stands in no relation to itself" if from_ == to else kind.refuses(*ends)) is not None:
            raise _refused(path, problem)
    elif not view.related([key, mirror] if both else [key]) and not _by_rule(view.projection, key):
        raise _refused(path, "there is no such relation")
    # A link is stored from either end, and gone when it is gone from both.
    if both:
        yield mirror, None
    yield key, (*key, one.group, one.weight) if one.edit == "relate" else None


def _by_rule(projection: Projection, key: RelationKey) -> bool:
    """Whether a service has the CI as a member by its rule."""
    service, member = projection.ci(key[0]), projection.ci(key[2])
    return any(
        projection.relation_type(gate) == key[1] and member in projection.members_of(gate)
        for gate in projection.gates_by(service).tolist()
    )


def _refuse_ends(view: AskedGraph, all_: Edits, one: Edit, path: str) -> None:
    """A relation to what another edit removes, and a gate of it, cannot be meant."""
    for name in ("ci", "from_", "to"):
        id_ = getattr(one, name)
        if one.edit != "remove" and id_ is not None and view.resolve(id_) in all_.removed:
            raise _refused(f"{path}.{name.rstrip('_')}", "is removed by another edit")


def _ci(view: AskedGraph, id_: str | None, path: str) -> str:
    """The canonical id. Raises ``NotFound`` with the path."""
    try:
        return view.projection.id(view.projection.ci(view.resolve(id_ or "")))
    except NotFound as error:
        raise NotFound(error.detail, errors=[{"path": path, "message": "unknown CI"}], id=id_) from error


def _refused(path: str, problem: str) -> Invalid:
    return Invalid(f"{path}: {problem}", errors=[{"path": path, "message": problem}])
