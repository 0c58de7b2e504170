"""Gates out of edges: once each, with their thresholds, and the lists that lead to them."""

import numpy as np
from hypothesis import given, settings

from cmdb_server.projection.gates import by, list_bounds
from tests.worlds import World, name_id, worlds


@settings(max_examples=200, deadline=None)
@given(worlds())
def test_gates_are_those_of_the_definition(world: World) -> None:
    projection = world.projection()
    found = {}
    for ci in range(world.size):
        for gate in projection.gates_by(ci).tolist():
            key = (int(projection.names[ci]), projection.relation_type(gate), projection.key_name(gate))
            at = slice(projection.gates.first[gate], projection.gates.last[gate])
            members = projection.members.provider[at].tolist(), projection.members.weight[at].tolist()
            found[key] = {int(projection.names[one]): weight for one, weight in zip(*members, strict=True)}
            slot, limits = projection.gates.slot[gate], projection.threshold(gate)
            assert (slot < 0) == (limits.need == limits.total)
            if slot >= 0:
                slots = projection.slots
                assert slots.slack[slot] == limits.total - limits.need
                assert slots.want_slack[slot] == limits.total - limits.want
                assert slots.full_slack[slot] == limits.total - limits.full
    assert found == world.gate_members()


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_lists_hold_every_member_of_every_gate_once(world: World) -> None:
    projection = world.projection()
    told = []
    for ci in range(world.size):
        direct = slice(projection.direct_of.first[ci], projection.direct_of.last[ci])
        told += [(ci, gate, 1) for gate in projection.direct.gate[direct].tolist()]
        counted = slice(projection.counted_of.first[ci], projection.counted_of.last[ci])
        slots, weights = projection.counted.slot[counted], projection.counted.weight[counted].tolist()
        told += [(ci, gate, w) for gate, w in zip(projection.slots.gate[slots].tolist(), weights, strict=True)]
    true = [
        (ci, gate, weight if projection.gates.slot[gate] >= 0 else 1)
        for gate in range(len(projection.gates))
        for ci, weight in zip(projection.members_of(gate).tolist(), projection.weights_of(gate).tolist(), strict=True)
    ]
    assert sorted(told) == sorted(true)


def test_a_provider_named_twice_counts_once_with_its_largest_weight() -> None:
    world = World(2, ((0, "peers_with", 1, None, 2), (1, "peers_with", 0, None, 3)), {})
    projection = world.projection()
    (gate,) = projection.gates_by(projection.ci(name_id("0"))).tolist()
    assert projection.members.weight[projection.gates.first[gate] : projection.gates.last[gate]].tolist() == [3]


def test_order_and_bounds() -> None:
    owner = np.asarray([2, 0, 2, 0, 1], np.int32)
    assert by(owner).tolist() == [1, 3, 4, 0, 2]
    first, last = list_bounds(np.sort(owner), 4)
    assert (first.tolist(), last.tolist()) == ([0, 2, 3, 5], [2, 3, 5, 5])
