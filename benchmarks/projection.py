"""The read side: starting cold from SQLite, and catching up after a change.

    python -m benchmarks.projection [--cis 1000000] [--relations 4000000] [--scale 0.01] [--changed 1000] [--goal]

The reference of the cold start is the bare driver reading the rows of the two tables and decoding nothing; that of the
catch-up is the cold start. Cold starts run in a process of their own, so that their peak memory can be told.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.estate_arrays import FLOWS, Estate, estate
from benchmarks.scaling import add_sizes, report_growth
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.projection.build import build
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.store.port import Row, Writing
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, FEED, RELATION

BATCH = 50_000
GOAL = 0.005
NOW = 1_800_000_000_000


def fill(store: SqliteStore, made: Estate) -> None:
    """The estate as rows, written in large transactions; no feed, as after a dump was loaded."""
    ids = [made.cis.index.id(ci) for ci in range(len(made.cis.class_of))]
    classes = [made.rules.classes[code] for code in made.cis.class_of.tolist()]
    attributes = {"os_name": "Debian GNU/Linux", "environment": "production", "model_number": "R640"}
    cis = [
        (id_, class_, made.cis.names[ci], "", 0, attributes, 1, None, 0)
        for ci, (id_, class_) in enumerate(zip(ids, classes, strict=True))
    ]
    for start in range(0, len(cis), BATCH):
        part = cis[start : start + BATCH]
        store.write(lambda tx: tx.put(CI, part))  # noqa: B023
    columns = made.relations
    for start in range(0, len(columns.from_), BATCH):
        span = slice(start, start + BATCH)
        rows = [
            (ids[a], made.rules.types[kind], ids[b], "group" if group >= 0 else None, weight, 1.0, 0, 1, 1)
            for a, kind, b, group, weight in zip(
                *(getattr(columns, name)[span].tolist() for name in ("from_", "type", "to", "group", "weight")),
                strict=True,
            )
        ]
        store.write(lambda tx: tx.put(RELATION, rows))  # noqa: B023


def cold(path: Path) -> dict[str, Any]:
    """Seconds to build from the store, and megabytes of memory beyond an idle process, at the peak and kept."""
    before = memory("VmHWM")
    store = SqliteStore(path)
    start = time.perf_counter()
    projection = store.read(lambda reading: build(reading, Rules(FLOWS), NOW))
    seconds = time.perf_counter() - start
    highest, mapped = memory("VmHWM") - before, memory("RssFile")
    store.close()
    return {
        "seconds": seconds,
        "peak_mb": highest / 1024,
        "mapped_mb": mapped / 1024,
        "kept_mb": kept(projection) / 2**20,
        "cis": len(projection),
    }


def memory(field: str) -> int:
    """A field of this process's status in kilobytes; 0 where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)


def kept(projection: Any) -> int:
    """The bytes of all columns of a projection."""
    tables = (projection.gates, projection.members, projection.slots, projection.listed, projection.direct,
              projection.counted, projection.index.identities, projection.gates_of, projection.direct_of,
              projection.counted_of, projection.index, projection.names, projection)  # fmt: skip
    columns = [getattr(table, name) for table in tables for name in table.__dataclass_fields__]
    return sum(column.nbytes for column in columns if isinstance(column, np.ndarray))


def bare(path: Path) -> float:
    """Seconds of the driver alone for the same rows."""
    connection = sqlite3.connect(path)
    start = time.perf_counter()
    for table in ("ci", "relation"):
        cursor = connection.execute(f"SELECT * FROM {table}")
        while cursor.fetchmany(20_000):
            pass
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


def change(tx: Writing, dice: np.random.Generator, keys: list[Row], changed: int) -> None:
    """Take ``changed`` / 2 relations away and relate as many CIs anew, told in the feed."""
    gone = [keys[place] for place in dice.choice(len(keys), changed // 2, replace=False).tolist()]
    ends = dice.choice(len(keys), (changed - len(gone), 2))
    new = [(keys[a][0], "depends_on", keys[b][2], None, 1, 1.0, 0, 1, tx.revision) for a, b in ends.tolist()]
    tx.delete(RELATION, [row[:3] for row in gone])
    tx.put(RELATION, new)
    names = dict.fromkeys([" ".join(row[:3]) for row in (*gone, *new)])
    tx.insert(FEED, [(tx.revision, "relation", name, 0) for name in names])


def catch_up(path: Path, changed: int, rounds: int) -> list[float]:
    """Seconds of bringing a projection forward after each of some changes; the last one is verified."""
    store, dice, times = SqliteStore(path), np.random.default_rng(5), []
    projections = Projections(store, Rules(FLOWS), lambda: NOW)
    projections.current()
    for _ in range(rounds):
        keys = store.read(lambda tx: [row for after in starts(dice) for row in tx.scan(RELATION, after, 2000)])
        store.write(lambda tx: change(tx, dice, keys, changed))  # noqa: B023
        start = time.perf_counter()
        projection = projections.current()
        times.append(time.perf_counter() - start)
        assert projection.revision == store.revision()
    again = store.read(lambda reading: build(reading, Rules(FLOWS), NOW))
    for ci in dice.integers(0, len(again), 20).tolist():
        one, other = (impact(graph, [graph.ci(again.id(ci))]) for graph in (projection, again))
        assert not check(projection, one.certificate())
        assert {projection.id(hit) for hit in one.ci.tolist()} == {again.id(hit) for hit in other.ci.tolist()}
    store.close()
    return times


def starts(dice: np.random.Generator) -> list[Row]:
    """Random places in the table of relations."""
    return [(f"{int(dice.integers(0, 2**31)):08x}", "", "") for _ in range(20)]


def measured(
    cis: int, relations: int, changed: int, rounds: int
) -> tuple[list[dict[str, Any]], list[float], list[float]]:
    """(what some cold starts say, seconds of the bare rows beside each, seconds of each catch-up)."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cmdb.db"
        store = SqliteStore(path)
        fill(store, estate(cis, relations))
        store.close()
        command = [sys.executable, "-m", "benchmarks.projection", "--cold", str(path)]
        runs, bares = [], []
        for _ in range(3):
            bares.append(bare(path))
            runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        return runs, bares, catch_up(path, changed, rounds)


def growth(cis: int, relations: int, changed: int, rounds: int) -> dict[str, float]:
    """Median seconds of a cold start and of a catch-up, on an estate of this size."""
    runs, _, times = measured(cis, relations, changed, rounds)
    return {
        "cold start": float(np.median([run["seconds"] for run in runs])),
        f"catch-up after {changed} changed relations": float(np.median(times)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cis", type=int, default=1_000_000)
    parser.add_argument("--relations", type=int, default=4_000_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--changed", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--goal", action="store_true")
    parser.add_argument("--cold", type=Path, help=argparse.SUPPRESS)
    add_sizes(parser)
    asked = parser.parse_args()
    if asked.cold:
        print(json.dumps(cold(asked.cold)))
        return 0
    changed = max(2, int(asked.changed * min(1.0, asked.scale * 10)))
    runs, bares, times = measured(
        int(asked.cis * asked.scale), int(asked.relations * asked.scale), changed, asked.rounds
    )
    seconds, base = float(np.median([run["seconds"] for run in runs])), float(np.median(bares))
    run = runs[0]
    print(
        f"cold start of {run['cis']:,} CIs from SQLite: {seconds:.2f} s, {seconds / base:.2f}x the bare rows ({base:.2f} s)"
    )
    print(
        f"  peak memory {run['peak_mb']:.0f} MB, {run['mapped_mb']:.0f} MB of it the store's mapped file; the columns keep {run['kept_mb']:.0f} MB"
    )
    caught = float(np.median(times))
    print(
        f"catch-up after {changed} changed relations: {caught * 1e3:.1f} ms, {caught / seconds:.2%} of the cold start"
    )
    report_growth(asked, lambda size: growth(size, size * asked.relations // asked.cis, changed, asked.rounds))
    return 0 if caught / seconds <= GOAL or not asked.goal else 1


if __name__ == "__main__":
    sys.exit(main())
