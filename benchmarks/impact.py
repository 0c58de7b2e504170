"""Impact on a large estate against a bare breadth-first search over the same edges.

The reference is numpy on CSR arrays with no gates: everything reachable from the failed CI. Both run in turn in one
process; medians and their ratios are printed, on two estates: one that falls as a whole, and one with so much redundancy
that a large failure leaves many degraded. How time grows with the estate is printed as exponents: of the largest failure
it follows what is affected, of a host it should hardly grow.

    python -m benchmarks.impact [--cis 1000000] [--relations 4000000] [--scale 0.01] [--rounds 9] [--goal]

``--scale`` shrinks the estate; ``--goal`` ends with exit code 1 when a ratio misses its goal. Answers are verified with
the checker, and on every scale.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.estate_arrays import Estate, estate
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.projection.columns import Ints, Longs
from cmdb_server.projection.gates import by, list_bounds
from cmdb_server.projection.projection import Projection

LARGEST_GOAL, CERTIFIED_GOAL = 2.2, 2.5
MANY_DEGRADED = 0.4
"""The share of CIs with a group that stand on it alone: the largest failure then leaves a twelfth of all degraded."""
P50_GOAL_MS, P95_GOAL_MS = 0.3, 1.0


@dataclass(frozen=True, slots=True)
class Bare:
    """Provider to consumer, every edge of every gate."""

    first: Ints
    last: Ints
    consumer: Ints

    @classmethod
    def of(cls, projection: Projection) -> Bare:
        gates = projection.gates
        consumer = np.repeat(gates.consumer, gates.last - gates.first)
        order = by(projection.members.provider)
        bounds = list_bounds(projection.members.provider[order], len(projection))
        return cls(*bounds, consumer[order])

    def reach(self, start: int) -> int:
        """How many CIs a breadth-first search finds."""
        open_, mark = np.ones(len(self.first), bool), np.empty(len(self.first), np.int32)
        open_[start] = False
        frontier, found = np.asarray([start]), 0
        while len(frontier):
            found += len(frontier)
            consumer = self.consumer.take(self.lists(frontier))
            if len(consumer) * 50 > len(open_):
                before = open_.copy()
                open_[consumer] = False
                before ^= open_
                frontier = np.flatnonzero(before)
            else:
                new = consumer.take(np.flatnonzero(open_.take(consumer))).astype(np.int64)
                place = np.arange(len(new), dtype=np.int32)
                mark[new] = place
                frontier = new.take(np.flatnonzero(mark.take(new) == place))
                open_[frontier] = False
        return found

    def lists(self, rows: Longs) -> Longs:
        """The positions of the lists of ``rows``."""
        start = self.first.take(rows)
        count = self.last.take(rows)
        count -= start
        end = count.cumsum(dtype=np.int32)
        at = np.arange(int(end[-1]), dtype=np.int32)
        end -= count
        start -= end
        at += np.repeat(start, count)
        return at.astype(np.int64)


def timed(work: Callable[[], Any]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(rounds: int, *works: Callable[[], Any]) -> list[float]:
    """The median seconds of each, run in turn."""
    times = [[timed(work) for work in works] for _ in range(rounds + 1)][1:]
    return [float(np.median(column)) for column in zip(*times, strict=True)]


def certified(projection: Projection, ci: int) -> Impact:
    """With every column of the certificate made."""
    answer = impact(projection, [ci])
    answer.certificate()
    return answer


def largest(estate_: Estate, projection: Projection) -> int:
    """The CI of the lowest layers whose failure takes most others down."""
    candidates = range(min(int(estate_.layer[1]) + 20, int(estate_.layer[2])))
    return max(candidates, key=lambda ci: len(impact(projection, [ci]).down))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cis", type=int, default=1_000_000)
    parser.add_argument("--relations", type=int, default=4_000_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--goal", action="store_true")
    asked = parser.parse_args()
    met = [report(asked, "everything falls", 0.0), report(asked, "many degraded", MANY_DEGRADED)]
    report_scaling(asked)
    return 0 if all(met) or not asked.goal else 1


def report(asked: argparse.Namespace, title: str, redundant: float) -> bool:
    """Measure one estate. Whether all goals were met."""
    made = estate(int(asked.cis * asked.scale), int(asked.relations * asked.scale), redundant=redundant)
    projection = made.projection()
    bare = Bare.of(projection)
    print(f"{title}: {len(projection):,} CIs, {len(made.relations.from_):,} relations; {made.gate_mix(projection)}")
    met = [report_largest(made, projection, bare, asked.rounds), report_hosts(made, projection, bare, asked.rounds)]
    return all(met)


def report_largest(made: Estate, projection: Projection, bare: Bare, rounds: int) -> bool:
    ci = largest(made, projection)
    answer = impact(projection, [ci])
    problems = check(projection, answer.certificate())
    assert not problems, problems[:3]
    reached = bare.reach(ci)
    assert len(answer.ci) <= reached
    base, plain, proven = interleaved(
        rounds, lambda: bare.reach(ci), lambda: impact(projection, [ci]), lambda: certified(projection, ci)
    )
    print(
        f"largest: {len(answer.down):,} down, {len(answer.degraded):,} degraded, {len(answer.held):,} gates hold; "
        f"bare search finds {reached:,}; answer verified"
    )
    print(f"  bare {base * 1e3:.1f} ms, impact {plain * 1e3:.1f} ms: {plain / base:.2f}x (goal {LARGEST_GOAL}x)")
    print(f"  with certificate columns {proven * 1e3:.1f} ms: {proven / base:.2f}x (goal {CERTIFIED_GOAL}x)")
    return plain / base <= LARGEST_GOAL and proven / base <= CERTIFIED_GOAL


def report_hosts(made: Estate, projection: Projection, bare: Bare, rounds: int) -> bool:
    dice = np.random.default_rng(3)
    hosts = dice.integers(made.layer[4], made.layer[5], 200).tolist()
    for host in hosts[:20]:
        assert not check(projection, impact(projection, [host]).certificate())
    times = np.asarray([interleaved(rounds, lambda: bare.reach(h), lambda: certified(projection, h)) for h in hosts])  # noqa: B023
    (base50, p50), (base95, p95) = np.percentile(times, [50, 95], axis=0) * 1e3
    sizes = np.percentile([len(impact(projection, [host]).ci) for host in hosts], [50, 95])
    print(
        f"200 hosts with certificates: p50 {p50:.3f} ms ({p50 / base50:.1f}x), p95 {p95:.3f} ms ({p95 / base95:.1f}x)"
    )
    print(f"  goals {P50_GOAL_MS} and {P95_GOAL_MS} ms; affected p50 {sizes[0]:.0f}, p95 {sizes[1]:.0f}")
    return bool(p50 <= P50_GOAL_MS and p95 <= P95_GOAL_MS)


def report_scaling(asked: argparse.Namespace) -> None:
    """How the medians grow from a hundredth of the estate, by way of a tenth, to the whole."""
    sizes, times = [max(1000, int(asked.cis * asked.scale * part)) for part in (0.01, 0.1, 1.0)], []
    for size in sizes:
        made = estate(size, size * asked.relations // asked.cis, redundant=MANY_DEGRADED)
        projection = made.projection()
        ci = largest(made, projection)
        hosts = np.random.default_rng(3).integers(made.layer[4], made.layer[5], 50).tolist()
        (whole,) = interleaved(asked.rounds, lambda: certified(projection, ci))  # noqa: B023
        each = [interleaved(asked.rounds, lambda: certified(projection, host))[0] for host in hosts]  # noqa: B023
        times.append((whole, float(np.median(each))))
    told = ", ".join(
        f"{size:,} CIs {whole * 1e3:.2f} and {host * 1e3:.3f} ms"
        for size, (whole, host) in zip(sizes, times, strict=True)
    )
    print(f"scaling, largest failure and median host: {told}")
    exponents = [exponent(sizes, list(column)) for column in zip(*times, strict=True)]
    print(f"  exponents: largest failure {exponents[0]:.2f}, host {exponents[1]:.2f}")


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """The slope of time over size, both as logarithms; nan where the sizes are the same."""
    if len(set(sizes)) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


if __name__ == "__main__":
    sys.exit(main())
