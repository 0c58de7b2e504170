"""How many minutes a service may still be down in the period of its agreement, before and after what is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from cmdb_server.analysis.intervals import Failure, OverTime, over_time
from cmdb_server.answers.asked_graph import AskedGraph
from cmdb_server.answers.spans import Span
from cmdb_server.errors import Invalid
from cmdb_server.model import instants
from cmdb_server.model.intervals import Interval, Intervals, normalise
from cmdb_server.model.service_hours import ALWAYS, Hours, hours
from cmdb_server.model.service_level import MINUTE_MS, Period, budget, period_of, target_of
from cmdb_server.practices.booked import OUTAGE
from cmdb_server.practices.kept_rows import Kept, all_in
from cmdb_server.store.port import Reading

TARGET, PERIOD, HOURS = "availability_target", "availability_period", "service_hours"


@dataclass(frozen=True, slots=True)
class ServiceLevelTold:
    """``target`` in percent of the service hours of the period [start, end), in ms. Minutes: how many it may be down in
    all, how many are left now, by the outages that were declared, and after what is asked about; None where that has
    no times. Less than none are left where the target is missed."""

    target: float
    start: int
    end: int
    minutes: float
    minutes_left: float
    minutes_left_after: float | None


@dataclass(frozen=True, slots=True)
class _Agreed:
    target: Fraction
    hours: Hours
    period: Period

    @classmethod
    def of(cls, attributes: Mapping[str, Any]) -> _Agreed | None:
        """None where no target is told, or none that can be read."""
        if attributes.get(TARGET) is None:
            return None
        try:
            target, told = target_of(attributes[TARGET]), hours(attributes.get(HOURS) or ALWAYS)
        except (Invalid, AttributeError):
            return None
        return cls(target, told, attributes.get(PERIOD) or "month")


@dataclass(slots=True)
class ServiceLevels:
    """Of the services of one graph. Outages count by what they take down on it, up to ``now`` (ms)."""

    view: AskedGraph
    reading: Reading
    now: int
    _outages: list[Kept] | None = None
    _down: dict[Interval, OverTime] = field(default_factory=dict)

    def of(
        self, ids: Sequence[str | None], at: int, down: Sequence[Sequence[Span] | None]
    ) -> list[ServiceLevelTold | None]:
        """``told`` of several services, by id; None for who is hidden."""
        attributes = self.view.attributes([id_ for id_ in ids if id_ is not None])
        return [
            None if id_ is None else self.told(self.view.projection.ci(id_), attributes.get(id_, {}), at, spans)
            for id_, spans in zip(ids, down, strict=True)
        ]

    def told(
        self, ci: int, attributes: Mapping[str, Any], at: int, down: Sequence[Span] | None
    ) -> ServiceLevelTold | None:
        """In the period that ``at`` lies in; ``down``: when the service is, by what is asked about. None for one
        without a target."""
        agreed = _Agreed.of(attributes)
        if agreed is None:
            return None
        period = period_of(at, agreed.period, agreed.hours.zone)
        service = agreed.hours.intervals(period)
        before = self._before(ci, period)
        used = budget(agreed.target, service, before)
        after = None
        if down is not None:
            more = normalise([*before, *_within(down, period)])
            after = _minutes(budget(agreed.target, service, more).left_ms)
        return ServiceLevelTold(
            float(agreed.target * 100), *period, _minutes(used.allowed_ms), _minutes(used.left_ms), after
        )

    def _before(self, ci: int, period: Interval) -> Intervals:
        """When the service was down in the period, by the outages that were declared."""
        until = min(self.now, period[1])
        if until <= period[0]:
            return ()
        if period not in self._down:
            failures = list(self._failures())
            self._down[period] = over_time(self.view.projection, (period[0], until), failures)
        return _within(self._down[period].of(ci), period)

    def _failures(self) -> Iterable[Failure]:
        if self._outages is None:
            self._outages = all_in(self.reading, OUTAGE, ("open", "ended"))
        for one in self._outages:
            start, end = (one.body.get(name) for name in ("started_at", "ended_at"))
            span = instants.parse(start), None if one.state == "open" or not end else instants.parse(end)
            if span[1] is None or span[0] < span[1]:
                yield Failure(tuple(self.view.there(one.cis.get("down", ()))), (span,))


def _within(spans: Sequence[Span], period: Interval) -> Intervals:
    return normalise((max(start, period[0]), period[1] if end is None else min(end, period[1])) for start, end in spans)


def _minutes(ms: Fraction) -> float:
    return round(float(ms / MINUTE_MS), 3)
