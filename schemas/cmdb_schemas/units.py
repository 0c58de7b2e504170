"""Units of quantities, and durations as ISO 8601 writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SCALES: dict[str, dict[str, float]] = {
    "information": {
        "By": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15,
        "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50,
    },
    "rate": {"bit/s": 1, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9, "Tbit/s": 1e12},
    "frequency": {"Hz": 1, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9},
    "power": {"W": 1, "kW": 1e3, "MW": 1e6},
    "apparent power": {"VA": 1, "kVA": 1e3, "MVA": 1e6},
    "time": {"ms": 1e-3, "s": 1, "min": 60, "h": 3600, "d": 86400},
}  # fmt: skip
_DIMENSION = {unit: dimension for dimension, scale in _SCALES.items() for unit in scale}

_DURATION = re.compile(
    r"P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)
_MILLISECONDS = {"weeks": 604_800_000, "days": 86_400_000, "hours": 3_600_000, "minutes": 60_000, "seconds": 1000}


def comparable(unit: str, other: str) -> bool:
    """Whether values in both units can be compared: the same unit, or two of one dimension."""
    return unit == other or (unit in _DIMENSION and _DIMENSION[unit] == _DIMENSION.get(other))


def convert(value: float, unit: str, other: str) -> float:
    """``value`` of ``unit`` in ``other``. Raises ValueError when they are not comparable."""
    if unit == other:
        return value
    if not comparable(unit, other):
        raise ValueError(f"{unit} cannot be told in {other}")
    scale = _SCALES[_DIMENSION[unit]]
    return value * scale[unit] / scale[other]


def units() -> Iterable[str]:
    """Every unit that can be converted."""
    return _DIMENSION.keys()


def duration_ms(text: object) -> int | None:
    """Milliseconds of an ISO 8601 duration without years and months (``P2W``, ``P2DT12H``); None if it is none."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    return sum(int(count) * _MILLISECONDS[name] for name, count in match.groupdict().items() if count)
