"""Answers as drawings."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from cmdb_server.answers.impact import ImpactAnswer
from cmdb_server.answers.paths import PathAnswer
from cmdb_server.answers.render.drawing import Canvas, Drawing, State
from cmdb_server.answers.render.impact_report import title
from cmdb_server.answers.render.report import called, ranked, why
from cmdb_server.answers.requires import RequiresAnswer
from cmdb_server.answers.services import ServicesAnswer
from cmdb_server.answers.told import StepTold

_UNTOLD: State = "plain"
_STATES: dict[str, State] = {"up": "up", "degraded": "degraded", "down": "down"}


def impact_drawing(answer: ImpactAnswer) -> Drawing:
    """What fails, the ways on which that spreads, and the gates that hold."""
    canvas = Canvas(title(answer))
    for ci in answer.failed:
        canvas.put(ci, "failed")
    for service in answer.services:
        _way(canvas, service.affected.path)
        told = (
            f"{label}: {value}"
            for label, value in (("criticality", service.criticality), ("owner", service.owner))
            if value
        )
        canvas.put(service.affected.ci, _STATES[service.affected.state], *told)
    for one in answer.cis:
        _way(canvas, one.path)
    for lost in answer.redundancy_lost:
        canvas.put(lost.ci, "plain", f"redundancy lost: {lost.gate.text}")
        for members, state in ((lost.gone, _UNTOLD), (lost.holding, _STATES["up"])):
            for member in members:
                canvas.put(member, state)
                canvas.lead(member, lost.ci, lost.gate.relation, holds=True)
    for ci in answer.second_path_lost:
        canvas.put(ci, "plain", "second path lost")
    for cut in answer.partitioned:
        canvas.put(cut.consumer, "plain")
        canvas.put(cut.provider, "plain")
        canvas.lead(cut.provider, cut.consumer, f"{cut.relation}: no way left", holds=True)
    for ci in answer.gateway_unknown:
        canvas.put(ci, "plain", "may be cut off: no gateway is known")
    for ci in answer.uncertain:
        canvas.put(ci, "plain", "uncertain")
    return canvas.done(*(f"{count} {kind.replace('_', ' ')}" for kind, count in answer.more.items() if count))


def _way(canvas: Canvas, steps: tuple[StepTold, ...]) -> None:
    for step in steps:
        canvas.put(step.ci, _STATES[step.state])
    for before, step in pairwise(steps):
        canvas.lead(before.ci, step.ci, why(step))


def requires_drawing(answer: RequiresAnswer) -> Drawing:
    """What a CI stands on, and how those stand on one another."""
    canvas = Canvas(f"What {called(answer.ci)} stands on")
    canvas.put(answer.ci, "asked")
    for one in answer.items:
        canvas.put(one.ci, "plain", *(["cannot start cold"] if one.cannot_start_cold else []))
    for leaning in answer.leanings:
        canvas.lead(leaning.provider, leaning.consumer, f"{leaning.relation}: {leaning.text}")
    return canvas.done(f"{answer.more} CIs" if answer.more else "")


def services_drawing(answer: ServicesAnswer) -> Drawing:
    """A CI, the services above it, and a way to each."""
    canvas = Canvas(f"Services that stand on {called(answer.ci)}")
    canvas.put(answer.ci, "asked")
    for one in answer.items:
        _calm_way(canvas, one.path)
        canvas.put(one.ci, "plain", *(line for line in (ranked(one.criticality), ranked(one.owner)) if line))
    return canvas.done(f"{answer.more} services" if answer.more else "")


def path_drawing(answer: PathAnswer) -> Drawing:
    """The way from a provider to a consumer; both alone where there is none."""
    canvas = Canvas(f"How a failure of {called(answer.from_)} can reach {called(answer.to)}")
    canvas.put(answer.from_, "asked")
    _calm_way(canvas, answer.steps)
    canvas.put(answer.to, "asked", *([] if answer.steps else ["there is no way"]))
    return canvas.done()


def _calm_way(canvas: Canvas, steps: Iterable[StepTold]) -> None:
    """Without states: nothing has failed."""
    told = tuple(steps)
    for step in told:
        canvas.put(step.ci, "plain")
    for before, step in pairwise(told):
        canvas.lead(before.ci, step.ci, why(step))
