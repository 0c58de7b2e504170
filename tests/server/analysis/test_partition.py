"""Dependencies lost with the way between their ends: small networks by hand; random ones are in test_reachability."""

from typing import Any

from cmdb_server.analysis.checker import check
from cmdb_server.analysis.explanation import Explanation
from cmdb_server.analysis.impact import Impact, impact
from tests.wires import LINK, ROUTES, RUNS
from tests.worlds import World

WEB, DB, SPARE, LEFT, RIGHT, APP, BASE, OTHER = range(8)
CLASSES = ("server", "server", "server", "switch", "switch", "app", "app", "app")
CAMPUS = (
    (WEB, LINK, LEFT), (DB, LINK, RIGHT), (SPARE, LINK, LEFT), (LEFT, LINK, RIGHT), (WEB, ROUTES, LEFT),
    (DB, ROUTES, RIGHT), (APP, RUNS, WEB), (BASE, RUNS, DB), (OTHER, RUNS, SPARE),
)  # fmt: skip


def campus(*more: tuple[int, str, int], gate: Any = None, group: str | None = None) -> World:
    relations = [(*one, None, None) for one in CAMPUS] + [(*one, group, None) for one in more]
    return World(8, tuple(relations), {APP: {"depends_on/pool": gate}} if gate else {}, classes=CLASSES)


def verified(world: World, *failed: int, spared: tuple[int, ...] = ()) -> Impact:
    answer = impact(world.projection(), failed, spared)
    assert check(answer.projection, answer.certificate()) == []
    return answer


def parted(*more: tuple[int, str, int], gate: Any = None, group: str | None = None) -> World:
    """The two switches are joined by a middle one, so that each side keeps its own gateway when that fails."""
    world = campus(*more, gate=gate, group=group)
    relations = tuple(row for row in world.relations if row[:3] != (LEFT, LINK, RIGHT))
    between = ((LEFT, LINK, 8, None, None), (RIGHT, LINK, 8, None, None))
    return World(9, relations + between, world.gates, classes=(*CLASSES, "switch"))


def test_a_dependency_is_lost_though_both_ends_reach_their_gateways() -> None:
    answer = verified(parted((APP, "depends_on", BASE)), 8)
    assert set(answer.down.tolist()) == {8, APP}
    cut = answer.cut.dependencies
    assert (cut.consumer.tolist(), cut.provider.tolist(), answer.cut.rank.tolist()) == ([APP], [BASE], [1])
    steps = Explanation(answer).path(APP)
    assert [(step.ci, step.partitioned_from) for step in steps] == [(8, None), (APP, BASE)]


def test_a_pool_that_keeps_a_member_in_reach_holds() -> None:
    gate = {"kind": "at_least", "k": 1}
    world = parted((APP, "depends_on", BASE), (APP, "depends_on", OTHER), gate=gate, group="pool")
    answer = verified(world, 8)
    assert answer.down.tolist() == [8]
    assert answer.lost.tolist() == [1]
    count = Explanation(answer).count(int(answer.projection.slots.gate[answer.held[0]]))
    assert (count.lost, count.partitioned, count.holding) == (1, 1, (OTHER,))
    assert set(verified(world, 8, SPARE).down.tolist()) == {8, SPARE, OTHER, APP}


def test_who_is_told_not_to_be_impacted_serves_though_no_way_leads_there() -> None:
    world = parted((APP, "depends_on", BASE))
    assert verified(world, 8, spared=(BASE,)).down.tolist() == [8]
    assert verified(world, 8, spared=(APP,)).down.tolist() == [8]


def test_what_runs_on_one_host_needs_no_network() -> None:
    world = parted((APP, "depends_on", OTHER))
    relations = tuple((OTHER, RUNS, WEB, None, None) if row[:2] == (OTHER, RUNS) else row for row in world.relations)
    answer = verified(World(9, relations, {}, classes=world.classes), 8)
    assert answer.down.tolist() == [8]
    assert len(answer.cut) == 0


def test_a_link_of_its_own_keeps_two_hosts_in_touch() -> None:
    world = parted((APP, "depends_on", BASE))
    answer = verified(World(9, (*world.relations, (WEB, LINK, DB, None, None)), {}, classes=world.classes), 8)
    assert answer.down.tolist() == [8]
