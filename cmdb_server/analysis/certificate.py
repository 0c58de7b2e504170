"""What proves an answer, as plain columns: the engine writes it, the checker reads it, nothing else connects them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.integer]

OWN = -1
"""In place of a gate: the CI failed, or was degraded, by itself."""
REACH = -2
"""In place of a gate: the CI has no path to any of its gateways left."""


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """CIs and gates by their numbers in the projection of ``revision``.

    ``failed``, ``limping``, ``excluded``: what was asked. ``ci``, ``state``, ``rank``, ``gate``: each affected CI and
    the gate that says so. ``held``, ``lost``: each gate that lost members while its consumer is not down, and how much.
    ``cut_gate``, ``cut_provider``, ``cut_rank``: members lost to a gate because no way through the network leads to them.
    ``lost_before``: CIs that count as lost by all gates that can bear a loss. ``down_only``: the claims are of who is
    down alone, and no gates are told to hold.
    """

    revision: int
    failed: Numbers
    limping: Numbers
    excluded: Numbers
    ci: Numbers
    state: Numbers
    rank: Numbers
    gate: Numbers
    held: Numbers
    lost: Numbers
    cut_gate: Numbers
    cut_provider: Numbers
    cut_rank: Numbers
    lost_before: Numbers
    down_only: bool = False
