"""Sets of numbers as ascending columns.

By sorting: ``np.unique`` and whatever is made of it (``union1d``, ``setdiff1d``, ``intersect1d``, mostly ``isin``) hash
instead, which takes twenty to eighty times as long from a few thousand numbers on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cmdb_server.projection.columns import Bools, Longs, marked

Numbers = npt.NDArray[Any]


def distinct(numbers: Longs) -> Longs:
    """Each once, ascending."""
    if len(numbers) < 2:
        return numbers
    ordered = np.sort(numbers)
    return ordered.take(marked(np.append(True, ordered[1:] != ordered[:-1])))


def united(*parts: Longs) -> Longs:
    """Those in any of these."""
    return distinct(np.concatenate(parts))


def shared(one: Longs, other: Longs) -> Longs:
    """Those in both."""
    found: Longs = np.intersect1d(distinct(one), distinct(other), assume_unique=True)
    return found


def without(numbers: Longs, gone: Longs) -> Longs:
    """Those of ``numbers`` that are not in ``gone``."""
    numbers = distinct(numbers)
    return numbers.take(marked(~within(numbers, distinct(gone))))


def within(numbers: Numbers, ordered: Numbers) -> Bools:
    """By place, whether each of ``numbers`` is in ``ordered``, which ascends; fastest where ``numbers`` nearly do."""
    if not len(ordered):
        return np.zeros(len(numbers), bool)
    found: Bools = ordered.take(np.searchsorted(ordered, numbers), mode="clip") == numbers
    return found
