"""Whether cost follows the change: the same part of an estate scanned again, in a small store and in a large one.

    python -m benchmarks.rereport [--scale 0.01] [--goal]

The stores hold 10,000 and 1,000,000 CIs (times the scale), made alike. In turn each is told again of its first 10,000
CIs (times the scale): once as they were, which is not timed, then with one host in a hundred changed. Printed are the
cost of such a round against that of loading the same reports first, the ratio of the two stores' rounds, and the
exponent with which it grows with what is stored. Everything counts that the ingest of a report does, commits included.
"""

from __future__ import annotations

import argparse
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from benchmarks.estate_reports import HOSTS_A_REPORT, PER_HOST, reports
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI
from tests.factories import START

CALLER = Caller("bench", "admin")
HOUR = 3_600_000
SMALL, LARGE = 10_000, 1_000_000
LEAST = HOSTS_A_REPORT * PER_HOST
ROUNDS = 7
ATTRIBUTES = CI.position("attributes")
CHANGED = 0.01
FIRST_GOAL, SIZE_GOAL = 0.03, 1.5


class Estate:
    """A store with ``cis`` CIs. ``part``: so many of its reports, the first, are told again and again."""

    def __init__(self, folder: Path, cis: int, part: int) -> None:
        self.cis, self.part, self.round = cis, part, 0
        self.store = SqliteStore(folder / f"{cis}.db")
        bodies = reports(cis)
        self.first = self.tell(islice(bodies, part))
        self.rest = self.tell(bodies)
        self.rounds: list[float] = []

    def tell(self, bodies: Iterable[bytes]) -> float:
        """Seconds that taking the reports in took, without making them."""
        spent = 0.0
        now = START + self.round * HOUR + 1000
        for body in bodies:
            started = time.perf_counter()
            ack = ingest(self.store, body, CALLER, now)
            spent += time.perf_counter() - started
            assert not ack.duplicate
        return spent

    def again(self, changed: float) -> float:
        self.round += 1
        return self.tell(islice(reports(self.cis, round_=self.round, changed=changed), self.part))

    def changes(self) -> int:
        """How many hosts the newest round found changed."""
        hosts = self.store.read(lambda tx: tx.find(CI, ("class",), [("server",)]))
        return sum(row[ATTRIBUTES]["os_version"] == f"13.{self.round}" for row in hosts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--goal", action="store_true", help="exit 1 when a ratio misses its goal")
    asked = parser.parse_args()
    small = max(LEAST, int(SMALL * asked.scale))
    large = max(4 * small, int(LARGE * asked.scale))
    folder = Path(tempfile.mkdtemp(prefix="cmdb-bench-"))
    try:
        return run(folder, small, large, goal=asked.goal)
    finally:
        shutil.rmtree(folder)


def run(folder: Path, small: int, large: int, *, goal: bool) -> int:
    part = -(-small // LEAST)
    estates = [Estate(folder, cis, part) for cis in (small, large)]
    for _ in range(ROUNDS):
        for estate in estates:
            estate.again(0.0)
            estate.rounds.append(estate.again(CHANGED))
    told = {estate.changes() for estate in estates}
    assert len(told) == 1, f"the stores were told of unlike changes: {told}"
    print(f"{part} reports of {LEAST} CIs, {told.pop()} hosts of {part * HOSTS_A_REPORT} changed")
    medians = [statistics.median(estate.rounds) for estate in estates]
    shares = [median / estate.first for median, estate in zip(medians, estates, strict=True)]
    for estate, median, share in zip(estates, medians, shares, strict=True):
        print(
            f"{estate.cis:>9,} CIs stored: round {1000 * median:8.1f} ms, first load of the same {estate.first:6.2f} s, "
            f"ratio {share:.4f} (goal {FIRST_GOAL})"
        )
    ratio, growth = medians[1] / medians[0], large / small
    print(
        f"ratio {ratio:.2f} with {growth:.0f} times the CIs stored (goal {SIZE_GOAL}), exponent {math.log(ratio, growth):.3f}"
    )
    for estate in estates:
        estate.store.close()
    return 1 if goal and (max(shares) > FIRST_GOAL or ratio > SIZE_GOAL) else 0


if __name__ == "__main__":
    sys.exit(main())
