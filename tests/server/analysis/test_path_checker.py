"""Claims of lost paths that are not the engine's are rejected."""

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.certificate import REACH, Certificate
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.projection.projection import Projection
from tests.wired import wired_worlds


@st.composite
def cut_off(draw: st.DrawFn) -> tuple[Projection, Certificate]:
    """Answers in which somebody is cut off."""
    world = draw(wired_worlds())
    projection = world.projection()
    claims = [impact(projection, [ci]).certificate() for ci in range(world.size)]
    found = [claim for claim in claims if (claim.gate == REACH).any()]
    assume(found)
    return projection, found[0]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(cut_off(), st.data())
def test_the_checker_rejects_other_claims_of_lost_paths(
    answer: tuple[Projection, Certificate], data: st.DataObject
) -> None:
    projection, claim = answer
    assert check(projection, claim) == []
    row = data.draw(st.sampled_from(np.flatnonzero(claim.gate == REACH).tolist()))
    early = claim.rank.copy()
    early[row] = 0
    assert check(projection, replace(claim, rank=early)) != []
    left_out = {name: np.delete(getattr(claim, name), row) for name in ("ci", "state", "rank", "gate")}
    assert check(projection, replace(claim, **left_out)) != []
    spared = sorted(set(range(len(projection))) - set(claim.ci.tolist()))
    if spared:
        too_many = {"ci": spared[0], "state": 2, "rank": int(claim.rank.max()) + 1, "gate": REACH}
        more = {name: np.append(getattr(claim, name), value) for name, value in too_many.items()}
        assert check(projection, replace(claim, **more)) != []
