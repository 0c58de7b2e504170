"""What came of past changes: how many went well, by team, type, CI and risk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.viewer import Viewer
from cmdb_server.model.risk import Calibration, calibration
from cmdb_server.practices.assessments import scores
from cmdb_server.practices.booked import CHANGE
from cmdb_server.practices.kept_rows import Kept, all_in
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading

DONE = ("review", "closed")
BAD = ("failed", "backed_out")
BY = ("all", "type", "team", "ci")
ENOUGH = 5
"""Past changes of the same CIs, with fewer of which all of the same type are looked at."""


@dataclass(frozen=True, slots=True)
class Success:
    """Of the ``changes`` done, so many ``failed``, which is to say failed, were backed out or caused incidents;
    ``with_issues`` ended well all the same. ``rate``: the share of the others, None where there are none."""

    name: str
    changes: int
    failed: int
    with_issues: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class SuccessAnswer:
    """``items``: those with the most changes first. ``calibration``: what became of changes by the band of their risk."""

    by: str
    items: tuple[Success, ...]
    calibration: tuple[Calibration, ...]


def went_wrong(change: Kept) -> bool:
    """Whether it failed, was backed out or caused an incident."""
    return change.body.get("outcome") in BAD or bool(change.body.get("incidents"))


def done(tx: Reading) -> list[Kept]:
    """All changes with an outcome."""
    return [one for one in all_in(tx, CHANGE, DONE) if one.body.get("outcome")]


def past(changes: Iterable[Kept], cis: Collection[str], type_: str) -> tuple[int, int]:
    """(went wrong, all) of the changes of any of these CIs; where these are few, of the same type."""
    told = list(changes)
    mine = set(cis)
    same = [one for one in told if mine.intersection(one.cis.get("changed", ()))]
    if len(same) < ENOUGH:
        same = [one for one in told if one in same or one.body.get("type") == type_]
    return sum(map(went_wrong, same)), len(same)


def success(projections: Projections, viewer: Viewer, by: str, since: int | None = None) -> SuccessAnswer:
    """Of the changes that the viewer sees, by ``type``, ``team``, ``ci`` or of ``all``, of the changes that ended since (ms)."""

    def work(tx: Reading) -> SuccessAnswer:
        changes = [one for one in done(tx) if since is None or one.changed_at >= since]
        told = scores(tx, (one.number for one in changes))
        rated = [(told[one.number], went_wrong(one)) for one in changes if one.number in told]
        return SuccessAnswer(by, tuple(_by(changes, _names(by))), calibration(rated))

    return as_seen(projections.store, viewer).read(work)


def _names(by: str) -> Callable[[Kept], Iterable[str]]:
    if by == "ci":
        return lambda one: one.cis.get("changed", ())
    if by == "all":
        return lambda _: ("all",)
    return lambda one: (str(one.body.get(by) or "none"),)


def _by(changes: Iterable[Kept], names: Callable[[Kept], Iterable[str]]) -> list[Success]:
    told: dict[str, list[Kept]] = defaultdict(list)
    for one in changes:
        for name in names(one):
            told[name].append(one)
    found = []
    for name, group in told.items():
        failed = sum(map(went_wrong, group))
        issues = sum(one.body.get("outcome") == "with_issues" and not went_wrong(one) for one in group)
        found.append(Success(name, len(group), failed, issues, (len(group) - failed) / len(group)))
    return sorted(found, key=lambda one: (-one.changes, one.name))
