"""Minutes left, exactly, against minutes counted one by one."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.errors import Invalid
from cmdb_server.model.instants import parse, rfc3339
from cmdb_server.model.intervals import Interval, Intervals, normalise
from cmdb_server.model.service_level import MINUTE_MS, budget, period_of, target_of

DAY = 86_400_000
told = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def in_ms(one: Intervals | list[Interval]) -> list[Interval]:
    return [(start * MINUTE_MS, end * MINUTE_MS) for start, end in one]


@given(told.map(normalise), told, st.fractions(0, 1))
def test_against_minutes_counted_one_by_one(service: Intervals, down: list[Interval], target: Fraction) -> None:
    serving = {at for start, end in service for at in range(start, end)}
    lost = {at for start, end in down for at in range(start, end)} & serving
    found = budget(target, normalise(in_ms(service)), in_ms(down))
    assert found.minutes_left == (1 - target) * len(serving) - len(lost)


def test_three_nines_of_a_month_are_not_rounded() -> None:
    month = period_of(parse("2026-04-15T12:00:00Z"), "month")
    found = budget(target_of(99.9), (month,), [(month[0], month[0] + 43 * MINUTE_MS)])
    assert found.allowed_ms / MINUTE_MS == Fraction(432, 10) and found.minutes_left == Fraction(1, 5)
    assert budget(target_of("99.9"), (month,), [month]).minutes_left == Fraction(432, 10) - 30 * 1440


@pytest.mark.parametrize("percent", [-1, 100.1, "x", "", float("nan"), float("inf"), "1/2"])
def test_what_is_no_target(percent: float | str) -> None:
    with pytest.raises(Invalid) as refused:
        target_of(percent, "sla.target")
    assert refused.value.extra["errors"][0]["path"] == "sla.target"


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("day", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("week", "2026-03-22T23:00", "2026-03-29T22:00"),
        ("month", "2026-02-28T23:00", "2026-03-31T22:00"),
        ("quarter", "2025-12-31T23:00", "2026-03-31T22:00"),
        ("year", "2025-12-31T23:00", "2026-12-31T23:00"),
    ],
)
def test_periods_by_the_clock_of_a_zone(period: str, start: str, end: str) -> None:
    found = period_of(parse("2026-03-29T12:00:00Z"), period, "Europe/Berlin")  # type: ignore[arg-type]
    assert tuple(rfc3339(edge)[:16] for edge in found) == (start, end)


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["day", "week", "month", "quarter", "year"]))
def test_periods_hold_their_moment_and_follow_one_another(ms: int, period: str) -> None:
    start, end = period_of(ms, period, "America/New_York")  # type: ignore[arg-type]
    assert start <= ms < end
    assert period_of(end, period, "America/New_York")[0] == end  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="called"):
        period_of(ms, "fortnight")  # type: ignore[arg-type]
