"""Paths to gateways against networkx: every network with every failure, inside the fixpoint."""

import json
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.checker import check
from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import impact
from tests.wired import wired_worlds
from tests.wires import HOLDS, LINK, ROUTES, RUNS
from tests.worlds import World, evaluate

TOPOLOGIES = Path(__file__).parents[3] / "../shared/snmp/topologies"


@settings(max_examples=250, deadline=None)
@given(wired_worlds(), st.data())
def test_equals_networkx_inside_the_fixpoint(world: World, data: st.DataObject) -> None:
    cis = st.integers(0, world.size - 1)
    failed = data.draw(st.sets(cis, min_size=1, max_size=4))
    spared = data.draw(st.sets(cis, max_size=2)) - failed
    limping = data.draw(st.sets(cis, max_size=1)) - spared
    projection = world.projection()
    answer, truth = impact(projection, failed, spared, limping), evaluate(world, failed, spared, limping)
    assert dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True)) == truth.state
    assert dict(zip(answer.ci.tolist(), answer.rank.tolist(), strict=True)) == truth.rank
    cut = answer.cut.dependencies
    pairs = zip(cut.consumer.tolist(), cut.provider.tolist(), strict=True)
    assert dict(zip(pairs, answer.cut.rank.tolist(), strict=True)) == truth.cut
    assert check(projection, answer.certificate()) == []


@settings(max_examples=100, deadline=None)
@given(wired_worlds())
def test_every_path_shown_begins_with_what_failed(world: World) -> None:
    projection = world.projection()
    for ci in range(world.size):
        answer = impact(projection, [ci])
        shown = Explanation(answer)
        for hit in answer.ci.tolist():
            steps = shown.path(hit)
            assert (steps[0].ci, steps[-1].ci) == (ci, hit)


def wired(*relations: tuple[int, str, int], classes: tuple[str, ...]) -> World:
    return World(len(classes), tuple((a, type_, b, None, None) for a, type_, b in relations), {}, classes=classes)


TWO_UPLINKS = wired(
    (0, LINK, 2), (0, LINK, 3), (2, LINK, 4), (3, LINK, 4), (1, LINK, 2), (0, ROUTES, 4), (1, ROUTES, 4),
    classes=("server", "server", "switch", "switch", "switch"),
)  # fmt: skip


def test_a_lost_second_path_is_a_remark_and_a_lost_last_one_is_down() -> None:
    projection = TWO_UPLINKS.projection()
    answer = impact(projection, [2])
    assert set(answer.down.tolist()) == {1, 2}
    assert answer.second_path_lost.tolist() == [0]
    assert set(impact(projection, [2, 3]).down.tolist()) == {0, 1, 2, 3}
    assert set(impact(projection, [4]).down.tolist()) == {0, 1, 4}


def test_who_may_be_cut_off_without_a_known_gateway_is_marked_and_not_down() -> None:
    projection = wired(
        (0, LINK, 2), (1, LINK, 2), (2, LINK, 3), (0, ROUTES, 3), classes=("server", "server", "switch", "switch")
    ).projection()
    assert projection.network().unknown.tolist() == [1, 2, 3]  # type: ignore[union-attr]
    answer = impact(projection, [2])
    assert set(answer.down.tolist()) == {0, 2}
    assert answer.gateway_unknown.tolist() == [1]
    assert impact(projection, [1]).gateway_unknown.tolist() == []
    assert impact(projection, [2], [1]).gateway_unknown.tolist() == []


def test_a_group_is_reached_by_any_member_and_a_port_takes_its_link_along() -> None:
    relations = (
        (0, LINK, 1), (5, LINK, 2), (1, HOLDS, 5), (1, LINK, 3), (0, ROUTES, 4), (2, "member_of", 4), (3, "member_of", 4),
    )  # fmt: skip
    projection = wired(*relations, classes=("server", "switch", "switch", "switch", "service", "port")).projection()
    assert set(impact(projection, [2]).down.tolist()) == {2}
    assert set(impact(projection, [5]).down.tolist()) == {5}
    assert {0, 3, 5} <= set(impact(projection, [3, 5]).down.tolist())


def test_the_subnet_s_gateway_is_its_members() -> None:
    relations = ((0, LINK, 1), (1, LINK, 2), (0, LINK, 3), (3, ROUTES, 2))
    projection = wired(*relations, classes=("server", "switch", "switch", "subnet")).projection()
    assert 0 in impact(projection, [1]).down


def recorded(network: str) -> list[dict[str, str]]:
    """The links that the folder's own notes expect, each once."""
    told = json.loads((TOPOLOGIES / network / "expected_links.json").read_text())
    links = [link for kind in ("physical_all", "lldp", "bridge") for link in told.get(kind, ())]
    return list({(link["a"], link["a_port"]): link for link in links}.values())


@pytest.mark.skipif(not TOPOLOGIES.is_dir(), reason="the recorded networks, ../shared/snmp/topologies, are missing")
@pytest.mark.parametrize("network", ["nms17216", "nms7563", "nms4930"])
def test_the_switches_of_a_recorded_network_stand_or_fall_with_their_links(network: str) -> None:
    told = recorded(network)
    names = sorted({link[end] for link in told for end in "ab"})
    ports = sorted({(link[end], link[f"{end}_port"]) for link in told for end in "ab"})
    number: dict[object, int] = {name: place for place, name in enumerate([*names, *ports])}
    apps = {name: len(number) + place for place, name in enumerate(names)}
    first, root = names[0], number[names[0]]
    relations = [(number[port[0]], HOLDS, number[port]) for port in ports]
    relations += [(number[link["a"], link["a_port"]], LINK, number[link["b"], link["b_port"]]) for link in told]
    relations += [(number[name], ROUTES, root) for name in names if number[name] != root]
    relations += [(apps[name], RUNS, number[name]) for name in names]
    relations += [(apps[a], "depends_on", apps[b]) for a in names for b in names if a < b]
    world = wired(*relations, classes=("switch",) * len(names) + ("port",) * len(ports) + ("app",) * len(names))
    projection = world.projection()
    well = nx.MultiGraph([(link["a"], link["b"]) for link in told])
    for lost in ({name} for name in names):
        left = well.subgraph(set(names) - lost)
        reached = nx.node_connected_component(left, first) if first in left else set()
        had = nx.node_connected_component(well, first)
        answer = impact(projection, [number[name] for name in lost])
        assert {names[ci] for ci in answer.down.tolist() if ci < len(names)} == lost | (had - reached)
        assert check(projection, answer.certificate()) == []
    for port in ports:
        failed = {number[port]}
        answer, truth = impact(projection, failed), evaluate(world, failed)
        assert set(answer.down.tolist()) == truth.down()
        assert len(answer.cut) == len(truth.cut)


@settings(max_examples=100, deadline=None)
@given(wired_worlds(), st.data())
def test_more_failures_never_help_and_joint_is_more_than_the_union(world: World, data: st.DataObject) -> None:
    sets = st.sets(st.integers(0, world.size - 1), max_size=3)
    first, second = data.draw(sets), data.draw(sets)
    projection = world.projection()
    one, other, joint = (impact(projection, failed) for failed in (first, second, first | second))
    states = [dict(zip(answer.ci.tolist(), answer.state.tolist(), strict=True)) for answer in (one, other, joint)]
    for ci in range(world.size):
        assert states[2].get(ci, 0) >= max(states[0].get(ci, 0), states[1].get(ci, 0))
