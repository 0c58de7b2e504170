"""What is there: CIs, their relations, where they come from. Typed answers, built once for API, CLI and pages.

Every read takes a viewer and may be asked as of a time (``at``: how things were) and as known at a time (``known_at``:
what had been told by then), both in ms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.relations import relation_types
from cmdb_server.answers.deleted import is_deleted
from cmdb_server.answers.history import Graph
from cmdb_server.answers.lives import Lives
from cmdb_server.answers.samples import latest
from cmdb_server.answers.seen import as_seen, graph_seen
from cmdb_server.answers.selected import Selected
from cmdb_server.answers.sight import is_token
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.views import CiAnswer, CiSummary, Hit, OpenEnd, Page, RelationView
from cmdb_server.errors import Invalid
from cmdb_server.ingest.counts import DEPENDS
from cmdb_server.ingest.declare import resolve
from cmdb_server.model.normalise import normalise
from cmdb_server.projection.naming import named
from cmdb_server.projection.projections import Projections
from cmdb_server.store import tables
from cmdb_server.store.partial import whole
from cmdb_server.store.port import Reading, Row, Store

PAGE_LIMIT = 1000
SCAN = 2000
ATTRIBUTE_SCAN = 20_000


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to. ``class_`` takes in its descendants; ``attributes``: name -> wanted value as text."""

    class_: str | None = None
    name: str | None = None
    site: str | None = None
    stage: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


def list_cis(
    store: Store, viewer: Viewer, filters: Filters, cursor: str | None = None, limit: int = 100,
    at: int | None = None, known_at: int | None = None, *, now_ms: int, selected: Selected | None = None,
) -> Page:  # fmt: skip
    """CIs in order of their ids, those alone that are ``selected``; of those that people deleted none, unless asked for
    by stage. Raises Invalid for an unknown class."""
    limit = max(1, min(limit, PAGE_LIMIT))
    known = viewer.kinds
    if filters.class_ is not None and filters.class_ not in known:
        raise Invalid(f"class: unknown class {filters.class_!r}", errors=[{"path": "class", "message": "unknown"}])

    by_stage = filters.stage == "retired" or (selected is not None and selected.asks("stage"))

    def work(tx: Reading) -> Page:
        graph, now = _past(tx, viewer, at, known_at), now_ms if at is None else at
        lives = Lives(tx, now, viewer.kinds, graph)
        found: list[CiSummary] = []
        narrowed = selected.batches(tx, cursor, now) if selected is not None and graph is None else None
        for rows in narrowed or _batches(tx, graph, filters, known, cursor):
            fitting = [row for row in rows if (by_stage or not is_deleted(row)) and _fits(row, filters, known)]
            if selected is not None:
                fitting = selected.holding(tx, fitting, lives, graph, now)
            for summary in _summaries(fitting, lives):
                if filters.stage in (None, summary.stage) and filters.site in (None, summary.site):
                    found.append(summary)
                    if len(found) > limit:
                        return Page(tuple(found[:limit]), found[limit - 1].id, tx.revision)
        return Page(tuple(found), None, tx.revision)

    return as_seen(store, viewer).read(work)


def _past(tx: Reading, viewer: Viewer, at: int | None, known_at: int | None) -> Graph | None:
    return graph_seen(tx, at, known_at, viewer) if at is not None or known_at is not None else None


def _batches(
    tx: Reading, graph: Graph | None, filters: Filters, known: Mapping[str, CIClass], cursor: str | None
) -> Iterator[list[Row]]:
    """The rows to look at, in order of id, after the cursor."""
    if graph is not None or filters.class_ is not None or filters.name is not None:
        rows = list(graph.cis.values()) if graph is not None else _narrowed(tx, filters, known)
        ordered = sorted((row for row in rows if cursor is None or row[0] > cursor), key=lambda row: str(row[0]))
        for start in range(0, len(ordered), SCAN):
            yield ordered[start : start + SCAN]
        return
    after = None if cursor is None else (cursor,)
    while rows := tx.scan(tables.CI, after, SCAN):
        yield rows
        after = (rows[-1][0],)


def _narrowed(tx: Reading, filters: Filters, known: Mapping[str, CIClass]) -> list[Row]:
    if filters.name is not None:
        return tx.find(tables.CI, ("name",), [(filters.name,)])
    wanted = [(name,) for name, class_ in known.items() if class_.is_a(str(filters.class_))]
    return tx.find(tables.CI, ("class",), wanted)


def _fits(row: Row, filters: Filters, known: Mapping[str, CIClass]) -> bool:
    if filters.class_ is not None and not known[row[1]].is_a(filters.class_):
        return False
    if filters.name is not None and row[2] != filters.name:
        return False
    return all(_text(row[5].get(name)) == value for name, value in filters.attributes.items())


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _summaries(rows: Iterable[Row], lives: Lives) -> list[CiSummary]:
    some = list(rows)
    lives.load([row[0] for row in some])
    return [_summary(row, lives) for row in some]


def _summary(row: Row, lives: Lives) -> CiSummary:
    life = lives.of(row)
    return CiSummary(row[0], row[1], row[2], row[3], life.stage, life.site, row[4], life.last, row[6], row[5])


def show(
    store: Store, viewer: Viewer, ci: str, at: int | None = None, known_at: int | None = None, *, now_ms: int
) -> CiAnswer:
    """One CI, by any id that ever stood for it. Raises NotFound."""

    def work(tx: Reading) -> CiAnswer:
        graph = _past(tx, viewer, at, known_at)
        lives = Lives(tx, now_ms if at is None else at, viewer.kinds, graph)
        if graph is not None:
            return _show_past(graph, graph.resolve(ci), lives)
        id_ = resolve(tx, ci)
        row = tx.get(tables.CI, [(id_,)])[(id_,)]
        parts = _beside(row, tx.find(tables.CI, ("parent",), [(id_,)]))
        relations = [*tx.find(tables.RELATION, ("from_ci",), [(id_,)]), *tx.find(tables.RELATION, ("to_ci",), [(id_,)])]
        ends = tx.get(tables.CI, {(_other(relation, id_),) for relation in relations})
        others = {one[0]: one for one in _beside(row, ends.values())}
        lives.load([id_, *(part[0] for part in parts)])
        return CiAnswer(
            _summary(row, lives),
            tuple(sorted((_summary(part, lives) for part in parts), key=_by_name)),
            _views(relations, id_, others.get, _passing(tx, relations)),
            tuple(_open_ends(tx, id_)), tuple(lives.sources(id_)),
            latest(tx, lives, id_, {part[0]: part[2] for part in parts}),
        )  # fmt: skip

    return as_seen(store, viewer).read(work)


def _show_past(graph: Graph, id_: str, lives: Lives) -> CiAnswer:
    row = graph.cis[id_]
    parts = _beside(row, (one for one in graph.cis.values() if one[3] == id_))
    relations = [r for r in graph.relations if id_ in (r[0], r[2])]
    return CiAnswer(
        _summary(row, lives),
        tuple(sorted((_summary(part, lives) for part in parts), key=_by_name)),
        _views(relations, id_, {one[0]: one for one in _beside(row, graph.cis.values())}.get),
    )


def _beside(ci: Row, others: Iterable[Row]) -> list[Row]:
    """What is told of others with a CI: of those that people deleted nothing, unless they deleted this one."""
    return [row for row in others if is_deleted(ci) or not is_deleted(row)]


def _by_name(summary: CiSummary) -> tuple[str, str, str]:
    return summary.class_, summary.name, summary.id


def _other(relation: Row, ci: str) -> str:
    return str(relation[2] if relation[0] == ci else relation[0])


def _passing(tx: Reading, relations: Iterable[Row]) -> dict[tuple[str, str, str], bool]:
    """The dependencies, and whether all that carries one was seen only in passing."""
    wanted = [(row[0], row[1], row[2]) for row in relations if row[1] == DEPENDS]
    found = dict.fromkeys(wanted, False)
    told: dict[tuple[str, str, str], list[bool]] = {}
    for row in tx.find(tables.TIE, ("from_ci", "type", "to_ci"), wanted) if wanted else ():
        told.setdefault((row[9], row[2], row[10]), []).append(bool(row[5].get("transient")))
    return found | {relation: all(passing) for relation, passing in told.items()}


def _views(
    relations: Iterable[Row], ci: str, row_of: Callable[[str], Row | None],
    passing: Mapping[tuple[str, str, str], bool] | None = None,
) -> tuple[RelationView, ...]:  # fmt: skip
    views = []
    for relation in relations:
        incoming = relation[2] == ci
        far = _other(relation, ci)
        other = (far, None, None) if is_token(far) else row_of(far)
        type_ = relation_types().get(relation[1])
        label = relation[1] if not incoming or type_ is None or type_.symmetric else type_.reverse
        if other is not None:
            views.append(
                RelationView(
                    relation[1],
                    label,
                    incoming,
                    other[0],
                    other[1],
                    other[2],
                    relation[3],
                    relation[5],
                    relation[7],
                    None if passing is None else passing.get((relation[0], relation[1], relation[2]), False),
                )
            )
    return tuple(
        sorted(views, key=lambda view: (view.label, view.other_class or "", view.other_name or "", view.other))
    )


def _open_ends(tx: Reading, ci: str) -> Iterator[OpenEnd]:
    records = tx.find(tables.RECORD, ("ci",), [(ci,)])
    tops = {row[0] for row in records}
    for column in ("from_ci", "to_ci"):
        far = tables.TIE.position("to_ci" if column == "from_ci" else "from_ci")
        for row in tx.find(tables.TIE, (column,), [(ci,)]):
            if row[far] is None and (row[3] in tops):
                yield OpenEnd(row[2], row[4], row[5].get("port"), row[5].get("evidence", ""))


def search(
    store: Store, viewer: Viewer, text: str, limit: int = 50, at: int | None = None, known_at: int | None = None,
    *, projections: Projections, now_ms: int,
) -> tuple[Hit, ...]:  # fmt: skip
    """CIs by identifier, address or name: exact matches first, then names that contain the text, then, of the first
    ``ATTRIBUTE_SCAN`` CIs, attributes that do. What has an attribute is a question for a selector."""
    wanted = text.strip().lower()
    if not wanted:
        raise Invalid("q: nothing to search for", errors=[{"path": "q", "message": "empty"}])

    def work(tx: Reading) -> tuple[Hit, ...]:
        graph = _past(tx, viewer, at, known_at)
        lives = Lives(tx, now_ms if at is None else at, viewer.kinds, graph)
        found: dict[str, tuple[Row, str]] = {}

        def take(row: Row, matched: str) -> None:
            if not is_deleted(row):
                found.setdefault(row[0], (row, matched))

        if graph is None:
            for row, matched in _by_identifier(tx, wanted):
                take(row, matched)
            for row in tx.find(tables.CI, ("name",), [(text.strip(),), (wanted,)]):
                take(row, "name")
            for row in _by_part_of_name(tx, projections, wanted, limit):
                take(row, "name")
        looked = 0
        for rows in _batches(tx, graph, Filters(), viewer.kinds, None):
            if len(found) >= limit or looked >= ATTRIBUTE_SCAN:
                break
            looked += len(rows)
            for row in rows:
                where = _contains(row, wanted)
                if where is not None:
                    take(row, where)
        chosen = list(found.values())[:limit]
        lives.load([row[0] for row, _ in chosen])
        return tuple(Hit(_summary(row, lives), matched) for row, matched in chosen)

    return as_seen(store, viewer).read(work)


KINDS = ("serial", "uuid", "mac", "machine_id", "ssh_host_key", "engine_id", "chassis_id", "fqdn", "name")


def _by_part_of_name(tx: Reading, projections: Projections, wanted: str, limit: int) -> list[Row]:
    projection = projections.current(whole(tx))
    found: list[Row] = []
    cis = named(projection, wanted)
    while len(found) < limit and (some := [projection.id(ci) for ci in islice(cis, limit)]):
        rows = tx.get(tables.CI, [(ci,) for ci in some])
        found += [rows[(ci,)] for ci in some if (ci,) in rows]
    return found[:limit]


def _by_identifier(tx: Reading, wanted: str) -> Iterator[tuple[Row, str]]:
    normal = {(kind, value) for kind in KINDS for value in normalise({kind: [wanted]}).get(kind, ())}
    rows = tx.find(tables.IDENTIFIER, ("kind", "value"), sorted(normal))
    site = tables.LANE.position("site")
    sites = {row[site] for row in tx.scan(tables.LANE, None, SCAN)} if _like_address(wanted) else set()
    rows += tx.find(tables.IDENTIFIER, ("kind", "value"), [("address", f"{site}|{wanted}") for site in sorted(sites)])
    records = tx.get(tables.RECORD, {(row[2],) for row in rows})
    cis = tx.get(tables.CI, {(record[tables.RECORD.position("ci")],) for record in records.values()})
    for row in rows:
        record = records.get((row[2],))
        ci = cis.get((record[tables.RECORD.position("ci")],)) if record is not None else None
        if ci is not None:
            yield ci, row[0]


def _like_address(text: str) -> bool:
    return "." in text or ":" in text


def _contains(row: Row, wanted: str) -> str | None:
    if wanted in row[2].lower() or wanted == row[0]:
        return "name"
    for name, value in row[5].items():
        if isinstance(value, str) and wanted in value.lower():
            return f"attribute:{name}"
        if isinstance(value, list) and any(wanted in str(one).lower() for one in value):
            return f"attribute:{name}"
    return None


def counts(store: Store, viewer: Viewer, at: int | None = None, known_at: int | None = None) -> dict[str, int]:
    """class -> number of CIs, without those that people deleted, largest first."""

    def work(tx: Reading) -> dict[str, int]:
        found: Counter[str] = Counter()
        for rows in _batches(tx, _past(tx, viewer, at, known_at), Filters(), viewer.kinds, None):
            found.update(row[1] for row in rows if not is_deleted(row))
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    return as_seen(store, viewer).read(work)


def relations(
    store: Store, viewer: Viewer, ci: str, at: int | None = None, known_at: int | None = None, *, now_ms: int
) -> tuple[RelationView, ...]:
    """A CI's relations, both ways."""
    answer = show(store, viewer, ci, at, known_at, now_ms=now_ms)
    return answer.relations
