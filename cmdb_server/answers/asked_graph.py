"""The graph that a question is about: the present one, or as of a time, as known at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cmdb_server.answers.history import moment_of
from cmdb_server.answers.sight import Eyes, Now, Then
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import NotFound
from cmdb_server.ingest.declare import resolve
from cmdb_server.ingest.rewind import state_at
from cmdb_server.projection.feed import RelationKey
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rewound import rewound
from cmdb_server.store.draft import Draft
from cmdb_server.store.port import Reading, Row
from cmdb_server.store.tables import CI, RELATION


@dataclass(frozen=True, slots=True)
class AskedGraph:
    """A graph to ask: its projection, who an id stands for in it (``resolve`` for who asks, ``living`` for the answer),
    the attributes of some CIs, which of some relations
    there are, and all components of a CI. ``eyes``: what the one who asks sees of it; None: everything. What is not
    seen is computed with, but cannot be asked about."""

    projection: Projection
    resolve: Callable[[str], str]
    attributes: Callable[[list[str]], dict[str, Mapping[str, Any]]]
    related: Callable[[Collection[RelationKey]], set[RelationKey]]
    components: Callable[[str], set[str]]
    living: Callable[[str], str]
    eyes: Eyes | None

    def cis(self, path: str, ids: Iterable[str]) -> list[int]:
        """The CIs' numbers. Raises ``NotFound`` with the place of the first that is not there."""
        found = []
        for place, id_ in enumerate(ids):
            try:
                found.append(self.projection.ci(self.resolve(id_)))
            except NotFound as error:
                where = f"{path}[{place}]"
                raise NotFound(error.detail, errors=[{"path": where, "message": "unknown CI"}], id=id_) from error
        return found

    def there(self, ids: Iterable[str]) -> list[int]:
        """The numbers of those that are there."""
        found = []
        for id_ in ids:
            try:
                found.append(self.projection.ci(self.living(id_)))
            except NotFound:
                continue
        return found


def asked_graph(
    projections: Projections, viewer: Viewer, reading: Reading, at: int | None, known_at: int | None
) -> AskedGraph:
    """As of ``at``, as known at ``known_at``, in ms; None: now."""
    if at is None and known_at is None:
        return _present(projections, viewer, reading)
    return _past(projections, viewer, reading, at, known_at)


def _present(projections: Projections, viewer: Viewer, reading: Reading) -> AskedGraph:
    current = projections.current(reading)
    projection = projections.memberships.joined(current, reading, projections.attributes, viewer.kinds)
    eyes = None if viewer.sight is None else Now(viewer.sight, reading)
    return _asked(reading, projection, eyes, "no CI {!r}")


def _past(
    projections: Projections, viewer: Viewer, reading: Reading, at: int | None, known_at: int | None
) -> AskedGraph:
    moment = moment_of(reading, at, known_at)

    def make() -> tuple[Projection, Draft]:
        past = state_at(reading, moment.then, viewer.kinds, moment.now)
        told = rewound(projections.current(reading), past, moment.now)
        return projections.memberships.past(told, past, viewer.kinds), past

    projection, past = projections.past((moment, reading.revision), make)
    eyes: Eyes | None = None
    if viewer.sight is not None:
        graph = viewer.past.at(reading, at, known_at, viewer.kinds)
        eyes = Then(viewer.sight, reading, graph, moment.now)
    return _asked(past.onto(reading), projection, eyes, "no CI {!r} then")


def _asked(reading: Reading, projection: Projection, eyes: Eyes | None, unknown: str) -> AskedGraph:
    """``unknown``: what is said of who is not there."""

    def attributes(ids: list[str]) -> dict[str, Mapping[str, Any]]:
        return {row[0]: attributes_of(row) for row in reading.get(CI, [(id_,) for id_ in ids]).values()}

    def related(keys: Collection[RelationKey]) -> set[RelationKey]:
        return {(row[0], row[1], row[2]) for row in reading.get(RELATION, keys).values()}

    def parts_of(ids: Collection[str]) -> list[str]:
        return [row[0] for row in reading.find(CI, ("parent",), [(id_,) for id_ in ids])]

    def living(id_: str) -> str:
        try:
            return resolve(reading, id_)
        except NotFound:
            raise NotFound(unknown.format(id_)) from None

    return AskedGraph(
        projection, _seen_alone(living, eyes, unknown), _of_seen(attributes, eyes), related,
        lambda ci: _components(ci, parts_of), living, eyes,
    )  # fmt: skip


def _seen_alone(living: Callable[[str], str], eyes: Eyes | None, words: str) -> Callable[[str], str]:
    """Who an id stands for; who is not seen is refused like who is not there."""

    def resolved(id_: str) -> str:
        found = living(id_)
        if eyes is not None and not eyes.sees((found,)):
            raise NotFound(words.format(id_))
        return found

    return resolved


def _of_seen(
    attributes: Callable[[list[str]], dict[str, Mapping[str, Any]]], eyes: Eyes | None
) -> Callable[[list[str]], dict[str, Mapping[str, Any]]]:
    if eyes is None:
        return attributes

    def told(ids: list[str]) -> dict[str, Mapping[str, Any]]:
        seen = eyes.sees(ids)
        return attributes([id_ for id_ in ids if id_ in seen])

    return told


def _components(ci: str, parts_of: Callable[[Collection[str]], list[str]]) -> set[str]:
    """All parts, and their parts."""
    found: set[str] = set()
    new = {ci}
    while new := set(parts_of(new)) - found:
        found |= new
    return found


def attributes_of(row: Row) -> Mapping[str, Any]:
    """Of a row of the table ``ci``."""
    return row[CI.position("attributes")] or {}
