"""What people enter of services: a rule for members that can be followed, and no service that stands on itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.relations import RelationType, relation_types
from cmdb_server.errors import Invalid
from cmdb_server.model.member_rule import ATTRIBUTE, member_rule
from cmdb_server.model.selector import Selector
from cmdb_server.model.selector_vocabulary import Vocabulary
from cmdb_server.model.service_hours import hours
from cmdb_server.model.service_level import target_of
from cmdb_server.projection.membership import SERVICE, Stored, fitting
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row

ITSELF = "the service would stand on itself"
HOURS, TARGET = "service_hours", "availability_target"
RULE, RELATIONS = f"attributes.{ATTRIBUTE}", "relations"


class Told(Protocol):
    """A relation as a person enters it: to or from (``reverse``) the CI with that id."""

    @property
    def type(self) -> str: ...
    @property
    def ci(self) -> str: ...
    @property
    def reverse(self) -> bool: ...


def check_service(
    tx: Reading, class_: CIClass, attributes: Mapping[str, Any], relations: Iterable[Told],
    kinds: Mapping[str, CIClass], resolve: Callable[[str], str], ci: str | None = None,
) -> None:  # fmt: skip
    """Raise ``Invalid`` with the path of a rule, hours or a target that are none, and of what makes a service stand on itself by way of
    services alone; the way is told by names, and by ids as ``way``. ``attributes`` and ``relations``: what is entered now; ``resolve``: the CI
    that an id stands for; ``ci``: the one edited, None: a new one."""
    if not class_.is_a(SERVICE):
        return
    if attributes.get(HOURS):
        hours(str(attributes[HOURS]), f"attributes.{HOURS}")
    if attributes.get(TARGET) is not None:
        target_of(attributes[TARGET], f"attributes.{TARGET}")
    text = attributes.get(ATTRIBUTE)
    rule = member_rule(text, Vocabulary.of(kinds, relation_types()), RULE) if text else None
    flows = [(resolve(one.ci), _consumes(one)) for one in relations]
    tree = _Tree(tx, kinds)
    name = str(attributes.get("name") or (tree.name(ci) if ci else ""))
    above = {other for other, consumes in flows if consumes is False} | ({ci} if ci else set())
    for path, below in (
        (RELATIONS, [other for other, consumes in flows if consumes]),
        (RULE, [] if rule is None else list(tree.members(rule))),
    ):
        if path == RULE and ci in below:
            below.remove(ci)
        way = tree.way(below, above)
        if way:
            told = " -> ".join((name, *map(tree.name, way), *(() if way[-1] == ci else (name,))))
            text = f"{ITSELF}: {told}"
            raise Invalid(f"{path}: {text}", errors=[{"path": path, "message": text}], way=list(way))


def _consumes(relation: Told) -> bool | None:
    """Whether the CI that is told of is the consumer; None where no failure passes."""
    impact = relation_types()[relation.type].impact
    if impact not in ("to_from", "from_to"):
        return None
    return (impact == "to_from") is not relation.reverse


@dataclass(slots=True)
class _Tree:
    """Which services stand on which, looked up as far as it is gone."""

    tx: Reading
    kinds: Mapping[str, CIClass]
    _services: dict[str, Row] | None = None
    _below: dict[str, set[str]] = field(default_factory=dict)

    def services(self) -> dict[str, Row]:
        if self._services is None:
            wanted = [(name,) for name, kind in self.kinds.items() if kind.is_a(SERVICE)]
            rows = self.tx.find(tables.CI, ("class",), wanted)
            self._services = {row[0]: row for row in rows if row[7] is None}
        return self._services

    def name(self, ci: str) -> str:
        row = self.services().get(ci)
        return str(row[2]) if row is not None else ci

    def members(self, rule: Selector) -> Iterator[str]:
        """The services among the members of a rule."""
        return fitting(rule, list(self.services().values()), Stored(self.tx))

    def way(self, start: Collection[str], ends: Collection[str]) -> Sequence[str]:
        """The shortest way downwards from any of ``start`` to any of ``ends``, over services; nothing where there is
        none."""
        ways: list[tuple[str, ...]] = [(one,) for one in dict.fromkeys(start) if one in self.services()]
        seen = set(start)
        for way in ways:
            if way[-1] in ends:
                return way
            for one in sorted(self.below(way[-1]) - seen):
                seen.add(one)
                ways.append((*way, one))
        return ()

    def below(self, service: str) -> set[str]:
        """The services that it stands on, by relations and by rule."""
        if service not in self._below:
            found = {one for one in self._providers(service) if one in self.services()}
            text = (self.services()[service][5] or {}).get(ATTRIBUTE)
            if text:
                found |= self._by_rule(text)
            self._below[service] = found - {service}
        return self._below[service]

    def _by_rule(self, text: str) -> set[str]:
        try:
            return set(self.members(member_rule(text, Vocabulary.of(self.kinds, relation_types()))))
        except Invalid:
            return set()

    def _providers(self, service: str) -> Iterator[str]:
        types: Mapping[str, RelationType] = relation_types()
        for row in self.tx.find(tables.RELATION, ("from_ci",), [(service,)]):
            if row[1] in types and types[row[1]].impact == "to_from":
                yield row[2]
        for row in self.tx.find(tables.RELATION, ("to_ci",), [(service,)]):
            if row[1] in types and types[row[1]].impact == "from_to":
                yield row[0]
