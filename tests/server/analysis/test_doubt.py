"""The two runs bound the truth, whichever of the doubtful are really gone."""

from fractions import Fraction
from math import ceil

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.doubt import doubt, doubtful
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.columns import Longs
from tests.worlds import DOWN, NOW, World, ci_row, digraph, evaluate, gate_state, name_id, needs, rules, worlds


def upper(world: World, failed: set[int], unseen: set[int]) -> set[int]:
    """By the definition: the unseen are lost to every gate that could bear a loss by its arithmetic."""
    gates, down = world.gate_members(), set(failed)
    while True:
        fresh = set()
        for key, members in gates.items():
            gate = world.definition(*key)
            total = Fraction(sum(members.values()) if gate["kind"] == "weighted" else len(members))
            counts = ceil(needs(gate, total)[0]) < total  # 81 % of two are both: that bears no loss
            if gate_state(gate, members, down | unseen if counts else down, set()) == DOWN:
                fresh.add(key[0])
        if fresh <= down:
            return down
        down |= fresh


@settings(max_examples=200, deadline=None)
@given(worlds(20), st.data())
def test_the_runs_are_as_defined_and_the_truth_lies_between(world: World, data: st.DataObject) -> None:
    cis = st.sets(st.integers(0, world.size - 1), max_size=3)
    failed, unseen = data.draw(cis), data.draw(cis)
    projection = world.projection()
    number = [projection.ci(name_id(str(ci))) for ci in range(world.size)]

    def back(found: Longs) -> set[int]:
        return {int(projection.names[ci]) for ci in found.tolist()}

    told = doubt(projection, [number[ci] for ci in failed], np.asarray([number[ci] for ci in unseen], np.int64))
    unseen -= failed
    sure, most = back(told.sure), upper(world, failed, unseen)
    assert sure == evaluate(world, failed, unseen).down()
    graph = digraph(world)
    near = failed.union(*(set(nx.descendants(graph, ci)) for ci in failed))
    assert back(told.uncertain) == (most - sure) & near
    assert back(told.scan_next) <= unseen


def test_a_pool_with_a_member_not_seen_lately_is_uncertain_because_of_it() -> None:
    made = rules()
    made.retired_ms = {"server": 1000}
    relations = [(name_id("app"), "depends_on", name_id(name), "pool", None, 1.0, 0, 0, 1) for name in ("a", "b")]
    gate = {"gate": {"depends_on/pool": {"kind": "at_least", "k": 1}}}
    cis = [ci_row("a"), ci_row("b", ended_at=NOW - 10), ci_row("app", "service", gate)]
    projection = from_rows(cis, relations, made, 1, NOW)
    a, b, app = (projection.ci(name_id(name)) for name in ("a", "b", "app"))
    assert doubtful(projection).tolist() == [b]
    told = doubt(projection, [a], doubtful(projection))
    assert (told.sure.tolist(), told.uncertain.tolist(), told.scan_next.tolist()) == ([a], [app], [b])
    told = doubt(projection, [a, b], doubtful(projection))
    assert sorted(told.sure.tolist()) == sorted([a, b, app])


def test_a_share_that_only_all_of_them_make_up_bears_no_loss_and_leaves_no_doubt() -> None:
    relations = [(name_id("app"), "depends_on", name_id(name), "pool", None, 1.0, 0, 0, 1) for name in ("a", "b")]
    relations += [(name_id("b"), "depends_on", name_id("c"), None, None, 1.0, 0, 0, 1)]
    for percent, uncertain in ((81, []), (50, ["app"])):
        gate = {"gate": {"depends_on/pool": {"kind": "at_least", "percent": percent}}}
        cis = [*map(ci_row, "abc"), ci_row("app", "service", gate)]
        projection = from_rows(cis, relations, rules(), 1, NOW)
        told = doubt(projection, [projection.ci(name_id("c"))], np.asarray([projection.ci(name_id("a"))]))
        assert [projection.names[ci] for ci in told.uncertain.tolist()] == uncertain
