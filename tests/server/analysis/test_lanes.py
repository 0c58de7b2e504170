"""The network in lanes is the network of each failure on its own."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.impact import impact
from cmdb_server.analysis.region import region
from cmdb_server.analysis.spof import simulated
from tests.wired import wired_worlds
from tests.worlds import World


@settings(max_examples=150, deadline=None)
@given(wired_worlds(), st.data())
def test_each_lane_is_one_answer(world: World, data: st.DataObject) -> None:
    projection = world.projection()
    below = region(projection, np.asarray([data.draw(st.integers(0, world.size - 1))]))
    size = len(below.ci)
    failures = data.draw(st.lists(st.sets(st.integers(0, size - 1), max_size=3), min_size=1, max_size=70))
    bits = np.zeros((below.size, -(-len(failures) // 64)), np.uint64)
    for lane, failed in enumerate(failures):
        for place in failed:
            bits[place, lane // 64] |= np.uint64(1) << np.uint64(lane % 64)
    bits = simulated(below, bits)
    for lane, failed in enumerate(failures):
        down = {place for place in range(size) if int(bits[place, lane // 64]) >> (lane % 64) & 1}
        true = set(impact(projection, below.ci[sorted(failed)].tolist()).down.tolist())
        assert {int(below.ci[place]) for place in down} == true & set(below.ci.tolist())


def test_a_region_takes_in_what_its_ways_lead_through() -> None:
    relations = ((0, "connects_to", 1, None, None), (1, "connects_to", 2, None, None), (0, "routes_via", 2, None, None))
    world = World(4, relations, {}, classes=("server", "switch", "switch", "switch"))
    projection = world.projection()
    below = region(projection, np.asarray([0]))
    assert sorted(int(projection.names[ci]) for ci in below.ci) == [0, 1, 2]
    assert below.wires is not None
    assert len(below.wires.matter) == 3
