"""Members of services by rule: relations that follow from the graph, laid over its projection when it is asked.

A CI is a member by what was last said of it: one that nobody sees any more stays, in doubt like every provider that is
not seen, until it retires. So who is a member is a function of the graph alone, and of the past as of the present.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.relations import relation_types
from cmdb_server.errors import Invalid
from cmdb_server.model.member_rule import RELATION, member_rule
from cmdb_server.model.selector import Selector
from cmdb_server.model.selector_tree import CompareFields, Has, Node, Related, fields, parts
from cmdb_server.model.selector_vocabulary import Vocabulary
from cmdb_server.projection.attributes import Attributes
from cmdb_server.projection.build import pages
from cmdb_server.projection.columns import Longs
from cmdb_server.projection.edited import Edits, edited
from cmdb_server.projection.feed import RelationKey
from cmdb_server.projection.projection import DELETED, GONE, Projection
from cmdb_server.projection.selection import candidates
from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import CI
from cmdb_server.store.tables import RELATION as RELATIONS

SERVICE = "service"
PAGE = 2000
_DECIDED = ("id", "class", "name", "first_discovered")
"""What a CI has beside its attributes and the projection's columns decide."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The graph that a reading has, of now or of the past."""

    reading: Reading

    def pages(self) -> Iterator[Sequence[Row]]:
        return pages(self.reading, CI)

    def rows(self, ids: Collection[str]) -> dict[str, Row]:
        return {key[0]: row for key, row in self.reading.get(CI, [(id_,) for id_ in ids]).items()}

    def ends(self, ids: Collection[str], related: Related) -> Iterator[tuple[str, str]]:
        if related.incoming:
            rows = self.reading.find(RELATIONS, ("to_ci",), [(id_,) for id_ in ids])
            return ((row[2], row[0]) for row in rows if row[1] == related.type)
        rows = self.reading.find(RELATIONS, ("from_ci", "type"), [(id_, related.type) for id_ in ids])
        return ((row[0], row[2]) for row in rows)


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A CI by what was last said of it."""

    row: Row
    others: Mapping[tuple[str, str, bool], Sequence[Row]]
    stale: bool = False

    def own(self, name: str) -> Any:
        return self.row[{"id": 0, "class": 1, "name": 2, "parent": 3, "first_discovered": 4}[name]]

    def attribute(self, name: str) -> Any:
        return (self.row[5] or {}).get(name)

    def related(self, type_: str, incoming: bool) -> Iterator[_Spoken]:
        for row in self.others.get((self.row[0], type_, incoming), ()):
            yield _Spoken(row, {})


def fitting(rule: Selector, rows: Collection[Row], source: Stored) -> Iterator[str]:
    """The ids of those of the rows that fit the rule."""
    others: dict[tuple[str, str, bool], list[Row]] = {}
    for one in {(part.type, part.incoming): part for part in parts(rule.tree) if isinstance(part, Related)}.values():
        ends = list(source.ends([row[0] for row in rows], one))
        there = source.rows({far for _, far in ends})
        for near, far in ends:
            if far in there:
                others.setdefault((near, one.type, one.incoming), []).append(there[far])
    return (row[0] for row in rows if rule.matches(_Spoken(row, others), 0))


def joined(projection: Projection, members: Mapping[int, Iterable[str]]) -> Projection:
    """``projection`` with each service standing on its members, those it has otherwise left as they are."""
    relations: dict[RelationKey, Row | None] = {}
    kind = projection.rules.types.find(RELATION)
    for service, ids in members.items():
        known = {
            projection.id(member)
            for gate in projection.gates_by(service).tolist()
            if projection.gates.type[gate] == kind
            for member in projection.members_of(gate).tolist()
        }
        id_ = projection.id(service)
        for member in ids:
            if member not in known and member != id_:
                relations[id_, RELATION, member] = (id_, RELATION, member, None, None)
    return edited(projection, Edits(relations=relations))


@dataclass(slots=True)
class Memberships:
    """The members by rule of one store's services, for all threads of a process. ``broken``: why a rule is none."""

    _lock: Lock = field(default_factory=Lock)
    _rules: dict[str, Selector | str] = field(default_factory=dict)
    _newest: tuple[Projection, Projection] | None = None

    def joined(
        self, projection: Projection, reading: Reading, attributes: Attributes, kinds: Mapping[str, CIClass]
    ) -> Projection:
        """The present ``projection`` with the members of its services."""
        if not _services(projection):
            return projection
        with self._lock:
            if self._newest is None or self._newest[0] is not projection:
                source = Stored(reading)

                def some(rule: Selector) -> Iterable[str]:
                    return _present(projection, reading, attributes, rule, source)

                self._newest = projection, joined(projection, self._members(projection, kinds, some))
            return self._newest[1]

    def past(self, projection: Projection, past: Reading, kinds: Mapping[str, CIClass]) -> Projection:
        """The ``projection`` of a past state with the members of its services."""
        if not _services(projection):
            return projection
        source = Stored(past)
        cis = [row for page in source.pages() for row in page]
        with self._lock:
            members = self._members(projection, kinds, lambda rule: fitting(rule, cis, source))
        return joined(projection, members)

    def broken(self, projection: Projection, kinds: Mapping[str, CIClass]) -> dict[int, str]:
        """Services whose rule is none, and why."""
        with self._lock:
            found = {ci: self._rule(text, kinds) for ci, text in _services(projection).items()}
        return {ci: rule for ci, rule in found.items() if isinstance(rule, str)}

    def _members(
        self, projection: Projection, kinds: Mapping[str, CIClass], some: Callable[[Selector], Iterable[str]]
    ) -> dict[int, list[str]]:
        services = _services(projection)
        rules = {text: self._rule(text, kinds) for text in set(services.values())}
        self._rules = rules
        found = {text: [] if isinstance(rule, str) else list(some(rule)) for text, rule in rules.items()}
        return {ci: found[text] for ci, text in services.items()}

    def _rule(self, text: str, kinds: Mapping[str, CIClass]) -> Selector | str:
        known = self._rules.get(text)
        if known is None:
            try:
                known = member_rule(text, Vocabulary.of(kinds, relation_types()))
            except Invalid as error:
                known = error.detail
        return known


def _services(projection: Projection) -> dict[int, str]:
    """The services that have a rule and are there."""
    return {
        ci: text
        for ci, text in projection.member_rules.items()
        if not projection.retired[ci] and SERVICE in projection.rules.lineage(projection.class_name(ci))
    }


def _present(
    projection: Projection, reading: Reading, attributes: Attributes, rule: Selector, source: Stored
) -> Iterable[str]:
    """Who fits now: by the columns where they decide it, by the rows of the rest."""
    mask = candidates(attributes, projection, reading, rule.tree, 0)
    if mask is None or any(isinstance(part, Related) for part in parts(rule.tree)):
        return [id_ for page in source.pages() for id_ in fitting(rule, page, source)]
    unseen = ~np.isin(projection.ended_at, (-1, GONE, DELETED))
    doubtful = np.flatnonzero(unseen | mask) if _undecided(rule.tree) else np.flatnonzero(unseen)
    sure = np.empty(0, np.int64) if _undecided(rule.tree) else np.flatnonzero(mask & ~unseen)
    return [*map(projection.id, sure.tolist()), *_confirmed(projection, rule, doubtful, source)]


def _undecided(tree: Node) -> bool:
    """Whether columns alone do not tell for certain."""
    return any(isinstance(part, Has | CompareFields) for part in parts(tree)) or any(
        one.own and one.name not in _DECIDED for one in fields(tree)
    )


def _confirmed(projection: Projection, rule: Selector, cis: Longs, source: Stored) -> Iterator[str]:
    for start in range(0, len(cis), PAGE):
        rows = source.rows([projection.id(ci) for ci in cis[start : start + PAGE].tolist()])
        yield from fitting(rule, rows.values(), source)
