"""Verifies answers that are made of several runs: each run by its certificate, and what was made of them from these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from cmdb_server.analysis.certificate import REACH, Certificate, Numbers
from cmdb_server.analysis.checker import DOWN, check
from cmdb_server.analysis.context import InContext
from cmdb_server.analysis.doubt import Doubt
from cmdb_server.projection.projection import Projection


def check_context(
    projection: Projection, told: InContext, mine: Iterable[int], also: Mapping[str, Iterable[int]]
) -> list[str]:
    """What is wrong with an answer in context, in words; that each name told suffices is proved by its own answer."""
    sources, everyone = set(mine), {ci for cis in also.values() for ci in cis}
    runs = [answer.certificate() for answer in (told.mine, told.others, told.joint)]
    problems = _runs(projection, runs, (sources, everyone, sources | everyone))
    f_mine, f_also, f_joint = (_down(run) for run in runs)
    for name, found, true in (
        ("already", told.already, f_also),
        ("alone", told.alone, f_mine - f_also),
        ("anyway", told.anyway, f_mine & f_also),
        ("together", told.together, f_joint - f_mine - f_also),
    ):
        if found.tolist() != sorted(true):
            problems.append(f"{name} is not what the runs say")
    together, gates = set(told.together.tolist()), dict(zip(runs[2].ci.tolist(), runs[2].gate.tolist(), strict=True))
    for point in told.meeting_points:
        if point.ci not in together or gates[point.ci] != point.gate or point.gate < REACH:
            problems.append(f"CI {point.ci}: the sides did not meet there")
        if not point.with_ or not set(point.with_) <= set(also) or point.minimal_group != point.others_may_exist:
            problems.append(f"CI {point.ci}: met with nobody that is there")
    if bool(together) != bool(told.meeting_points):
        problems.append("something fell only together, and the sides met nowhere")
    return problems


def check_doubt(projection: Projection, told: Doubt, failed: Iterable[int], unseen: Iterable[int]) -> list[str]:
    """What is wrong with what is told to be sure and uncertain, in words."""
    sources = set(failed)
    doubtful = set(unseen) - sources
    lower, upper = told.lower.certificate(), told.upper.certificate()
    problems = _runs(projection, [lower, upper], (sources, sources))
    sure, most = _down(lower), _down(upper)
    if (
        doubtful - set(upper.excluded.tolist()) != set(upper.lost_before.tolist())
        or len(lower.lost_before)
        or not upper.down_only
    ):
        problems.append("the upper run has not lost the doubtful, or the lower has")
    if not set(lower.excluded.tolist()) >= doubtful:
        problems.append("the lower run does not spare the doubtful")
    if told.sure.tolist() != sorted(sure) or not sure <= most:
        problems.append("those sure are not those of the lower run")
    if not set(told.uncertain.tolist()) <= most - sure or not set(told.scan_next.tolist()) <= doubtful:
        problems.append("those uncertain are not between the runs, or not because of the doubtful")
    return problems


def _runs(projection: Projection, runs: list[Certificate], asked: Iterable[set[int]]) -> list[str]:
    problems = [problem for run in runs for problem in check(projection, run)]
    for run, failed in zip(runs, asked, strict=True):
        if set(run.failed.tolist()) != failed:
            problems.append("a run has another question")
    return problems


def _down(run: Certificate) -> set[int]:
    down: Numbers = run.ci[np.flatnonzero(run.state == DOWN)]
    return set(down.tolist())
