"""An assessment as somebody sees it who does not see everything. It was made of everything, and so are its figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from cmdb_server.answers.sight import Eyes, Now, Sight
from cmdb_server.answers.told import Named
from cmdb_server.practices.kept_rows import Kept, one_in
from cmdb_server.store.port import Reading

if TYPE_CHECKING:
    from cmdb_server.answers.changes.assessment import Assessment
    from cmdb_server.answers.impact import ImpactAnswer

T = TypeVar("T")


def veiled(tx: Reading, sight: Sight, found: Assessment, impact: ImpactAnswer | None, change: Kept) -> Assessment:
    """``found`` with ``impact`` in place of its own, tokens for CIs that are not seen, and without the words of what
    names any."""
    eyes = Now(sight, tx)
    conditions = found.conditions
    numbers = {one.number for one in found.overlaps}
    numbers |= {one.number for one in (*conditions.freezes, *conditions.freezes_now)}
    words = {number: _knows(tx, eyes, number) for number in numbers}

    def kept_back(things: Iterable[Any]) -> Iterator[Any]:
        return (one if words[one.number] else replace(one, summary="") for one in things)

    frozen, at_once = (
        tuple(replace(one, cis=tuple(_told(eyes, one.cis))) for one in kept_back(freezes))
        for freezes in (conditions.freezes, conditions.freezes_now)
    )
    tokens = dict(zip(change.cis["changed"], _told(eyes, change.cis["changed"]), strict=True))
    seen = eyes.sees(one.service.id for one in found.approvals)
    return replace(
        found,
        impact=impact,
        overlaps=tuple(named(eyes, one) for one in kept_back(found.overlaps)),
        collisions=named(eyes, found.collisions),
        conditions=replace(conditions, freezes=frozen, freezes_now=at_once),
        approvals=tuple(
            one if one.service.id in seen else replace(named(eyes, one), owner=None, criticality=None)
            for one in found.approvals
        ),
        template_faults=tuple(_without(fault, tokens) for fault in found.template_faults),
    )


def named(eyes: Eyes, value: T) -> T:
    """An answer with tokens in place of all CIs in it that are not seen."""
    told: Any = value
    if isinstance(value, Named):
        told = value if eyes.sees((value.id,)) else Named(eyes.token(value.id), None, None)
    elif isinstance(value, tuple):
        told = tuple(named(eyes, one) for one in value)
    elif is_dataclass(value) and not isinstance(value, type):
        told = replace(value, **{one.name: named(eyes, getattr(value, one.name)) for one in fields(value)})
    return told  # type: ignore[no-any-return]


def _knows(tx: Reading, eyes: Eyes, number: str) -> bool:
    ids = {id_ for some in one_in(tx, number).cis.values() for id_ in some}
    return ids == eyes.sees(ids)


def _told(eyes: Eyes, ids: Iterable[str]) -> Iterator[str]:
    told = list(ids)
    seen = eyes.sees(told)
    return (id_ if id_ in seen else eyes.token(id_) for id_ in told)


def _without(text: str, tokens: Mapping[str, str]) -> str:
    for id_, token in tokens.items():
        text = text.replace(id_, token)
    return text
