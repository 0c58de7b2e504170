"""Units and durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_schemas.units import comparable, convert, duration_ms, units


def test_units_of_one_dimension_compare() -> None:
    assert comparable("GiB", "kB") and comparable("widgets", "widgets")
    assert not comparable("GiB", "Gbit/s") and not comparable("widgets", "gadgets") and not comparable("W", "VA")


def test_conversion() -> None:
    assert convert(1, "GiB", "By") == 2**30
    assert convert(1500, "MB", "GB") == 1.5
    assert convert(3, "widgets", "widgets") == 3
    with pytest.raises(ValueError, match="cannot be told in"):
        convert(1, "GiB", "s")


@given(st.sampled_from(sorted(units())), st.sampled_from(sorted(units())), st.floats(1, 1e6))
def test_there_and_back(unit: str, other: str, value: float) -> None:
    if comparable(unit, other):
        assert convert(convert(value, unit, other), other, unit) == pytest.approx(value)


def test_durations() -> None:
    assert duration_ms("P1W") == 604_800_000
    assert duration_ms("P1DT1H1M1S") == 90_061_000
    assert duration_ms("PT0S") == 0
    for wrong in ("", "P", "P1DT", "P1Y", "P-1D", "p1d", "P1D ", "P\u0661D", 5, None):
        assert duration_ms(wrong) is None
