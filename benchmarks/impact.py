"""Impact on a large estate against a bare breadth-first search over the same edges.

The reference is numpy on CSR arrays with no gates: everything reachable from the failed CI. Both run in turn in one
process; medians and their ratios are printed, on two estates: one that falls as a whole, and one with so much redundancy
that a large failure leaves many degraded. How time grows with the estate is printed as exponents: of the largest failure
it follows what is affected, of a host it should hardly grow. The reference keeps its memory between searches and
gathers its lists as the engine does.

    python -m benchmarks.impact [--cis 1000000] [--relations 4000000] [--scale 0.01] [--rounds 9] [--goal]
        [--sizes 10000 100000 1000000]

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
from benchmarks.scaling import add_sizes, report_growth
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import Impact, impact
from cmdb_server.projection.columns import Bools, Ints, Longs, spans
from cmdb_server.projection.gates import by, list_bounds
from cmdb_server.projection.projection import Projection

LARGEST_GOAL, CERTIFIED_GOAL = 2.2, 2.5
MANY_DEGRADED = 0.4
"""The share of CIs with a group that stand on it alone: the largest failure then leaves a twelfth of all degraded."""
P50_GOAL_MS, P95_GOAL_MS = 0.3, 1.0
GATES_GOAL = 500_000
"""Gates over several providers, on the whole estate."""


@dataclass(frozen=True, slots=True)
class Bare:
    """Provider to consumer, every edge of every gate. ``open_``: all true between searches; ``mark``: any content."""

    first: Ints
    last: Ints
    consumer: Ints
    open_: Bools
    mark: Ints

    @classmethod
    def of(cls, projection: Projection) -> Bare:
        gates, size = projection.gates, len(projection)
        consumer = np.repeat(gates.consumer, gates.last - gates.first)
        order = by(projection.members.provider)
        bounds = list_bounds(projection.members.provider[order], size)
        return cls(*bounds, consumer[order], np.ones(size, bool), np.empty(size, np.int32))

    def reach(self, start: int) -> int:
        """How many CIs a breadth-first search finds."""
        open_, mark = self.open_, self.mark
        open_[start] = False
        frontier, found = np.asarray([start]), []
        while len(frontier):
            found.append(frontier)
            consumer = self.consumer.take(spans(self.first, self.last, frontier))
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
        return self.closed(found)

    def closed(self, found: list[Longs]) -> int:
        """Open again what was found, and count it."""
        count = sum(map(len, found))
        if count * 4 > len(self.open_):
            self.open_.fill(True)
        else:
            for part in found:
                self.open_[part] = True
        return count


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
    add_sizes(parser)
    asked = parser.parse_args()
    met = [report(asked, "everything falls", 0.0), report(asked, "many degraded", MANY_DEGRADED)]
    report_growth(asked, lambda size: growth(size, size * asked.relations // asked.cis, asked.rounds))
    return 0 if all(met) or not asked.goal else 1


def report(asked: argparse.Namespace, title: str, redundant: float) -> bool:
    """Measure one estate. Whether all goals were met."""
    made = estate(int(asked.cis * asked.scale), int(asked.relations * asked.scale), redundant=redundant)
    projection = made.projection()
    bare = Bare.of(projection)
    print(f"{title}: {len(projection):,} CIs, {len(made.relations.from_):,} relations; {made.gate_mix(projection)}")
    enough = made.gates_of_several(projection) >= GATES_GOAL * min(1.0, asked.scale)
    met = [
        enough,
        report_largest(made, projection, bare, asked.rounds),
        report_hosts(made, projection, bare, asked.rounds),
    ]
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
    hosts = some_hosts(made, 200)
    for host in hosts[:20]:
        assert not check(projection, impact(projection, [host]).certificate())
    base, times = by_host(hosts, rounds, bare.reach, lambda host: certified(projection, host))
    (base50, p50), (base95, p95) = np.percentile((base, times), [50, 95], axis=1) * 1e3
    sizes = np.percentile([len(impact(projection, [host]).ci) for host in hosts], [50, 95])
    print(
        f"200 hosts with certificates: p50 {p50:.3f} ms ({p50 / base50:.1f}x), p95 {p95:.3f} ms ({p95 / base95:.1f}x)"
    )
    print(f"  goals {P50_GOAL_MS} and {P95_GOAL_MS} ms; affected p50 {sizes[0]:.0f}, p95 {sizes[1]:.0f}")
    return bool(p50 <= P50_GOAL_MS and p95 <= P95_GOAL_MS)


def some_hosts(made: Estate, count: int) -> list[int]:
    """Servers, each as likely as any other."""
    return np.random.default_rng(3).integers(made.layer[4], made.layer[5], count).tolist()  # type: ignore[no-any-return]


def by_host(hosts: list[int], rounds: int, *works: Callable[[int], Any]) -> list[list[float]]:
    """The median seconds of each work on each host. All hosts take their turn in each round, so that none is asked
    about while the memory it needs is still at hand."""
    times = [[[timed(lambda: work(host)) for host in hosts] for work in works] for _ in range(rounds + 1)][1:]  # noqa: B023
    return np.median(times, axis=0).tolist()  # type: ignore[no-any-return]


def growth(cis: int, relations: int, rounds: int) -> dict[str, float]:
    """Median seconds by question, on an estate of this size that leaves many degraded."""
    made = estate(cis, relations, redundant=MANY_DEGRADED)
    projection = made.projection()
    ci = largest(made, projection)
    whole, proven = interleaved(rounds, lambda: impact(projection, [ci]), lambda: certified(projection, ci))
    (hosts,) = by_host(some_hosts(made, 50), rounds, lambda host: certified(projection, host))
    return {
        "largest failure": whole,
        "largest failure with certificate": proven,
        "median host with certificate": float(np.median(hosts)),
    }


if __name__ == "__main__":
    sys.exit(main())
