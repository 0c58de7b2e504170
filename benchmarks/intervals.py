"""A week with 200 booked changes as intervals, against asking at every minute and at every edge.

    python -m benchmarks.intervals [--cis 100000] [--changes 200] [--scale 0.1] [--rounds 3] [--goal]

Both references ask the engine afresh at each of their points and note who is in which state; the intervals must say the
same at every minute. Most changes are in a window of the night, a fifth of them on every night of the week.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.estate_arrays import estate
from benchmarks.impact import interleaved
from benchmarks.scaling import add_sizes, report_growth
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.intervals import Failure, OverTime, Span, over_time
from cmdb_server.projection.projection import Projection

MINUTE = 60_000
DAY = 24 * 60
WEEK: Span = (0, 7 * DAY * MINUTE)
NIGHTLY = 0.2
GOAL = 3.0
"""At least so many times faster than asking at every minute."""

Answers = list[dict[int, int]]


def changes(hosts: tuple[int, int], count: int) -> list[Failure]:
    """Each takes one to five hosts down, for half an hour to four hours."""
    dice, found = np.random.default_rng(11), []
    for _ in range(count):
        cis = dice.integers(*hosts, dice.integers(1, 6))
        first, length = 21 * 60 + int(dice.integers(0, 6 * 60, 1)[0]), int(dice.integers(30, 241))
        nights = range(7) if dice.random() < NIGHTLY else [int(dice.integers(0, 7))]
        spans = [((night * DAY + first) * MINUTE, (night * DAY + first + length) * MINUTE) for night in nights]
        found.append(Failure(tuple(sorted(set(cis.tolist()))), tuple(spans)))
    return found


def edges(failures: list[Failure]) -> list[int]:
    """All times at which anything begins or ends."""
    times = {time for one in failures for span in one.spans for time in span if time is not None}
    return sorted({WEEK[0], *(time for time in times if time < (WEEK[1] or time + 1))})


def pointwise(projection: Projection, failures: list[Failure], times: list[int]) -> Answers:
    """The state of all affected at each time, asked one by one."""
    found = []
    for time in times:
        failed = {
            ci
            for one in failures
            if any(start <= time and (end is None or time < end) for start, end in one.spans)
            for ci in one.cis
        }
        answer = impact(projection, failed)
        found.append(dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True)))
    return found


def verify(told: OverTime, times: list[int], answers: Answers) -> None:
    """The intervals say the same at each of the times."""
    for time, answer in zip(times, answers, strict=True):
        rows = (told.start <= time) & (time < told.end)
        assert dict(zip(told.ci[rows].tolist(), told.state[rows].tolist(), strict=True)) == answer, time


def report(cis: int, count: int, rounds: int) -> bool:
    made = estate(cis, 4 * cis)
    projection = made.projection()
    hosts = int(made.layer[4]), int(made.layer[5])
    failures = changes(hosts, count)
    minutes, marks = list(range(0, WEEK[1] or 0, MINUTE)), edges(failures)
    told = over_time(projection, WEEK, failures)
    verify(told, minutes, pointwise(projection, failures, minutes))
    took, by_edge, by_minute = interleaved(
        rounds,
        lambda: over_time(projection, WEEK, failures),
        lambda: pointwise(projection, failures, marks),
        lambda: pointwise(projection, failures, minutes),
    )
    print(
        f"a week with {count} changes on {cis:,} CIs: {len(told.pieces):,} pieces of {told.computed:,} answers, "
        f"{len(told.ci):,} intervals of affected CIs in {took * 1000:.0f} ms\n"
        f"{by_edge / took:.1f}x faster than at each of {len(marks):,} edges, {by_minute / took:.0f}x than at each of "
        f"{len(minutes):,} minutes (goal {GOAL:.0f}x); the same at every minute"
    )
    return by_minute >= GOAL * took


def growth(cis: int, count: int, rounds: int) -> dict[str, float]:
    """Median seconds of a week with so many changes, whatever the estate."""
    made = estate(cis, 4 * cis)
    projection = made.projection()
    failures = changes((int(made.layer[4]), int(made.layer[5])), count)
    (took,) = interleaved(rounds, lambda: over_time(projection, WEEK, failures))
    return {"a week as intervals": took}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--goal", action="store_true")
    add_sizes(parser)
    asked = parser.parse_args()
    count = max(5, int(asked.changes * asked.scale))
    met = report(max(1000, int(asked.cis * asked.scale)), count, asked.rounds)
    report_growth(asked, lambda size: growth(size, count, asked.rounds))
    return 0 if met or not asked.goal else 1


if __name__ == "__main__":
    sys.exit(main())
