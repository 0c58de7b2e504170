"""Single points of failure and fatal pairs of a service, against failing every candidate on its own.

    python -m benchmarks.spof [--cis 10000] [--scale 0.1] [--pairs 1850] [--rounds 3] [--goal]

The reference of the single points is one answer of the engine for each CI below the service, in the same run; that of
the pairs is the search for single points on the same service. ``--cis``: how many CIs stand below the service whose
single points are sought; ``--pairs``: below the one whose fatal pairs are. Some of both answers are verified one by one.
How both grow is printed as exponents: over what stands below one service, and over the estate (``--sizes``) for the
service of it that has the median below it.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np

from benchmarks.estate_arrays import estate
from benchmarks.impact import interleaved
from benchmarks.scaling import add_sizes, growth_told, report_growth
from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.requires import below
from cmdb_server.analysis.spof import FatalPairs, fatal_pairs, single_points
from cmdb_server.projection.build import RelationColumns
from cmdb_server.projection.columns import Longs
from cmdb_server.projection.projection import Projection

REDUNDANT = 0.9
SINGLE_GOAL_S, PAIRS_GOAL_S = 0.9, 5.0
TRIED = 200
SERVICES = 9


def service_over(wanted: int) -> tuple[Projection, int]:
    """(an estate of so many CIs, one of them that stands on all others: on pools of two of whatever nothing else
    stands on)."""
    made = estate(wanted, 4 * wanted, redundant=REDUNDANT)
    relations, top = made.relations, wanted - 1
    loose = np.setdiff1d(np.arange(wanted - 1), relations.to[relations.from_ != top])
    group = [made.rules.groups.code(f"pool {place // 2}") for place in range(len(loose))]
    kind = made.rules.types.code("load_balances")
    size = len(loose)
    joined = RelationColumns(
        np.append(relations.from_, np.full(size, top, np.int32)),
        np.append(relations.type, np.full(size, kind, np.int32)),
        np.append(relations.to, loose.astype(np.int32)),
        np.append(relations.group, np.asarray(group, np.int32)),
        np.append(relations.weight, np.ones(size, np.int32)),
    )
    return replace(made, relations=joined).projection(), top


def verify(projection: Projection, service: int, points: Longs, dice: np.random.Generator) -> None:
    """Fail some CIs one by one."""
    single = set(points.tolist())
    for ci in dice.choice(service, min(TRIED, service), replace=False).tolist():
        assert (service in impact(projection, [ci]).down) == (ci in single), ci


def verify_pairs(
    projection: Projection, service: int, single: Longs, told: FatalPairs, dice: np.random.Generator
) -> None:
    """Fail some of the pairs told, and some others, two by two."""
    fatal = set(told.pairs) | {(other, one) for one, other in told.pairs}
    which = {ci: number for number, members in enumerate(told.classes) for ci in members.tolist()}
    ends = np.setdiff1d(np.arange(service), single)
    tried = [(told.classes[a][0], told.classes[b][-1]) for a, b in dice.permutation(told.pairs)[:TRIED].tolist()]
    for a, b in [*tried, *dice.choice(ends, (TRIED, 2)).tolist()]:
        said = (which.get(int(a), -1), which.get(int(b), -1)) in fatal
        assert (service in impact(projection, [a, b]).down) == said, (a, b)


def report_single(cis: int, rounds: int) -> bool:
    projection, service = service_over(cis)
    points = single_points(projection, service)
    verify(projection, service, points, np.random.default_rng(6))
    some = np.random.default_rng(7).choice(service, min(TRIED, service), replace=False).tolist()
    found, each = interleaved(
        rounds, lambda: single_points(projection, service), lambda: [impact(projection, [ci]) for ci in some]
    )
    every = each * cis / len(some)
    print(
        f"{len(points):,} single points among {cis:,} CIs below one service in {found:.2f} s (goal {SINGLE_GOAL_S} s): "
        f"{every / found:.1f}x faster than failing each; some verified"
    )
    return found <= SINGLE_GOAL_S


def report_pairs(cis: int, rounds: int) -> bool:
    projection, service = service_over(cis)
    single, told = single_points(projection, service), fatal_pairs(projection, service)
    verify_pairs(projection, service, single, told, np.random.default_rng(8))
    found, base = interleaved(
        rounds, lambda: fatal_pairs(projection, service), lambda: single_points(projection, service)
    )
    whole = "" if told.complete else ", not all tried"
    print(
        f"{len(told.pairs):,} fatal pairs of {len(told.classes):,} classes among {cis:,} CIs in {found:.2f} s (goal "
        f"{PAIRS_GOAL_S} s), {found / base:.0f}x the single points{whole}; some verified"
    )
    return found <= PAIRS_GOAL_S and told.complete


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cis", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=1850)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--goal", action="store_true")
    add_sizes(parser)
    asked = parser.parse_args()
    met = [
        report_single(max(100, int(asked.cis * asked.scale)), asked.rounds),
        report_pairs(max(100, int(asked.pairs * asked.scale)), asked.rounds),
    ]
    report_scaling(asked)
    report_growth(asked, lambda size: growth(size, asked.rounds))
    return 0 if all(met) or not asked.goal else 1


def report_scaling(asked: argparse.Namespace) -> None:
    """How the medians grow from a tenth of the CIs below the service to all of them, and for pairs from a quarter."""
    for title, cis, parts, work in (
        ("single points", asked.cis, (0.1, 0.3, 1.0), single_points),
        ("fatal pairs", asked.pairs, (0.25, 0.5, 1.0), fatal_pairs),
    ):
        sizes = [max(100, int(cis * asked.scale * part)) for part in parts]
        services = [service_over(size) for size in sizes]
        times = [interleaved(asked.rounds, lambda: work(*service))[0] for service in services]  # noqa: B023
        print(growth_told(f"{title} below one service", sizes, times))


def growth(cis: int, rounds: int) -> dict[str, float]:
    """Median seconds for the service that has the median below it, of a few of an estate of this size."""
    made = estate(cis, 4 * cis, redundant=REDUNDANT)
    projection = made.projection()
    services = np.random.default_rng(9).integers(made.layer[-2], made.layer[-1], SERVICES).tolist()
    service = sorted(services, key=lambda ci: len(below(projection, np.asarray([ci]))[0]))[SERVICES // 2]
    single, pairs = interleaved(
        rounds, lambda: single_points(projection, service), lambda: fatal_pairs(projection, service)
    )
    return {"single points of a typical service": single, "fatal pairs of a typical service": pairs}


if __name__ == "__main__":
    sys.exit(main())
