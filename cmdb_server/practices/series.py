"""Samples become series: folded into buckets of growing width, of which the finer are dropped sooner.

A bucket is computed anew from all that is finer and still there, so that late, repeated and re-ordered reports end in
the same series; what is finer having been dropped, the late ones are added to what stands.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import msgspec

from cmdb_server.ingest import samples
from cmdb_server.ingest.samples import Measured
from cmdb_server.model.series import WIDTHS, Metered, bucket, met, packed, point, unpacked
from cmdb_server.store.bounds import SERIES, Bound, advance, bound
from cmdb_server.store.port import Reading, Row, Store, Writing
from cmdb_server.store.tables import SAMPLE, SAMPLED, SERIES_1D, SERIES_1H, SERIES_5MIN, Table

S = samples.S
TABLES: Mapping[str, Table] = {"5min": SERIES_5MIN, "1h": SERIES_1H, "1d": SERIES_1D}
BATCH = 500
"""Reports folded, or rows dropped, in one transaction."""
Of = tuple[str, str]
"""(component's record or "", name of what is measured)."""
Cells = dict[Of, Metered]
Key = tuple[str, int]
"""(the thing's record, when the bucket begins)."""


def fold(store: Store, limit: int = BATCH) -> int:
    """Fold what was told since the last time; gives how many reports there were. Call it again until that is 0. Any
    number of processes may do so at once."""
    if not store.read(lambda tx: _unfolded(tx, 1)):
        return 0

    def work(tx: Writing) -> int:
        rows = _unfolded(tx, limit)
        for table, buckets in folded(tx, rows).items():
            tx.put(table, [(*key, _compressed(cells)) for key, cells in buckets.items()])
        if rows:
            advance(tx, Bound(SERIES, revision=max(row[S["revision"]] for row in rows)))
        return len(rows)

    return store.write(work)


def _unfolded(tx: Reading, limit: int) -> list[Row]:
    return list(islice(tx.between(SAMPLED, "revision", bound(tx, SERIES).revision, tx.revision), limit))


def folded(tx: Reading, rows: Iterable[Row], things: frozenset[str] | None = None) -> dict[Table, dict[Key, Cells]]:
    """The buckets that these rows of SAMPLED change, as they are to be; of some things alone if named."""
    fresh = list(samples.measured(tx, rows, things))
    found: dict[Table, dict[Key, Cells]] = {}
    finer: dict[Key, Cells] = {}
    below: Table = SAMPLED
    for resolution, table in TABLES.items():
        width, floor = WIDTHS[resolution], bound(tx, below.name).at
        added = _bucketed(fresh, width)
        whole = {key for key in added if key[1] >= floor}
        if below is SAMPLED:
            made = _from_samples(tx, fresh, whole, width)
        else:
            changed: defaultdict[str, dict[int, Cells]] = defaultdict(dict)
            for (thing, at), cells in finer.items():
                changed[thing][at] = cells
            made = {key: _from_finer(tx, below, changed[key[0]], key, width) for key in whole}
        found[table] = finer = made | _onto(tx, table, {key: added[key] for key in added.keys() - whole})
        below = table
    return found


def _bucketed(points: Iterable[Measured], width: int) -> dict[Key, Cells]:
    found: defaultdict[Key, Cells] = defaultdict(dict)
    for one in sorted(points, key=lambda told: (told.at, told.value)):
        cells, of = found[(one.thing, bucket(one.at, width))], (one.component, one.name)
        cells[of] = met(cells.get(of), Metered(one.unit, one.kind, point(one.at, one.value)))
    return found


def _from_samples(tx: Reading, fresh: Iterable[Measured], whole: set[Key], width: int) -> dict[Key, Cells]:
    """The buckets of these keys, of all samples that are there."""
    places = {(one.scope, bucket(one.at, width)) for one in fresh if (one.thing, bucket(one.at, width)) in whole}
    rows = [row for scope, start in sorted(places) for row in samples.in_bucket(tx, scope, start, start + width)]
    things = frozenset(thing for thing, _ in whole)
    made = _bucketed(samples.measured(tx, rows, things), width)
    return {key: made[key] for key in whole if key in made}


def _from_finer(tx: Reading, below: Table, changed: Mapping[int, Cells], key: Key, width: int) -> Cells:
    """A bucket made of the finer ones that are there; the thing's ``changed`` ones are not written yet."""
    thing, start = key
    parts = {row[1]: cells_of(row) for row in stored(tx, below, thing, start, start + width)}
    parts |= {at: cells for at, cells in changed.items() if start <= at < start + width}
    cells: Cells = {}
    for at in sorted(parts):
        for of, one in parts[at].items():
            cells[of] = met(cells.get(of), one)
    return cells


def _onto(tx: Reading, table: Table, added: Mapping[Key, Cells]) -> dict[Key, Cells]:
    """What stands in these buckets and what came late."""
    standing = {(row[0], row[1]): cells_of(row) for row in tx.get(table, added).values()}
    found = {}
    for key, cells in added.items():
        mixed = standing.get(key, {})
        for of, one in cells.items():
            mixed[of] = met(mixed.get(of), one)
        found[key] = mixed
    return found


def stored(tx: Reading, table: Table, thing: str, start: int, end: int) -> Iterator[Row]:
    """The rows of a table of series with ``start <= row.start < end``, in order."""
    after: tuple[Any, ...] = (thing, start - 1)
    page = samples.FEW
    while rows := tx.scan(table, after, page):
        for row in rows:
            if row[0] != thing or row[1] >= end:
                return
            yield row
        after, page = rows[-1][:2], samples.MANY


def cells_of(row: Row) -> Cells:
    """What a row of a table of series holds."""
    told = msgspec.json.decode(zlib.decompress(row[2]))
    return {(part, name): unpacked(one) for part, names in told.items() for name, one in names.items()}


def _compressed(cells: Cells) -> bytes:
    told: dict[str, dict[str, Any]] = {}
    for (part, name), one in sorted(cells.items()):
        told.setdefault(part, {})[name] = packed(one)
    return zlib.compress(msgspec.json.encode(told), 1)


def fresh_rows(tx: Reading, scopes: Iterable[str]) -> list[Row]:
    """The rows of SAMPLED of these scopes that are not folded yet."""
    known = bound(tx, SERIES).revision
    rows = (row for scope in scopes for row in samples.in_bucket(tx, scope, 0, 1 << 62))
    return [row for row in rows if row[S["revision"]] > known]


# Dropping --------------------------------------------------------------------------------------------------------------


def thin(store: Store, days: Mapping[str, int], now_ms: int, limit: int = BATCH) -> int:
    """Drop what is older than its resolution is kept for (``raw`` and those of WIDTHS, in days); gives how many rows
    went. The newest samples of each part of a scope stay."""
    dropped = 0
    for name, table in (("raw", SAMPLED), *TABLES.items()):
        horizon = now_ms - days[name] * 86_400_000
        if next(iter(old_rows(store, table, -1, horizon, 1)), None) is not None:
            dropped += _drop(store, table, horizon, limit)
    return dropped


def thinnable(tx: Reading, days: Mapping[str, int], now_ms: int) -> int:
    """How many rows would go, the newest samples of each part perhaps excepted."""
    horizons = ((table, now_ms - days[name] * 86_400_000) for name, table in (("raw", SAMPLED), *TABLES.items()))
    return sum(1 for table, horizon in horizons for _ in tx.between(table, _time(table), -1, horizon))


def old_rows(store: Store, table: Table, after: int, horizon: int, limit: int) -> list[Row]:
    """Rows of a table of samples that are older than the horizon, from a time on."""
    return store.read(lambda tx: list(islice(tx.between(table, _time(table), after, horizon), limit)))


def _time(table: Table) -> str:
    return "at" if table is SAMPLED else "start"


def _drop(store: Store, table: Table, horizon: int, limit: int) -> int:
    dropped, after = 0, -1

    def work(tx: Writing) -> tuple[int, int | None]:
        reach = bound(tx, table.name)
        if reach.at < horizon:
            advance(tx, replace(reach, at=horizon))
        rows = list(islice(tx.between(table, _time(table), after, horizon), limit))
        gone = _droppable(tx, rows) if table is SAMPLED else rows
        tx.delete(table, [row[: len(table.key)] for row in gone])
        return len(gone), rows[-1][1] - 1 if len(rows) == limit else None

    while True:
        count, reached = store.write(work)
        dropped += count
        if reached is None:
            return dropped
        after = max(after, reached) if count else reached + 1


def _droppable(tx: Reading, rows: list[Row]) -> list[Row]:
    """Neither the newest of their part nor still to be folded."""
    known = bound(tx, SERIES).revision
    newest = tx.get(SAMPLE, {(row[S["scope"]], row[S["part"]]) for row in rows})
    kept = {(row[0], row[2], row[1], row[3]) for row in newest.values()}
    return [row for row in rows if row[: len(SAMPLED.key)] not in kept and row[S["revision"]] <= known]
