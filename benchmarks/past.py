"""The past against the present: the graph as of a time, and the course of one CI's life.

    python -m benchmarks.past [--cis 100000] [--revisions 1000] [--scale 0.01] [--goal]

A store is filled in reports of 500 CIs, and further reports with one host in a hundred changed bring it to so many
revisions. Then, in turn: the graph as of half of these changes, as it is known now (CIs, relations, and what their
lives are told by), against the same loaded as it is now; and the arrays that impact is asked of, as of then from those
of now, against those of now made from the store. The timeline of a CI is timed in this store and in one of a tenth of
its CIs with as many entries for it.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.estate_reports import HOSTS_A_REPORT, PER_HOST, host, reports
from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.answers.history import graph_at
from cmdb_server.answers.lives import Lives
from cmdb_server.answers.timeline import timeline
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.ingest.rewind import state_at
from cmdb_server.ingest.since import Then
from cmdb_server.projection.build import build
from cmdb_server.projection.rewound import rewound
from cmdb_server.projection.rules import Rules
from cmdb_server.store.port import Reading, Row
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, RELATION, Table
from tests.factories import START
from tests.factories import report as one_report

CALLER = Caller("bench", "admin")
HOUR = 3_600_000
LEAST = HOSTS_A_REPORT * PER_HOST
PAGE = 10_000
ROUNDS = 3
COURSE = 20
"""Versions that the CI whose timeline is asked for has had."""
PAST_GOAL = 3.0


def filled(path: Path, cis: int, revisions: int) -> tuple[SqliteStore, int]:
    """The store, and a time (ms) at which half of the changes had been observed."""
    store, round_, middle = SqliteStore(path), 0, START
    bodies = reports(cis)
    while (left := revisions - store.revision()) > 0 or round_ == 0:
        for body in islice(bodies, None if round_ == 0 else left):
            ingest(store, body, CALLER, START + round_ * HOUR + 1000)
        if store.revision() <= (revisions + cis // LEAST) // 2:
            middle = START + round_ * HOUR + 1000
        round_ += 1
        bodies = reports(cis, round_=round_, changed=0.01)
    return store, middle


def pages(tx: Reading, table: Table) -> Iterator[list[Row]]:
    after = None
    while rows := tx.scan(table, after, PAGE):
        yield rows
        after = rows[-1][: len(table.key)]


def present(tx: Reading) -> int:
    """All that a graph of the past holds, of now: CIs with their lives, and relations."""
    lives, count = Lives(tx, START, classes()), 0
    for rows in pages(tx, CI):
        lives.load([row[0] for row in rows])
        count += sum(bool(lives.of(row).stage) for row in rows)
    return count + sum(len(rows) for rows in pages(tx, RELATION))


def past(tx: Reading, at: int) -> int:
    graph = graph_at(tx, at, None)
    return sum(bool(graph.life(ci, at).stage) for ci in graph.cis) + len(graph.relations)


def in_turn(works: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """The median seconds of each, measured by turns."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for spent, work in zip(times, works, strict=True):
            started = time.perf_counter()
            work()
            spent.append(time.perf_counter() - started)
    return [statistics.median(spent) for spent in times]


def courses(store: SqliteStore) -> str:
    """A host of its own with a course of versions; gives its CI."""
    for number in range(COURSE):
        seen = host(10_000_000, 20_000_000, _Still(), f"course {number}")
        at = START + number * HOUR
        ingest(store, one_report(f"course-{number}", at, [seen], target="192.0.2.1"), CALLER, START + 1000 * HOUR)
    [row] = store.read(lambda tx: tx.find(CI, ("name",), [("host10000000.example.net",)]))
    return str(row[0])


class _Still:
    """In place of a dice: no relations to hosts that are not there."""

    def sample(self, of: range, count: int) -> list[int]:
        return list(of[:count])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--revisions", type=int, default=1000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--goal", action="store_true", help="exit 1 when a ratio misses its goal")
    asked = parser.parse_args()
    cis = max(10 * LEAST, int(asked.cis * asked.scale))
    folder = Path(tempfile.mkdtemp(prefix="cmdb-bench-"))
    try:
        return run(folder, cis, max(3 * cis // LEAST, int(asked.revisions * asked.scale)), goal=asked.goal)
    finally:
        shutil.rmtree(folder)


def run(folder: Path, cis: int, revisions: int, *, goal: bool) -> int:
    large, middle = filled(folder / "large.db", cis, revisions)
    small, _ = filled(folder / "small.db", cis // 10, revisions // 10)
    rules = Rules.of(relation_types(), classes())

    present_arrays = large.read(lambda tx: build(tx, rules, middle))

    def projected(tx: Reading) -> int:
        past = state_at(tx, Then(middle, tx.revision), classes(), middle)
        return len(rewound(present_arrays, past, middle))

    then, now, view, built = in_turn(
        [
            lambda: large.read(lambda tx: past(tx, middle)), lambda: large.read(present),
            lambda: large.read(projected), lambda: large.read(lambda tx: build(tx, rules, middle)),
        ],
        ROUNDS,
    )  # fmt: skip
    print(f"{cis:,} CIs, {large.revision()} revisions")
    print(f"graph as of then {then:.2f} s, as it is now {now:.2f} s, ratio {then / now:.2f} (goal {PAST_GOAL})")
    print(f"arrays as of then {view:.2f} s, as it is now {built:.2f} s, ratio {view / built:.2f}")
    ids = [courses(store) for store in (large, small)]
    lengths = [len(timeline(store, ci, limit=1000).entries) for store, ci in zip((large, small), ids, strict=True)]
    assert lengths[0] == lengths[1] >= COURSE, f"the timelines have {lengths} entries"
    slow, quick = in_turn([lambda: timeline(large, ids[0], limit=100), lambda: timeline(small, ids[1], limit=100)], 25)
    exponent = math.log10(slow / quick)
    print(f"timeline of {lengths[0]} entries {1000 * slow:.2f} ms, of a tenth of the CIs {1000 * quick:.2f} ms, "
          f"ratio {slow / quick:.2f}, exponent {exponent:.3f}")  # fmt: skip
    large.close(), small.close()
    return 1 if goal and then / now > PAST_GOAL else 0


if __name__ == "__main__":
    sys.exit(main())
