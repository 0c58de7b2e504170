"""The names a selector may use: what classes declare, what every CI has, and the types of relations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from cmdb_schemas.ci_class import Attribute, CIClass
from cmdb_schemas.relations import RelationType
from cmdb_server.model.selector_tree import Field, Kind

_KINDS: Mapping[str, Kind] = {
    "string": "string", "uri": "string", "reference": "string", "ip_address": "string",
    "mac_address": "string", "integer": "number", "number": "number",
    "quantity": "number", "boolean": "boolean", "date": "time", "duration": "duration",
}  # fmt: skip
_LISTS: Mapping[Kind, Kind] = {"string": "strings", "number": "numbers"}
_OWN: Mapping[str, Kind] = {
    "id": "string", "class": "string", "name": "string", "parent": "string", "site": "string", "stage": "string",
    "first_discovered": "time",
}  # fmt: skip

Ways = tuple[tuple[str, bool], ...]
"""By which relations a name leads to others: type, and whether it is read backwards."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """``attributes``: name -> kind -> the field; classes may declare one name in several kinds. ``relations``: type or
    reverse name -> the ways it leads, both of what has no direction. ``classes``: class -> itself and its
    descendants."""

    attributes: Mapping[str, Mapping[Kind, Field]]
    relations: Mapping[str, Ways]
    classes: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, kinds: Mapping[str, CIClass], types: Mapping[str, RelationType]) -> Vocabulary:
        """As the files of classes and relation types have them."""
        attributes: dict[str, dict[Kind, Field]] = {}
        for class_ in kinds.values():
            for attribute in class_.attributes.values():
                _add(attributes.setdefault(attribute.name, {}), attribute)
        relations = {type_.reverse: _ways(type_, backwards=True) for type_ in types.values()}
        relations |= {name: _ways(type_, backwards=False) for name, type_ in types.items()}
        classes = {name: frozenset(k for k, class_ in kinds.items() if class_.is_a(name)) for name in kinds}
        return cls(attributes, relations, classes)

    def fields(self, name: str, *, attribute_only: bool = False) -> Mapping[Kind, Field]:
        """The fields of a name by kind; none when nobody declares it."""
        if name in _OWN and not attribute_only:
            return {_OWN[name]: Field(name, _OWN[name], own=True)}
        return self.attributes.get(name, {})

    def near(self, name: str) -> str:
        """ "; did you mean ...?" where a name is close to one that is known."""
        return meant(name, (*_OWN, *self.attributes))


def _ways(type_: RelationType, *, backwards: bool) -> Ways:
    return ((type_.name, backwards), (type_.name, not backwards))[: 1 + type_.symmetric]


def meant(name: str, known: Iterable[str]) -> str:
    """What was probably meant, as the end of a message; nothing where no name is close."""
    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _add(fields: dict[Kind, Field], attribute: Attribute) -> None:
    kind = _KINDS.get(attribute.type, "other")
    kind = _LISTS.get(kind, "other") if attribute.many else kind
    units: tuple[str, ...] = (attribute.unit,) if attribute.unit is not None else ()
    if (known := fields.get(kind)) is not None:
        units = known.units + tuple(unit for unit in units if unit not in known.units)
    fields[kind] = Field(attribute.name, kind, units=units)
