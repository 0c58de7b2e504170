"""Who is cut off when a device of a large network fails, inside the fixpoint: a host, a switch of its racks, a core switch.

    python -m benchmarks.network [--nodes 256000] [--scale 0.01] [--rounds 9] [--goal]

A gateway, a core switch, three below it, distribution and access switches below, some of them wired twice, and hosts in a network with
that gateway. The reference is a breadth-first search from the gateway over the links that are left, in numpy on the same
lists: whoever it does not find is down, and the engine must say the same. It looks at the whole network however little
has failed; the engine only at what hangs below that.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.impact import certified, interleaved
from benchmarks.scaling import add_sizes, report_growth
from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.projection.build import CIColumns, RelationColumns, assemble
from cmdb_server.projection.columns import Longs, spans
from cmdb_server.projection.identities import Identities, Index, Names
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Rules

GATEWAY, SUBNET, CORE, SECOND = range(4)
TWICE = (0.3, 0.02, 0.1)
"""The share of distribution switches, access switches and hosts that have a second link upwards."""
HOSTS, ACCESS = 40, 16
"""Hosts to an access switch, and access switches to a distribution switch."""
CHECKED = 5_000
"""Larger answers are compared with the reference alone: the checker takes minutes for a whole network."""
HOST_GOAL_MS, CORE_GOAL_MS = 1.0, 320.0


class Site:
    """The network: ``projection``, and the first CI of each layer, the number of CIs last. Everything hangs on one core
    switch, by way of three below it."""

    def __init__(self, nodes: int) -> None:
        dice = np.random.default_rng(21)
        access = max(2, nodes // (HOSTS + 1))
        counts = 6, max(2, access // ACCESS), access, max(4, nodes - access - access // ACCESS)
        self.layer = np.append(0, np.cumsum(counts)).tolist()
        links = [np.asarray([(CORE, GATEWAY), *((below, CORE) for below in range(SECOND, counts[0]))])]
        above = SECOND, counts[0]
        for share, first, last in zip(TWICE, self.layer[1:], self.layer[2:], strict=False):
            own = np.arange(first, last)
            again = own[dice.random(len(own)) < share]
            lower = np.concatenate((own, again))
            links.append(np.stack((lower, dice.integers(*above, len(lower))), axis=1))
            above = first, last
        hosts = np.arange(self.layer[3], self.layer[4])
        links.append(np.stack((hosts, np.full(len(hosts), SUBNET)), axis=1))
        self.hosts: Longs = hosts
        self.projection = _projection(self.layer, np.concatenate(links), dice)


def _projection(layer: list[int], links: Longs, dice: np.random.Generator) -> Projection:
    rules, size = Rules.of(relation_types(), classes()), layer[-1]
    class_of = np.full(size, rules.classes.code("switch"), np.int32)
    class_of[layer[3] :] = rules.classes.code("server")
    class_of[SUBNET] = rules.classes.code("ip_network")
    high, low = (
        np.sort(dice.integers(0, 2**63, size).astype(np.uint64)),
        dice.integers(0, 2**63, size).astype(np.uint64),
    )
    names = Names.of(f"node-{ci}" for ci in range(size))
    cis = CIColumns(Index.of(Identities.of(high, low)), names, class_of, np.full(size, -1, np.int64), {}, {})
    from_, to = np.append(links, [[SUBNET, GATEWAY]], axis=0).T.astype(np.int32)
    type_ = np.full(len(from_), rules.types.code("connects_to"), np.int32)
    type_[-1] = rules.types.code("routes_via")
    nothing, one = np.full(len(from_), -1, np.int32), np.ones(len(from_), np.int32)
    return assemble(cis, RelationColumns(from_, type_, to, nothing, one), rules, 1, 0)


def unreached(site: Site, failed: int) -> Longs:
    """Who is down by the reference: the failed one, and the hosts that a search from the gateway does not find."""
    network = site.projection.network()
    assert network is not None
    links, open_ = network.links, np.ones(len(site.projection), bool)
    open_[failed] = False
    frontier = np.flatnonzero(open_[:1])
    open_[frontier] = False
    while len(frontier):
        far = links.to.take(spans(links.first, links.last, frontier))
        before = open_.copy()
        open_[far] = False
        found = np.flatnonzero(before ^ open_)
        frontier = found[network.forwards[found]]
    hosts = site.hosts[open_[site.hosts]]
    return np.union1d(hosts, [failed])


def tried(site: Site, dice: np.random.Generator) -> dict[str, int]:
    """A CI of each kind, by name."""
    layer = site.layer
    return {
        "host": int(dice.integers(layer[3], layer[4])),
        "access switch": int(dice.integers(layer[2], layer[3])),
        "one of three below the core": SECOND,
        "core switch": CORE,
    }


def verify(site: Site, ci: int) -> int:
    """Compare with the reference, and check the answer. How many are down."""
    answer = impact(site.projection, [ci])
    hosts = answer.down[(answer.down >= site.layer[3]) | (answer.down == ci)]
    assert np.array_equal(np.sort(hosts), unreached(site, ci)), ci
    if len(answer.down) <= CHECKED:
        assert not check(site.projection, answer.certificate())
    return len(answer.down)


def report(nodes: int, rounds: int) -> bool:
    site = Site(nodes)
    projection = site.projection
    network = projection.network()
    assert network is not None
    print(f"{len(projection):,} nodes, {len(network.links.to) // 2:,} links; the same answers, verified")
    times = {}
    for name, ci in tried(site, np.random.default_rng(22)).items():
        down = verify(site, ci)
        ours, whole = interleaved(rounds, lambda: certified(projection, ci), lambda: unreached(site, ci))  # noqa: B023
        times[name] = ours * 1e3
        print(
            f"{name}: {down:,} down, {ours * 1e3:.2f} ms with certificate, {ours / whole:.2f}x a search of the whole network"
        )
    print(f"  goals: host {HOST_GOAL_MS} ms, core switch {CORE_GOAL_MS} ms")
    return times["host"] <= HOST_GOAL_MS and times["core switch"] <= CORE_GOAL_MS


def growth(nodes: int, rounds: int) -> dict[str, float]:
    """Median seconds by kind of CI."""
    site = Site(nodes)
    kinds = tried(site, np.random.default_rng(22))
    return {
        f"{name} of a network": interleaved(rounds, lambda: certified(site.projection, ci))[0]  # noqa: B023
        for name, ci in kinds.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=256_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--goal", action="store_true")
    add_sizes(parser, (10_000, 100_000, 1_000_000))
    asked = parser.parse_args()
    met = report(max(200, int(asked.nodes * asked.scale)), asked.rounds)
    report_growth(asked, lambda size: growth(size, asked.rounds))
    return 0 if met or not asked.goal else 1


if __name__ == "__main__":
    sys.exit(main())
