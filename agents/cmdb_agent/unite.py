"""What all probes of one session learned becomes one observation. Pure.

Everything is put in order, so that an unchanged host gives unchanged bytes, and in bounds: what the wire cannot carry
is left out with an error line, because one bad value must not cost a whole report.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeVar, cast

import msgspec
from msgspec.structs import replace

from cmdb_agent.observation import (
    Component,
    Coverage,
    End,
    Fact,
    HostFacts,
    Observation,
    Relation,
    Sample,
    ScanError,
    Value,
)
from cmdb_agent.redact import redact_text

_LONGEST_TEXT, _LONGEST_NAME, _SHORT = 65_536, 256, 128
_REMEMBERED = 8192
S = TypeVar("S", Component, Relation)
T = TypeVar("T")
A = TypeVar("A", Component, End)


@dataclass(slots=True)
class United:
    """One observation with what belongs to it but not into it."""

    observation: Observation
    samples: list[Sample] = field(default_factory=list)
    errors: list[ScanError] = field(default_factory=list)


def unite(ref: str, class_: str, address: str | None, facts: Mapping[str, Sequence[Fact]]) -> United:
    """Facts by section, in the order of their precedence: of two sections that tell one attribute the first counts;
    identifiers are united. ``class_`` is used when no section tells a better one."""
    told = [(section, fact) for section, found in facts.items() for fact in found]
    host = _host(ref, class_, address, told)
    united = within_bounds(replace(host, components=_components(told), relations=_relations(told)))
    united.samples = carried_samples(replace(fact, ref=ref) for _, fact in told if isinstance(fact, Sample))
    return united


def within_bounds(observation: Observation) -> United:
    """The observation with what the wire can carry, and an error line for each thing that it cannot."""
    errors: list[ScanError] = []
    components = list(_carried([_with_values(one) for one in observation.components], errors))
    bounded = replace(
        observation,
        identifiers={
            kind: sorted({_clean(value)[:_LONGEST_NAME] for value in values if value})
            for kind, values in observation.identifiers.items()
        },
        attributes=_values(observation.attributes),
        components=components,
        relations=_bounded(observation.relations, errors),
    )
    return United(bounded, errors=errors)


def carried_samples(samples: Iterable[Sample]) -> list[Sample]:
    """JSON has no infinity."""
    return [sample for sample in samples if math.isfinite(sample.value)]


def short_of(errors: Iterable[ScanError], coverage: Sequence[Coverage]) -> list[Coverage]:
    """The coverage, lowered to ``partial`` where something of a section had to be left out."""
    lost = {error.section for error in errors}
    return [
        replace(one, status="partial", detail="some of it cannot be carried")
        if one.section in lost and one.status == "complete"
        else one
        for one in coverage
    ]


def _host(ref: str, class_: str, address: str | None, told: Iterable[tuple[str, Fact]]) -> Observation:
    identifiers: dict[str, set[str]] = {}
    attributes: dict[str, Value] = {}
    sections: dict[str, str] = {}
    classes: list[str] = []
    for section, fact in told:
        if not isinstance(fact, HostFacts):
            continue
        classes += [fact.class_] if fact.class_ else []
        for kind, values in fact.identifiers.items():
            identifiers.setdefault(kind, set()).update(value for value in values if value)
        for name, value in fact.attributes.items():
            if name not in attributes and value not in (None, "", [], {}):
                attributes[name] = value
                sections[name] = section
    return Observation(
        ref=ref,
        class_=_class(classes, class_),
        address=address,
        identifiers={kind: sorted(identifiers[kind]) for kind in sorted(identifiers) if identifiers[kind]},
        attributes=dict(sorted(attributes.items())),
        sections={name: section for name, section in sorted(sections.items()) if section},
    )


def _class(told: Sequence[str], default: str) -> str:
    """The first class that says more than the usual one."""
    return next((one for one in told if one != default), default)


def _components(told: Iterable[tuple[str, Fact]]) -> list[Component]:
    """One per class and local key; of two that tell an attribute the first counts."""
    found: dict[tuple[str, str, str], Component] = {}
    for section, fact in told:
        if not isinstance(fact, Component):
            continue
        one = replace(fact, section=fact.section or section or None)
        key = (one.class_, one.local_key, one.parent)
        if before := found.get(key):
            attributes = {**one.attributes, **before.attributes}
            one = replace(before, attributes=attributes, identifiers={**one.identifiers, **before.identifiers})
        found[key] = replace(one, attributes=dict(sorted(one.attributes.items())))
    return [found[key] for key in sorted(found)]


def _relations(told: Iterable[tuple[str, Fact]]) -> list[Relation]:
    """Each once, in the order of their bytes."""
    found: dict[bytes, Relation] = {}
    for section, fact in told:
        if isinstance(fact, Relation):
            placed = _placed.get(id(fact))
            if placed is None or placed.fact is not fact or placed.section != section:
                placed = _place(fact, section)
            found[placed.order] = placed.relation
    return [found[key] for key in sorted(found)]


class _Placed(NamedTuple):
    """A fact with the section that told it, and its place among the others."""

    fact: Relation
    section: str
    relation: Relation
    order: bytes


def _place(fact: Relation, section: str) -> _Placed:
    relation = fact if fact.section or not section else replace(fact, section=section)
    placed = _Placed(fact, section, relation, msgspec.json.encode(relation))
    if fact.to.key:
        _remember(_placed, fact, placed)
    return placed


def _bounded(relations: Iterable[Relation], errors: list[ScanError]) -> list[Relation]:
    """Those that the wire can carry, in bounds. What was found so before is not looked at again."""
    known = [(one, _in_bounds.get(id(one))) for one in relations]
    bounded = [had[1] if had and had[0] is one else _cleaned(one) for one, had in known]
    fresh = {id(one): told for one, (told, had) in zip(bounded, known, strict=True) if not had or had[0] is not told}
    if not fresh:
        return bounded
    lost = fresh.keys() - {id(one) for one in _carried([one for one in bounded if id(one) in fresh], errors)}
    kept = [one for one in bounded if id(one) not in lost]
    for one in kept:
        if one.to.key and (told := fresh.get(id(one))) is not None:
            _remember(_in_bounds, told, (told, one))
    return kept


_placed: dict[int, _Placed] = {}
_in_bounds: dict[int, tuple[Relation, Relation]] = {}
"""What was made of relations to things that are identified by content, by the relation's identity: a probe that
remembers packages gives the same values for each host. Each holds what it is looked up by, which keeps that from
becoming another's."""


def _remember(memory: dict[int, T], relation: Relation, made: T) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[id(relation)] = made


def _cleaned(relation: Relation) -> Relation:
    to = _with_values(relation.to) if relation.to.attributes else relation.to
    if to is not relation.to:
        relation = replace(relation, to=to)
    return replace(relation, evidence=_clean(relation.evidence)) if relation.evidence else relation


def _carried(facts: Iterable[S], errors: list[ScanError]) -> Iterable[S]:
    """Those the wire can carry. All are tried at once, one by one only when that fails."""
    facts = list(facts)
    if not facts:
        return []
    shape = type(facts[0])
    if not _complaint(facts, list[shape]):  # type: ignore[valid-type]
        return facts
    kept: list[S] = []
    for fact in facts:
        if complaint := _complaint(fact, shape):
            section = getattr(fact, "section", None)
            errors.append(ScanError("invalid", f"a {shape.__name__.lower()} is left out: {complaint}", section))
        else:
            kept.append(fact)
    return kept


def _complaint(fact: object, shape: object) -> str:
    try:
        msgspec.json.decode(msgspec.json.encode(fact), type=shape)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeEncodeError, OverflowError) as error:
        return str(error)[:300]
    return ""


def _with_values(held: A) -> A:
    """``held`` with its attributes in bounds: itself where they already are, as nearly all are."""
    values = _values(held.attributes)
    return held if values == held.attributes else replace(held, attributes=values)


def _values(attributes: Mapping[str, Value]) -> dict[str, Value]:
    return {
        name: _cleaned_once(value) if type(value) is str and len(value) < _SHORT else _value(value)
        for name, value in attributes.items()
    }


def _value(value: Value) -> Value:
    """Strings in bounds and without secrets, wherever they stand."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, list):
        return cast(Value, [_clean(item) if isinstance(item, str) else item for item in value])
    return value


def _clean(text: str) -> str:
    """A last look for secrets, however they came here; no NUL and no half of a surrogate pair, which JSON or the
    server refuse. Short texts are remembered: hosts have most of their packages in common."""
    return _cleaned_once(text) if len(text) < _SHORT else _cleaned_text(text)


def _cleaned_text(text: str) -> str:
    text = redact_text(text.replace("\0", "")[:_LONGEST_TEXT])
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


_cleaned_once = lru_cache(maxsize=32_768)(_cleaned_text)
