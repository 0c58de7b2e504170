"""Processes that share one projection: what each has of memory of its own, and how soon it answers.

    python -m benchmarks.sharing [--cis 1000000] [--relations 4000000] [--scale 0.01] [--workers 4] [--goal]

The reference is the same number of processes that each build their own; both in turn, on one store. Memory is as the
kernel tells it (smaps_rollup): private, and proportional, where each page counts for a part in everybody who has it.
What a process has before it has any projection is told apart. Answers of both kinds are held equal.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.estate_arrays import FLOWS, estate
from benchmarks.missing import skipped
from benchmarks.projection import NOW, change, fill, starts
from cmdb_server.analysis.impact import impact
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.projection.sharing import Sharing
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import RELATION, SNAPSHOT

ROLLUP = Path("/proc/self/smaps_rollup")
GOAL_MEMORY, GOAL_OPENING = 0.25, 0.1
"""At most these shares of the memory and of the time of a process that builds its own."""
Told = dict[str, Any]


def work(path: Path, folder: Path | None) -> None:
    """One process: answers, then does what each line of its input asks for."""
    store = SqliteStore(path)
    store.revision()
    idle = memory()
    start = time.perf_counter()
    part = Sharing(store, folder, worth=1) if folder else None
    projections = Projections(store, Rules(FLOWS), lambda: NOW, sharing=part)
    answer(projections)
    say({"seconds": time.perf_counter() - start, "idle": idle})
    for line in sys.stdin:
        if line.strip() == "answer":
            start = time.perf_counter()
            projections.current()
            followed = time.perf_counter() - start
            say({"followed": followed, "hits": answer(projections)})
        else:
            say({"memory": memory(), "shared": bool(part and part.name)})
    store.close()


def answer(projections: Projections) -> list[int]:
    """How many CIs each of some failures takes along."""
    projection = projections.current()
    dice = np.random.default_rng(3)
    ids = sorted(projection.id(ci) for ci in dice.integers(0, min(1000, len(projection)), 20).tolist())
    return [len(impact(projection, [projection.ci(id_)]).ci) for id_ in ids]


def say(told: Told) -> None:
    print(json.dumps(told), flush=True)


def memory() -> dict[str, int]:
    """Private and proportional bytes."""
    told = dict(line.split(":", 1) for line in ROLLUP.read_text().splitlines()[1:])
    size = {name: int(value.split()[0]) * 1024 for name, value in told.items()}
    return {"private": size["Private_Clean"] + size["Private_Dirty"], "proportional": size["Pss"]}


class Worker:
    """Such a process, seen from outside."""

    def __init__(self, path: Path, folder: Path | None) -> None:
        command = [sys.executable, "-m", "benchmarks.sharing", "--work", str(path), *([str(folder)] if folder else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.first: Told = {}

    def ready(self) -> Told:
        self.first = self.first or self.heard()
        return self.first

    def heard(self) -> Told:
        assert self.process.stdout is not None
        told: Told = json.loads(self.process.stdout.readline())
        return told

    def asked(self, what: str) -> Told:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self.heard()

    def end(self) -> None:
        self.process.communicate()


@contextmanager
def running(count: int, path: Path, folder: Path | None) -> Iterator[list[Worker]]:
    """So many, started at once, each of which has answered."""
    workers = [Worker(path, folder) for _ in range(count)]
    try:
        for worker in workers:
            worker.ready()
        yield workers
    finally:
        for worker in workers:
            worker.end()


def once(path: Path, folder: Path | None) -> float:
    """Seconds from nothing to the first answer, of a process on its own."""
    with running(1, path, folder) as (worker,):
        if folder and not vouched(path):
            wait_for_snapshot(path)
        return float(worker.ready()["seconds"])


def vouched(path: Path) -> int:
    store = SqliteStore(path)
    found = store.read(lambda tx: tx.count(SNAPSHOT))
    store.close()
    return found


def wait_for_snapshot(path: Path) -> None:
    while not vouched(path):
        time.sleep(0.1)


def changed(path: Path, count: int) -> None:
    store, dice = SqliteStore(path), np.random.default_rng(5)
    keys = store.read(lambda tx: [row for after in starts(dice) for row in tx.scan(RELATION, after, 2000)])
    store.write(lambda tx: change(tx, dice, keys, count))
    store.close()


def of_each(workers: Sequence[Worker]) -> dict[str, float]:
    """The mean of the workers' memory beyond what they had before, in MB."""
    told = [(worker.asked("memory")["memory"], worker.ready()["idle"]) for worker in workers]
    return {name: float(np.mean([now[name] - idle[name] for now, idle in told])) / 2**20 for name in told[0][0]}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cis", type=int, default=1_000_000)
    parser.add_argument("--relations", type=int, default=4_000_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--goal", action="store_true")
    parser.add_argument("--work", type=Path, nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if not ROLLUP.exists():
        return skipped(f"{ROLLUP} tells memory, and there is none")
    if asked.work:
        work(asked.work[0], asked.work[1] if len(asked.work) > 1 else None)
        return 0
    with TemporaryDirectory() as folder:
        return compared(Path(folder), asked)


def compared(folder: Path, asked: argparse.Namespace) -> int:
    path, shared = folder / "cmdb.db", folder / "shared"
    store = SqliteStore(path)
    fill(store, estate(int(asked.cis * asked.scale), int(asked.relations * asked.scale)))
    store.close()
    once(path, shared)
    times = [(once(path, None), once(path, shared)) for _ in range(asked.rounds)]
    building, opening = np.median(np.asarray(times), axis=0).tolist()
    files = sum(file.stat().st_blocks * 512 for file in shared.glob("*/*"))
    print(f"first answer: {opening:.3f} s from the snapshot ({files / 2**20:.0f} MB), {opening / building:.1%} of building"
          f" it ({building:.2f} s)")  # fmt: skip
    changes = max(2, int(1000 * min(1.0, asked.scale * 10)))
    shares = []
    with running(asked.workers, path, None) as own, running(asked.workers, path, shared) as sharing:
        for title in ("at first", f"after {changes} changed relations"):
            alone, together = of_each(own), of_each(sharing)
            for name in alone:
                shares.append(together[name] / alone[name])
                print(f"{name} memory of each of {asked.workers} {title}: {together[name]:.0f} MB where they share, "
                      f"{shares[-1]:.1%} of {alone[name]:.0f} MB")  # fmt: skip
            changed(path, changes)
            answers = [[worker.asked("answer") for worker in some] for some in (own, sharing)]
            assert len({tuple(told["hits"]) for some in answers for told in some}) == 1, "answers differ"
    followed = [float(np.median([told["followed"] for told in some])) for some in answers]
    print(f"catching up: {followed[1] * 1e3:.1f} ms where they share, {followed[0] * 1e3:.1f} ms where they do not; "
          f"{followed[1] / building:.2%} of building")  # fmt: skip
    good = max(shares) <= GOAL_MEMORY and opening / building <= GOAL_OPENING
    return 0 if good or not asked.goal else 1


if __name__ == "__main__":
    sys.exit(main())
