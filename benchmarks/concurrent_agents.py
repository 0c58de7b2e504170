"""Fifty agents that report at once, to a server of two processes; all of them see some of the same things.

    python -m benchmarks.concurrent_agents [--agents 50] [--reports 20] [--scale 0.1] [--neo4j]

One agent reports alone first, which is the reference. Then all do at once, each its next report when the last one was
acknowledged. Printed are how long answers took, and the ratio of the two rates. Ends with 1 when an answer was no
acknowledgement, an acknowledged report is not there, or the graph is not that of the same reports taken in one after the
other. ``--scale`` is of the reports of each; ``--neo4j`` on the Neo4j that CMDB_TEST_NEO4J_URI names, or one of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.missing import skipped
from cmdb_schemas.report import Observation
from cmdb_server.api import token
from cmdb_server.api.context import now_ms
from cmdb_server.ingest.caller import Caller, Grant
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest, pages
from cmdb_server.store.port import Reading, Row, Store
from cmdb_server.store.sqlite import SqliteStore
from tests import serving
from tests.factories import host, report
from tests.neo4j_server import Neo4jServer, missing

AGENTS, REPORTS = 50, 20
HOSTS = 5
"""Each agent's own; beside them it sees what all see."""
PROCESSES = {"CMDB_WORKERS": "2", "CMDB_THREADS": "4", "CMDB_REQUESTS_PER_MINUTE": "10000000"}
TIMEOUT_S = 300.0


@dataclass
class Agent:
    """``waited``: seconds from each report's sending to its acknowledgement; ``bodies``: all reports, by id."""

    number: int
    token: str
    waited: list[float] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"agent-{self.number}"

    def seen(self, version: int) -> list[Observation]:
        """Own hosts, which depend on the neighbour's, and a gateway that every agent sees at an address of its own."""
        own, next_ = f"10.1.{self.number}", f"10.1.{(self.number + 1) % 256}"
        packages = [f"pkg:deb/debian/common@{version % 3}"]
        found = [
            host(
                f"{self.name}-host-{n}", f"{own}.{n}", mac=f"3c:ec:ef:01:{self.number:02x}:{n:02x}", listens=[80],
                uses=[(f"{next_}.{n}", 80)], packages=packages, os_version=str(version),
            )
            for n in range(1, HOSTS + 1)
        ]  # fmt: skip
        gateway = host("gateway", f"{own}.254", serial="GW1", mac="3c:ec:ef:02:00:fe", packages=packages)
        return [*found, gateway]

    def deliver(self, client: httpx.Client, version: int) -> None:
        id_ = f"{self.name}-{version}"
        body = report(id_, now_ms(), self.seen(version), agent=self.name, target=f"10.1.{self.number}.0/24")
        self.bodies[id_] = body
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        start = time.perf_counter()
        answer = client.post("/api/v1/reports", content=body, headers=headers)
        self.waited.append(time.perf_counter() - start)
        if answer.status_code != 200:
            raise Wrong(f"report {id_} was answered with {answer.status_code}: {answer.text[:500]}")


class Wrong(Exception):
    """The server did not do what it promises."""


# Reporting -------------------------------------------------------------------------------------------------------------


def deliver_all(url: str, agents: Sequence[Agent], reports: int) -> float:
    """Have all agents report at once. Seconds from the first report to the last acknowledgement."""
    ready = threading.Barrier(len(agents) + 1)

    def work(agent: Agent) -> None:
        with httpx.Client(base_url=url, timeout=TIMEOUT_S) as client:
            ready.wait(TIMEOUT_S)
            for version in range(1, reports + 1):
                agent.deliver(client, version)

    with ThreadPoolExecutor(len(agents)) as pool:
        working = [pool.submit(work, agent) for agent in agents]
        ready.wait(TIMEOUT_S)
        start = time.perf_counter()
        for done in working:
            done.result()
        return time.perf_counter() - start


def told(what: str, agents: Sequence[Agent], seconds: float) -> float:
    """Print how long answers took. Gives the rate, reports a second."""
    waited = sorted(seconds * 1000 for agent in agents for seconds in agent.waited)
    share = {f"p{percent}": waited[(len(waited) - 1) * percent // 100] for percent in (50, 95, 99)}
    shares = ", ".join(f"{name} {value:.0f} ms" for name, value in share.items())
    rate = len(waited) / seconds
    print(f"{what:10} {len(waited)} reports, {rate:.1f} a second; {shares}, longest {waited[-1]:.0f} ms")
    return rate


# Checking --------------------------------------------------------------------------------------------------------------


def check(store: Store, agents: Sequence[Agent], folder: Path) -> None:
    """Raises Wrong unless all that was acknowledged is there, each agent's last word stands, and the graph is that of
    the same reports in the order of their revisions."""
    logged, digest = store.read(lambda tx: (list(pages(tx, tables.REPORT)), graph_digest(tx)))
    bodies = {id_: (agent, body) for agent in agents for id_, body in agent.bodies.items()}
    ids = [row[tables.REPORT.position("id")] for row in logged]
    if sorted(ids) != sorted(bodies):
        raise Wrong(f"{len(bodies)} reports were acknowledged, {len(ids)} are in the log")
    if late := [agent.name for agent in agents if store.read(versions(agent)) != {str(len(agent.bodies))}]:
        raise Wrong(f"lost updates of {', '.join(late)}")
    replay = SqliteStore(folder / "replay.db")
    try:
        for id_, row in zip(ids, logged, strict=True):
            agent, body = bodies[id_]
            ingest(replay, body, caller(agent.name), row[tables.REPORT.position("received_at")])
        if replay.read(graph_digest) != digest:
            raise Wrong("the graph is another one than that of the same reports one after the other")
    finally:
        replay.close()
    print(f"all {len(ids)} acknowledged reports are there, and the graph is that of a replay")


def versions(agent: Agent) -> Callable[[Reading], set[str]]:
    """The versions that the agent's own hosts have."""
    names = [(f"{agent.name}-host-{n}",) for n in range(1, HOSTS + 1)]

    def read(tx: Reading) -> set[str]:
        rows: list[Row] = tx.find(tables.CI, ("name",), names)
        return {row[tables.CI.position("attributes")]["os_version"] for row in rows}

    return read


def caller(name: str) -> Caller:
    return Caller(name, "agent", Grant(name))


# The server ------------------------------------------------------------------------------------------------------------


@contextmanager
def on_sqlite(folder: Path) -> Iterator[tuple[Callable[[], Store], dict[str, str]]]:
    """What opens the store, and the settings to serve it with."""
    yield lambda: SqliteStore(folder / "cmdb.db"), {}


@contextmanager
def on_neo4j(server: Neo4jServer) -> Iterator[tuple[Callable[[], Store], dict[str, str]]]:
    from cmdb_server.store.neo4j import Neo4jStore
    from cmdb_server.store.neo4j.schema import erase

    erase(server.uri, server.user, server.password)
    parts = urlsplit(server.uri)
    address = f"{parts.scheme}://{server.user}@{parts.netloc}"
    yield (
        lambda: Neo4jStore(server.uri, server.user, server.password),
        {"CMDB_STORE": address, "CMDB_STORE_PASSWORD": "env:PASSWORD", "PASSWORD": server.password},
    )


def run(folder: Path, agents: int, reports: int, neo4j: Neo4jServer | None = None, warm: int = 20) -> int:
    """Print the figures; 1 when something is wrong. ``warm``: the one alone reports so often at least, since what a
    process does for the first time takes long."""
    with on_sqlite(folder) if neo4j is None else on_neo4j(neo4j) as (opener, settings):
        store = opener()
        admin, _ = token.create(store, "bench", "admin", None, now_ms(), token.DAY_MS)
        everyone = [Agent(n, _token(store, f"agent-{n}")) for n in range(agents + 1)]
        store.close()
        served = serving.start(folder, admin, **PROCESSES, **settings)
        try:
            alone, together = everyone[:1], everyone[1:]
            before = told("alone", alone, deliver_all(served.url, alone, max(reports, warm)))
            rate = told("together", together, deliver_all(served.url, together, reports))
            print(f"ratio {agents} agents at once: {rate / before:.2f} of the rate of one alone")
        except Wrong as wrong:
            print(f"wrong: {wrong}\n{served.log.read_text()[-4000:]}")
            return 1
        finally:
            serving.stop(served)
        store = opener()
        try:
            check(store, everyone, folder)
        except Wrong as wrong:
            print(f"wrong: {wrong}")
            return 1
        finally:
            store.close()
    faults = [line for line in served.log.read_text().splitlines() if "Traceback" in line or '"level": "error"' in line]
    print(*faults[:5], sep="\n", end="\n" if faults else "")
    return 1 if faults else 0


def _token(store: Store, name: str) -> str:
    text, _ = token.create(store, name, "agent", Grant(name), now_ms(), token.DAY_MS)
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--agents", type=int, default=AGENTS, choices=range(1, 250), metavar="1-249")
    parser.add_argument("--reports", type=int, default=REPORTS, help="of each agent")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--neo4j", action="store_true")
    given = parser.parse_args()
    reports = max(2, int(given.reports * given.scale))
    with tempfile.TemporaryDirectory(prefix="cmdb-bench-") as made:
        folder = Path(made)
        if not given.neo4j:
            return run(folder, given.agents, reports)
        if reason := missing():
            return skipped(reason)
        from benchmarks.ingest_neo4j import server

        with server(folder) as neo4j:
            return run(folder, given.agents, reports, neo4j)


if __name__ == "__main__":
    sys.exit(main())
