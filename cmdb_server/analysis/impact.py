"""What breaks when these CIs fail together: the least fixpoint of all gates, with its certificate as columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cmdb_server.analysis.certificate import OWN, REACH, Certificate
from cmdb_server.analysis.degradation import spread_degraded
from cmdb_server.analysis.fixpoint import CUT_OFF, NOTHING, Run, clean, columns, spread_down
from cmdb_server.analysis.partition import Cut
from cmdb_server.errors import Invalid
from cmdb_server.model.gates import State
from cmdb_server.projection.columns import Ints, Longs, marked
from cmdb_server.projection.ordered import distinct, shared
from cmdb_server.projection.projection import Projection

__all__ = ["OWN", "Impact", "impact"]


@dataclass(frozen=True, slots=True, eq=False)
class Impact:
    """The whole answer, and what proves it.

    ``ci``, ``state``, ``rank``, ``cause``: those affected; first the down ones in order of derivation, those failed by
    themselves leading, then the degraded ones likewise. ``rank``: round of derivation; each claim follows from members
    of strictly lower rank. ``cause``: a row of ``projection.direct``, or -2 - a slot, ``CUT_OFF`` from all
    gateways, or ``OWN``. ``held``, ``lost``: the slots that lost members for good and hold, and how much. ``excluded``: told
    not to be impacted. ``cut``: dependencies whose ends, though not down, came into different parts of the network, with
    the round. ``second_path_lost``: CIs, not down, that reach their gateways by one of several links alone.
    ``gateway_unknown``: CIs, not said to be down, that lost their way to something, and may be cut off altogether.
    ``lost_before``: CIs counted as lost by gates that can bear a loss. ``down_only``: nothing is said of who is degraded.
    """

    projection: Projection
    failed: Longs
    limping: Longs
    excluded: Longs
    ci: Longs
    state: npt.NDArray[np.uint8]
    rank: Ints
    cause: Ints
    held: Longs
    lost: Ints
    second_path_lost: Longs = field(default_factory=lambda: NOTHING)
    gateway_unknown: Longs = field(default_factory=lambda: NOTHING)
    cut: Cut = field(default_factory=lambda: Cut.of([]))
    lost_before: Longs = field(default_factory=lambda: NOTHING)
    down_only: bool = False

    @property
    def down(self) -> Longs:
        """All who are down, those failed by themselves included."""
        return self._in(State.DOWN)

    @property
    def degraded(self) -> Longs:
        return self._in(State.DEGRADED)

    def _in(self, state: State) -> Longs:
        found: Longs = self.ci[self.state == state]
        return found

    def gates(self) -> Ints:
        """The gate by which each CI is affected, or ``OWN`` or ``REACH``."""
        direct, slots = self.projection.direct, self.projection.slots
        gate = direct.gate.take(self.cause, mode="clip") if len(direct) else np.full(len(self.ci), OWN, np.int32)
        others = marked(self.cause < 0)
        cause = self.cause.take(others)
        if len(slots):
            gate[others] = slots.gate.take(-2 - cause, mode="clip")
        for why, told in ((OWN, OWN), (CUT_OFF, REACH)):
            gate[others.take(marked(cause == why))] = told
        return gate

    def certificate(self) -> Certificate:
        """What ``checker.check`` verifies."""
        held = self.projection.slots.gate[self.held]
        return Certificate(
            self.projection.revision, self.failed, self.limping, self.excluded,
            self.ci, self.state, self.rank, self.gates(), held, self.lost,
            self.cut.dependencies.gate, self.cut.dependencies.provider, self.cut.rank, self.lost_before, self.down_only,
        )  # fmt: skip


def impact(
    projection: Projection,
    failed: Iterable[int],
    not_impacted: Iterable[int] = (),
    degraded: Iterable[int] = (),
) -> Impact:
    """All of ``failed`` down and all of ``degraded`` degraded by themselves, together. ``not_impacted`` stay up and
    pass nothing on. Raises ``Invalid`` when one CI is told both."""
    sources, own, excluded = _numbers(failed), _numbers(degraded), _numbers(not_impacted)
    if len(excluded):
        refuse_both(projection, np.concatenate((sources, own)), excluded)
    with projection.pool.lent(projection) as scratch:
        return _run(Run(projection, scratch), sources, own, excluded)


def refuse_both(projection: Projection, affected: Longs, excluded: Longs) -> None:
    """Raise ``Invalid`` naming the CIs that are in both."""
    both = [projection.id(int(ci)) for ci in shared(affected, excluded)]
    if both:
        raise Invalid(f"failed and not impacted at once: {', '.join(both)}", cis=both)


def down_with(projection: Projection, failed: Longs, lost_before: Longs, excluded: Longs) -> Impact:
    """Who is down when ``failed`` fail while ``lost_before``, none of them failed, are lost to the gates that count
    already. Who is degraded is left out."""
    with projection.pool.lent(projection) as scratch:
        run = Run(projection, scratch)
        scratch.open[excluded] = False
        spread_down(run, failed, excluded, lost_before)
        clean([run], excluded)
    ci, rank, cause = columns([run])
    state, nothing = np.full(len(ci), State.DOWN, np.uint8), np.empty(0, np.int32)
    return Impact(
        projection, failed, NOTHING, excluded, ci, state, rank, cause, NOTHING, nothing,
        cut=Cut.of(run.cut), lost_before=lost_before, down_only=True,
    )  # fmt: skip


def _run(run: Run, failed: Longs, own: Longs, excluded: Longs) -> Impact:
    slots, open_ = run.projection.slots, run.scratch.open
    open_[excluded] = False
    spread_down(run, failed, excluded)
    held = run.held()
    lost = slots.slack.take(held) - run.scratch.slack.take(held)
    narrow, unknown = (
        part.take(marked(open_.take(part))) if len(part) else part
        for part in (run.second_path_lost, run.gateway_unknown)
    )
    cut = Cut.of(run.cut)
    runs = [run]
    if len(own) or (lost > slots.want_slack.take(held)).any():
        more = Run(run.projection, run.scratch)
        run.keep_slack()
        spread_degraded(more, own, run, held, cut)
        runs.append(more)
    clean(runs, excluded)
    ci, rank, cause = columns(runs)
    state = np.full(len(ci), State.DOWN, np.uint8)
    state[sum(map(len, run.parts)) :] = State.DEGRADED
    return Impact(run.projection, failed, own, excluded, ci, state, rank, cause, held, lost, narrow, unknown, cut)


def _numbers(cis: Iterable[int]) -> Longs:
    return distinct(np.asarray(cis if isinstance(cis, np.ndarray | list) else list(cis), np.int64))
