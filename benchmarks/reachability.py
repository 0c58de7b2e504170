"""What stands on a CI: the product's impact against Cypher reachability in Neo4j, on the same graph, answers compared.

    python -m benchmarks.reachability [--cis 100000] [--relations 400000] [--scale 0.01] [--rounds 5] [--goal]

Every relation is ``depends_on`` with the gate ``all``, since Cypher knows no other. Neo4j holds bare nodes and
relationships, and returns the ids of all that is reached; both are asked in turn for the same CIs, the largest blast
radius of them first. Medians and their ratio are printed. Needs a Neo4j (docs/neo4j.md).
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from neo4j import Driver, GraphDatabase

from benchmarks.ingest_neo4j import server
from benchmarks.missing import skipped
from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.analysis.impact import impact
from cmdb_server.projection.build import from_rows
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.rules import Rules
from tests import neo4j_server

GOAL = 20.0
ASKED = 5
CHUNK = 20_000
REACHED = "MATCH (n:Bare {id: $id})<-[:DEPENDS_ON*1..]-(c:Bare) RETURN DISTINCT c.id"


def graph(cis: int, relations: int) -> tuple[list[str], list[tuple[int, int]]]:
    """Ids, and (consumer, provider) pairs: everything depends on a few of what came before it."""
    rng = random.Random(5)
    ids = [str(uuid.UUID(int=rng.getrandbits(128), version=4)) for _ in range(cis)]
    pairs = {(at, rng.randrange(at)) for at in range(1, cis) for _ in range(max(1, relations // cis))}
    return ids, sorted(pairs)


def projected(ids: list[str], pairs: list[tuple[int, int]]) -> Projection:
    rows = [(id_, "application", f"ci-{at}", "", 0, {}, 1, None, 0) for at, id_ in enumerate(ids)]
    relations = [(ids[one], "depends_on", ids[other], f"{one}-{other}", 1, 1.0, 0, 1, 1) for one, other in pairs]
    return from_rows(rows, relations, Rules.of(relation_types(), classes()), 1, 0)


def load(driver: Driver, ids: list[str], pairs: list[tuple[int, int]]) -> None:
    driver.execute_query("CREATE CONSTRAINT bare_id IF NOT EXISTS FOR (n:Bare) REQUIRE n.id IS UNIQUE")
    for start in range(0, len(ids), CHUNK):
        driver.execute_query("UNWIND $ids AS id CREATE (:Bare {id: id})", ids=ids[start : start + CHUNK])
    ends = [[ids[one], ids[other]] for one, other in pairs]
    for start in range(0, len(ends), CHUNK):
        driver.execute_query(
            "UNWIND $ends AS e MATCH (a:Bare {id: e[0]}) MATCH (b:Bare {id: e[1]}) CREATE (a)-[:DEPENDS_ON]->(b)",
            ends=ends[start : start + CHUNK],
        )


def ours(projection: Projection, id_: str) -> set[str]:
    found = impact(projection, [projection.ci(id_)])
    down = found.down.tolist()
    return {projection.id(ci) for ci in down} - {id_}


def theirs(driver: Driver, id_: str) -> set[str]:
    """A CI on a cycle would be among its own dependents; here there are no cycles."""
    return {record[0] for record in driver.execute_query(REACHED, id=id_).records}


def compare(driver: Driver, projection: Projection, ids: list[str], rounds: int) -> list[float]:
    """Seconds of theirs over seconds of ours, by CI asked. Raises AssertionError when the answers differ."""
    ratios = []
    for id_ in ids:
        assert ours(projection, id_) == theirs(driver, id_), f"the answers on {id_} differ"
        mine, cypher = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            impact(projection, [projection.ci(id_)])
            between = time.perf_counter()
            driver.execute_query(REACHED, id=id_)
            mine.append(between - start)
            cypher.append(time.perf_counter() - between)
        ratios.append(statistics.median(cypher) / statistics.median(mine))
    return ratios


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--relations", type=int, default=400_000)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--goal", action="store_true", help="exit 1 when the ratio misses its goal")
    given = parser.parse_args()
    if reason := neo4j_server.missing():
        return skipped(reason)
    ids, pairs = graph(int(given.cis * given.scale), int(given.relations * given.scale))
    projection = projected(ids, pairs)
    asked = [ids[0], *random.Random(6).sample(ids[1:], ASKED - 1)]
    with (
        TemporaryDirectory() as folder,
        server(Path(folder)) as running,
        GraphDatabase.driver(running.uri, auth=(running.user, running.password)) as driver,
    ):
        load(driver, ids, pairs)
        ratios = compare(driver, projection, asked, given.rounds)
    print(f"graph: {len(ids)} CIs, {len(pairs)} relations, gate all; the same answers for {len(asked)} CIs")
    median = statistics.median(ratios)
    print(
        f"ratio Cypher reachability: {ratios[0]:.0f}x slower on the largest, {median:.0f}x in the median (goal {GOAL:.0f}x)"
    )
    return 1 if given.goal and min(ratios[0], median) < GOAL else 0


if __name__ == "__main__":
    sys.exit(main())
