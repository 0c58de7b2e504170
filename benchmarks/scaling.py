"""How a measured time grows with the estate: the same work on several sizes, and the exponent fitted over them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

import numpy as np

SIZES = (10_000, 100_000, 1_000_000)
LEAST = 300
"""No estate is made smaller than that, whatever the scale."""


def add_sizes(parser: argparse.ArgumentParser, sizes: Sequence[int] = SIZES) -> None:
    """The option ``--sizes``; goes with ``--scale``."""
    told = (
        f"estates for the exponents, in CIs, before --scale (default {' '.join(map(str, sizes))}); none: no exponents"
    )
    parser.add_argument("--sizes", type=int, nargs="*", default=list(sizes), metavar="CIS", help=told)


def report_growth(asked: argparse.Namespace, measured: Callable[[int], dict[str, float]]) -> None:
    """Measure each size of ``--sizes`` times ``--scale`` (seconds by title) and print how each title grows."""
    sizes = sorted({max(LEAST, int(size * asked.scale)) for size in asked.sizes})
    if not sizes:
        return
    found = [measured(size) for size in sizes]
    for title in found[0]:
        print(growth_told(title, sizes, [one[title] for one in found]))


def growth_told(title: str, sizes: Sequence[int], seconds: Sequence[float]) -> str:
    """One line: each size with its time, and the exponent."""
    told = ", ".join(f"{size:,} CIs {1e3 * taken:,.3f} ms" for size, taken in zip(sizes, seconds, strict=True))
    return f"scaling, {title}: {told}; exponent {exponent(sizes, seconds):.2f}"


def exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """The slope of time over size, both as logarithms, by least squares; nan where the sizes are the same."""
    if len(set(sizes)) < 2:
        return float("nan")
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
