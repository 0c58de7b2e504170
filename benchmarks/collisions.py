"""A change against 2,000 booked ones on 100k CIs: is anything fatal together, and with whom.

    python -m benchmarks.collisions [--cis 100000] [--changes 2000] [--scale 0.1] [--rounds 3] [--goal]

The reference asks the engine about the change with each overlapping booking in turn: the pairs alone, which misses what
three do together. Half of the changes asked about share a pool with something booked. Both must agree on the pairs.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.estate_arrays import estate
from benchmarks.impact import interleaved
from benchmarks.scaling import add_sizes, report_growth
from cmdb_server.analysis.collisions import Collision, collide, footprint
from cmdb_server.analysis.impact import impact
from cmdb_server.answers.changes.overlaps import pieces
from cmdb_server.practices.booked import Booking
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.projection.projection import Projection

MINUTE = 60_000
MONTH = 30 * 24 * 60
ASKED = 20
GOAL_MS = 60.0
Pairs = set[tuple[int, str]]


def booked(hosts: tuple[int, int], count: int) -> tuple[list[Booking], dict[str, list[int]]]:
    """(bookings, CIs of each by number): one to five hosts, half an hour to four hours, on any night of a month."""
    dice = np.random.default_rng(13)
    found, cis = [], {}
    for place in range(count):
        number = f"CHG{place:07}"
        cis[number] = sorted({int(ci) for ci in dice.integers(*hosts, dice.integers(1, 6))})
        start = int(dice.integers(0, MONTH)) * MINUTE
        span = start, start + int(dice.integers(30, 241)) * MINUTE
        thing = Kept(number, "change", "scheduled", 1, "ann", 0, 0, 1, {}, {})
        found.append(Booking(number, (), (span,), False, frozenset(), thing))
    return found, cis


def mates(projection: Projection, cis: list[int]) -> list[int]:
    """Who serves a pool with the first of these that serves any."""
    lists = projection.counted_of
    for ci in cis:
        slots = projection.counted.slot[lists.first[ci] : lists.last[ci]]
        for slot in slots.tolist():
            gate = int(projection.slots.gate[slot])
            others = [one for one in projection.members_of(gate).tolist() if one != ci]
            if others:
                return others
    return []


def asked(
    projection: Projection, hosts: tuple[int, int], bookings: list[Booking], cis: dict[str, list[int]]
) -> list[tuple[list[int], tuple[int, int]]]:
    """(CIs, span) of the changes asked about."""
    dice = np.random.default_rng(14)
    found = []
    for place in range(ASKED):
        one = bookings[int(dice.integers(0, len(bookings)))]
        start, end = one.spans[0]
        mine = [int(ci) for ci in dice.integers(*hosts, 2)]
        if place % 2:
            mine = mates(projection, cis[one.number]) or mine
        found.append((sorted(set(mine)), (start, start + 4 * 60 * MINUTE if end is None else end)))
    return found


def found_by(
    projection: Projection, mine: list[int], span: tuple[int, int], bookings: list[Booking], cis: dict[str, list[int]]
) -> tuple[Collision, ...]:
    """As the product does it."""
    over = [one for one in bookings if one.overlaps((span,))]
    told = {one.number: cis[one.number] for one in over}
    return collide(projection, footprint(projection, mine), told, pieces([span], over))


def pairwise(
    projection: Projection, mine: list[int], span: tuple[int, int], bookings: list[Booking], cis: dict[str, list[int]]
) -> Pairs:
    """(CI, number) of all who fall of the change and one booking, and of neither alone."""
    alone = impact(projection, mine).down
    found: Pairs = set()
    for one in bookings:
        if one.overlaps((span,)):
            theirs = impact(projection, cis[one.number]).down
            joint = impact(projection, [*mine, *cis[one.number]]).down
            more = np.setdiff1d(np.setdiff1d(joint, alone), theirs)
            found |= {(int(ci), one.number) for ci in more}
    return found


def agree(collisions: tuple[Collision, ...], pairs: Pairs) -> None:
    """Every pair is found, and whatever is told to suffice alone is a pair."""
    told = {
        (met.ci, name) for one in collisions for met in one.meetings if not met.group for name in met.names
    }  # fmt: skip
    assert told <= pairs, told - pairs
    assert {name for _, name in pairs} <= {name for one in collisions for name in one.active}


def report(cis: int, changes: int, rounds: int) -> bool:
    made = estate(cis, 4 * cis, redundant=0.9)
    projection = made.projection()
    hosts = int(made.layer[4]), int(made.layer[5])
    bookings, told = booked(hosts, changes)
    questions = asked(projection, hosts, bookings, told)
    answers = [found_by(projection, *one, bookings, told) for one in questions]
    for one, answer in zip(questions, answers, strict=True):
        agree(answer, pairwise(projection, *one, bookings, told))
    ours, theirs = interleaved(
        rounds,
        lambda: [found_by(projection, *one, bookings, told) for one in questions],
        lambda: [pairwise(projection, *one, bookings, told) for one in questions],
    )
    overlapping = np.mean([sum(one.overlaps((span,)) for one in bookings) for _, span in questions])
    colliding = sum(bool(answer) for answer in answers)
    print(
        f"{cis:,} CIs, {changes:,} booked changes, {overlapping:.1f} of them overlap on average; "
        f"{colliding} of {len(questions)} changes collide; answers agree on all pairs"
    )
    print(
        f"detection and attribution {1000 * ours / len(questions):.1f} ms a change (goal {GOAL_MS:g}); "
        f"asking pair by pair {theirs / ours:.2f}x of that"
    )
    return 1000 * ours / len(questions) <= GOAL_MS


def growth(cis: int, changes: int, rounds: int) -> dict[str, float]:
    """Median seconds of one change against so many booked ones, whatever the estate."""
    made = estate(cis, 4 * cis, redundant=0.9)
    projection, hosts = made.projection(), (int(made.layer[4]), int(made.layer[5]))
    bookings, told = booked(hosts, changes)
    questions = asked(projection, hosts, bookings, told)
    (took,) = interleaved(rounds, lambda: [found_by(projection, *one, bookings, told) for one in questions])
    return {"collisions of a change": took / len(questions)}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=2_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--goal", action="store_true", help="end with 1 where the goal is missed")
    add_sizes(parser)
    told = parser.parse_args(arguments)
    met = report(max(1000, int(told.cis * told.scale)), max(50, int(told.changes * told.scale)), told.rounds)
    report_growth(told, lambda size: growth(size, max(50, int(told.changes * told.scale)), told.rounds))
    return 1 if told.goal and not met else 0


if __name__ == "__main__":
    sys.exit(main())
