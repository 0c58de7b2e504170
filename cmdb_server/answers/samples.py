"""What is measured of a CI: the newest values, and each value's course at a resolution.

Samples belong to records, so that they follow a CI through merges and splits. What is told and not folded yet is
folded for the answer, which therefore is the same whenever the folding is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cmdb_server.answers.lives import Lives, R
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.viewer import Viewer
from cmdb_server.answers.views import Latest
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.ingest import samples
from cmdb_server.ingest.declare import resolve
from cmdb_server.ingest.samples import Measured
from cmdb_server.model.series import COUNTER, RAW, WIDTHS, Aggregate, Metered, bucket, joined, point, rates, together
from cmdb_server.practices import series as folding
from cmdb_server.store.port import Reading, Row, Store
from cmdb_server.store.tables import CI, SAMPLE, SAMPLED

RESOLUTIONS = (RAW, *WIDTHS)
MOST = 400
"""Points of an answer whose resolution is chosen for the asker."""


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket, or one sample. ``at``: when it begins, ms. ``rate``: a counter's, a second."""

    at: int
    count: int
    min: float
    max: float
    mean: float
    last: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Series:
    """The course of one value. ``resolution``: raw, or the width of the buckets. ``revision``: what it was read at."""

    ci: str
    name: str
    source: str
    unit: str
    kind: str
    resolution: str
    points: tuple[Point, ...]
    revision: int


def latest(tx: Reading, lives: Lives, ci: str, parts: Mapping[str, str]) -> tuple[Latest, ...]:
    """The newest values of a loaded CI and of its components, which ``lives`` has loaded too; id -> name."""
    found: dict[tuple[str, str, str], Latest] = {}
    for whose in (ci, *parts):
        held = list(lives.holding(whose))
        tops = {top[0]: str(top[R["source"]]) for _, top in held}
        mine = {record[0] if record[0] != top[0] else "" for record, top in held}
        for one in _newest(tx, held):
            if one.thing in tops and one.component in mine:
                told = Latest(
                    one.name, tops[one.thing], None if whose == ci else whose, "" if whose == ci else parts[whose],
                    one.value, one.unit, one.kind, one.at, one.told_at,
                )  # fmt: skip
                key = (whose, one.name, told.source)
                if key not in found or (found[key].at, found[key].value) < (told.at, told.value):
                    found[key] = told
    order = {whose: place for place, whose in enumerate((ci, *parts))}
    return tuple(found[key] for key in sorted(found, key=lambda key: (order[key[0]], *key[1:])))


def _newest(tx: Reading, held: Iterable[tuple[Row, Row]]) -> Iterator[Measured]:
    tops = {top[0]: top for _, top in held}
    lanes = {(top[R["scope"]], top[R["part"]]) for top in tops.values()}
    rows = tx.get(SAMPLED, [(row[0], row[2], row[1], row[3]) for row in tx.get(SAMPLE, lanes).values()]).values()
    return samples.measured(tx, rows, frozenset(tops))


def of_ci(store: Store, viewer: Viewer, ci: str, *, now_ms: int) -> tuple[str, tuple[Latest, ...], int]:
    """The CI's canonical id, its newest values and those of its components, and the revision. Raises NotFound."""

    def work(tx: Reading) -> tuple[str, tuple[Latest, ...], int]:
        id_ = resolve(tx, ci)
        return id_, told_of(tx, viewer, id_, now_ms=now_ms), tx.revision

    return as_seen(store, viewer).read(work)


def told_of(tx: Reading, viewer: Viewer, ci: str, *, now_ms: int) -> tuple[Latest, ...]:
    """The newest values of a CI by its canonical id."""
    parts = {row[0]: str(row[2]) for row in sorted(tx.find(CI, ("parent",), [(ci,)]), key=lambda row: str(row[2]))}
    lives = Lives(tx, now_ms, viewer.kinds)
    lives.load([ci, *parts])
    return latest(tx, lives, ci, parts)


def series(
    store: Store, viewer: Viewer, ci: str, name: str, since: int | None = None, until: int | None = None,
    resolution: str | None = None, source: str | None = None, *, days: Mapping[str, int], now_ms: int,
) -> Series:  # fmt: skip
    """The course of what is measured of a CI from ``since`` (ms; None: a day before) to ``until`` (None: now).
    ``resolution`` None: the finest that is kept for so long and gives few points. ``source`` None: whichever told of it
    last. ``days``: how long each resolution is kept. Raises NotFound and Invalid."""
    end = now_ms if until is None else until
    start = end - 86_400_000 if since is None else since
    if start >= end:
        raise Invalid("from: is not before to", errors=[{"path": "from", "message": "is not before to"}])
    chosen = resolution or fitting(start, end, days, now_ms)

    def work(tx: Reading) -> Series:
        id_ = resolve(tx, ci)
        lives = Lives(tx, now_ms, viewer.kinds)
        lives.load([id_])
        of: dict[str, list[tuple[int, Metered]]] = {}
        for record, top in lives.holding(id_):
            component = record[0] if record[0] != top[0] else ""
            told = of.setdefault(str(top[R["source"]]), [])
            told += _course(tx, top, (component, name), chosen, start, end)
        known = {one: told for one, told in of.items() if told and source in (None, one)}
        if known:
            told_by = max(known, key=lambda one: (max(at for at, _ in known[one]), one))
            unit, kind, points = _points(known[told_by], chosen)
            return Series(id_, name, told_by, unit, kind, chosen, points, tx.revision)
        for one in sorted(latest(tx, lives, id_, {}), key=lambda one: -one.at):
            if one.name == name and source in (None, one.source):
                return Series(id_, name, one.source, one.unit, one.kind, chosen, (), tx.revision)
        raise NotFound(f"nothing called {name!r} is measured of {id_}")

    return as_seen(store, viewer).read(work)


def fitting(start: int, end: int, days: Mapping[str, int], now_ms: int) -> str:
    """The finest resolution that reaches back to ``start`` and gives at most MOST points; else the coarsest."""
    for resolution, width in WIDTHS.items():
        if start >= now_ms - days[resolution] * 86_400_000 and (end - start) // width <= MOST:
            return resolution
    return RESOLUTIONS[-1]


def _course(
    tx: Reading, top: Row, of: tuple[str, str], resolution: str, start: int, end: int
) -> Iterator[tuple[int, Metered]]:
    thing, scope = str(top[0]), str(top[R["scope"]])
    if resolution == RAW:
        rows = samples.in_bucket(tx, scope, start, end)
        for one in samples.measured(tx, rows, frozenset((thing,))):
            if (one.component, one.name) == of:
                yield one.at, Metered(one.unit, one.kind, point(one.at, one.value))
        return
    table, first = folding.TABLES[resolution], bucket(start, WIDTHS[resolution])
    fresh = folding.folded(tx, folding.fresh_rows(tx, (scope,)), frozenset((thing,)))[table]
    cells = {row[1]: folding.cells_of(row) for row in folding.stored(tx, table, thing, first, end)}
    cells |= {at: made for (whose, at), made in fresh.items() if whose == thing and first <= at < end}
    for at in sorted(cells):
        if of in cells[at]:
            yield at, cells[at][of]


def _points(told: list[tuple[int, Metered]], resolution: str) -> tuple[str, str, tuple[Point, ...]]:
    """Unit and kind as they were told last, and the points in order of time."""
    newest = max((one for _, one in told), key=lambda one: one.of.last_at)
    pairs = [(at, one.of) for at, one in told]
    course = _apart(pairs) if resolution == RAW else together(pairs, WIDTHS[resolution])
    places = sorted(course)
    cells = [course[at] for at in places]
    speeds = rates(cells) if newest.kind == COUNTER else [None] * len(cells)
    points = (
        Point(at, one.count, one.min, one.max, one.sum / one.count, one.last, rate)
        for at, one, rate in zip(places, cells, speeds, strict=True)
    )
    return newest.unit, newest.kind, tuple(points)


def _apart(pairs: Iterable[tuple[int, Aggregate]]) -> dict[int, Aggregate]:
    found: dict[int, Aggregate] = {}
    for at, one in pairs:
        found[at] = joined(found[at], one) if at in found else one
    return found
