"""What stands on a CI: the product's impact against recursive SQL and networkx, on the same graph, answers compared.

    python -m benchmarks.traversals [--cis 100000] [--relations 400000] [--scale 0.01] [--rounds 5]

Every relation is ``depends_on`` with the gate ``all``, since neither knows another. SQLite holds bare pairs with an index
by provider, in memory; networkx a directed graph. All are asked in turn for the same CIs, the largest blast radius of
them first. ``benchmarks.reachability`` asks Cypher the same.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable

import networkx as nx

from benchmarks.reachability import ASKED, graph, ours, projected
from cmdb_server.analysis.impact import impact

REACHED = """
WITH RECURSIVE reached(ci) AS (
    VALUES (?) UNION SELECT consumer FROM pair JOIN reached ON pair.provider = reached.ci
) SELECT ci FROM reached
"""
Ask = Callable[[int], object]


def stored(pairs: list[tuple[int, int]]) -> sqlite3.Connection:
    """The pairs, found by provider."""
    opened = sqlite3.connect(":memory:")
    opened.execute(
        "CREATE TABLE pair (provider INTEGER, consumer INTEGER, PRIMARY KEY (provider, consumer)) WITHOUT ROWID"
    )
    opened.executemany("INSERT INTO pair VALUES (?, ?)", ((provider, consumer) for consumer, provider in pairs))
    return opened


def timed(ask: Ask, ci: int) -> float:
    start = time.perf_counter()
    ask(ci)
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--relations", type=int, default=400_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    ids, pairs = graph(int(given.cis * given.scale), int(given.relations * given.scale))
    projection, database = projected(ids, pairs), stored(pairs)
    directed = nx.DiGraph((provider, consumer) for consumer, provider in pairs)
    asks: dict[str, Ask] = {
        "impact": lambda ci: impact(projection, [projection.ci(ids[ci])]),
        "recursive SQL": lambda ci: database.execute(REACHED, (ci,)).fetchall(),
        "networkx": lambda ci: nx.descendants(directed, ci),
    }
    asked = [0, *random.Random(6).sample(range(1, len(ids)), ASKED - 1)]
    ratios: dict[str, list[float]] = {name: [] for name in asks}
    for ci in asked:
        mine = ours(projection, ids[ci])
        assert mine == {ids[row[0]] for row in database.execute(REACHED, (ci,))} - {ids[ci]}
        assert mine == {ids[one] for one in (nx.descendants(directed, ci) if ci in directed else ())}
        rounds = [{name: timed(ask, ci) for name, ask in asks.items()} for _ in range(given.rounds)]
        taken = {name: statistics.median(one[name] for one in rounds) for name in asks}
        for name, seconds in taken.items():
            ratios[name].append(seconds / taken["impact"])
    print(f"graph: {len(ids)} CIs, {len(pairs)} relations, gate all; the same answers for {len(asked)} CIs")
    for name in ("recursive SQL", "networkx"):
        largest, median = ratios[name][0], statistics.median(ratios[name])
        print(f"ratio {name}: {largest:.1f}x the time of impact on the largest, {median:.1f}x in the median")
    return 0


if __name__ == "__main__":
    sys.exit(main())
