"""The server as it runs: gunicorn, several processes and threads, and what is left of it when all of them are killed."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.ingest.caller import Caller, Grant
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.projection.sharing import WORTH
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, RELATION, REPORT
from tests.factories import host, report
from tests.serving import Served, agent_token, served, start
from tests.worlds import ci_row

KILLS = int(os.environ.get("CMDB_KILLS", "20"))
REPORTS = 40
HOSTS = 5
JSON = {"Content-Type": "application/json"}


@dataclass
class Agent:
    """Delivers one report after the other, of the same hosts with another version each time; it stops when told.

    ``taken``: the version that was acknowledged last, and at which revision. ``bodies``: all that was ever sent, by id.
    """

    name: str
    subnet: int
    token: str
    version: int = 0
    taken: tuple[int, int] = (0, 0)
    acknowledged: set[str] = field(default_factory=set)
    bodies: dict[str, bytes] = field(default_factory=dict)
    pending: str | None = None

    def next_body(self) -> str:
        self.version += 1
        id_ = f"{self.name}-{self.version}"
        hosts = [
            host(
                f"{self.name}-host-{n}",
                f"10.0.{self.subnet}.{n}",
                mac=f"3c:ec:ef:00:{self.subnet:02x}:{n:02x}",
                listens=[80],
                uses=[(f"10.0.{self.subnet}.{n % HOSTS + 1}", 80)],
                os_version=str(self.version),
            )
            for n in range(1, HOSTS + 1)
        ]
        self.bodies[id_] = report(id_, now_ms(), hosts, agent=self.name, target=f"10.0.{self.subnet}.0/24")
        time.sleep(0.002)
        return id_

    def deliver(self, client: httpx.Client) -> None:
        """One report, or again the one that was not answered."""
        self.pending = self.pending or self.next_body()
        headers = {"Authorization": f"Bearer {self.token}", **JSON}
        answer = client.post("/api/v1/reports", content=self.bodies[self.pending], headers=headers)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["durable_revision"] >= told["revision"]
        self.acknowledged.add(self.pending)
        self.taken = (self.version, told["revision"])
        self.pending = None


def agents_of(running: Served) -> list[Agent]:
    return [Agent(f"agent-{n}", n, agent_token(running.store, f"agent-{n}")) for n in (1, 2)]


def ask_until(stop: threading.Event, running: Served, agents: list[Agent], seed: int) -> int:
    """Ask all kinds of question, each time noting what had been acknowledged before; returns how many were asked."""
    dice, asked = random.Random(seed), 0
    with httpx.Client(base_url=f"{running.url}/api/v1", timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {running.token}"
        while not stop.is_set():
            agent = dice.choice(agents)
            version, revision = agent.taken
            if not version:
                continue
            name = f"{agent.name}-host-{dice.randint(1, HOSTS)}"
            found = _well(client.get("/cis", params={"name": name}))
            assert found["revision"] >= revision
            (ci,) = found["items"]
            assert int(ci["attributes"]["os_version"]) >= version
            shown = _well(client.get(f"/cis/{ci['id']}"))
            assert int(shown["attributes"]["os_version"]) >= version
            broken = _well(client.get("/impact", params={"failed": ci["id"]}))
            assert broken["revision"] >= revision and broken["counts"]["by_state"]["down"] > 0
            hits = _well(client.get("/search", params={"q": name}))
            assert name in {hit["ci"]["name"] for hit in hits["items"]}
            asked += 4
    return asked


def _well(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_no_answer_is_older_than_an_acknowledged_write(tmp_path: Path) -> None:
    settings = {"CMDB_WORKERS": "2", "CMDB_THREADS": "4", "CMDB_REQUESTS_PER_MINUTE": "1000000"}
    with served(tmp_path, **settings) as running, ThreadPoolExecutor(5) as pool:
        agents, stop = agents_of(running), threading.Event()
        writing = [pool.submit(_write, agent, running) for agent in agents]
        reading = [pool.submit(ask_until, stop, running, agents, seed) for seed in range(3)]
        _finish(writing, stop)
        assert all(asked.result() > 0 for asked in reading)
        log = running.log.read_text()
    assert '"level": "error"' not in log and "Traceback" not in log, log[-4000:]


def _write(agent: Agent, running: Served) -> None:
    with httpx.Client(base_url=running.url, timeout=60) as client:
        for _ in range(REPORTS):
            agent.deliver(client)


def _finish(writing: list[Future[None]], stop: threading.Event) -> None:
    try:
        for written in writing:
            written.result()
    finally:
        stop.set()


@pytest.mark.parametrize(
    ("bearer", "size", "status"), [("wrong", 5_000_000, 401), ("", 5_000_000, 400), ("", 50_000_000, 413)]
)
def test_whoever_sends_much_hears_why_it_is_refused(tmp_path: Path, bearer: str, size: int, status: int) -> None:
    """A connection reset instead would have agents try for ever."""
    with served(tmp_path) as running:
        headers = {"Authorization": f"Bearer {bearer or running.token}", **JSON}
        for body in (b" " * size, (b" " * 100_000 for _ in range(size // 100_000))):
            answer = httpx.post(f"{running.url}/api/v1/reports", content=body, headers=headers, timeout=60)
            assert answer.status_code == status
            assert answer.headers["Content-Type"] == "application/problem+json"
        assert httpx.get(f"{running.url}/health/ready").status_code == 200


def test_metrics_are_those_of_all_processes(tmp_path: Path) -> None:
    with served(tmp_path, CMDB_WORKERS="3") as running:
        bearer = {"Authorization": f"Bearer {running.token}"}
        for _ in range(30):
            httpx.get(f"{running.url}/api/v1/classes", headers=bearer)
        told = httpx.get(f"{running.url}/api/v1/metrics", headers=bearer).text
    assert 'cmdb_http_requests_total{method="GET",route="/api/v1/classes",status="200"} 30.0' in told


def test_the_quota_is_that_of_all_processes(tmp_path: Path) -> None:
    with served(tmp_path, CMDB_WORKERS="3", CMDB_REQUESTS_PER_MINUTE="20") as running:
        bearer = {"Authorization": f"Bearer {running.token}"}
        answers = [httpx.get(f"{running.url}/api/v1/classes", headers=bearer).status_code for _ in range(45)]
    # The window may end once in between. Counted by each process alone, all would have been granted.
    assert 20 <= answers.count(200) <= 40 and answers.count(429) == 45 - answers.count(200)


def test_processes_share_one_projection_and_the_next_ones_take_it_up(tmp_path: Path) -> None:
    hosts = many(tmp_path)
    settings = {"CMDB_WORKERS": "2", "CMDB_REQUESTS_PER_MINUTE": "1000000"}
    with served(tmp_path, **settings) as running:
        expected = _asked_until_mapped(running, hosts, 2)
        (agent, _), folder = agents_of(running), tmp_path / "cmdb.db.snapshots"
        with httpx.Client(base_url=running.url, timeout=60) as client:
            agent.deliver(client)
        assert _affected(running, hosts[0])["revision"] >= agent.taken[1]
        assert len(list(folder.glob("*/manifest.json"))) == 1
    seen = running.log.read_text().count("going on from the projection")
    with served(tmp_path, **settings) as again:
        assert _asked_until_mapped(again, hosts, 2) == expected
        assert again.log.read_text().count("going on from the projection") == seen + 2
        log = again.log.read_text()
    assert '"level": "error"' not in log and "Traceback" not in log, log[-4000:]


def many(folder: Path) -> list[str]:
    """As many hosts as are worth sharing, and applications on them; some hosts' ids."""
    store = SqliteStore(folder / "cmdb.db")
    hosts = [ci_row(f"host {n}") for n in range(WORTH)]
    applications = [ci_row(f"application {n}", "application") for n in range(WORTH // 10)]
    ends = zip(applications * 10, hosts, strict=True)
    rows = [(one[0], "depends_on", host[0], None, None, 1.0, 0, 1, 1) for one, host in ends]
    store.write(lambda tx: (tx.put(CI, [*hosts, *applications]), tx.put(RELATION, rows)))
    store.close()
    return [row[0] for row in hosts[:7]]


def _affected(running: Served, ci: str) -> Any:
    headers = {"Authorization": f"Bearer {running.token}"}
    return _well(httpx.get(f"{running.url}/api/v1/impact", params={"failed": ci}, headers=headers, timeout=60))


def _asked_until_mapped(running: Served, cis: list[str], workers: int) -> list[Any]:
    """What is answered, by then also by processes that have mapped the files."""

    def mapped() -> int:
        _affected(running, cis[0])
        children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
        maps = [Path(f"/proc/{child}/maps").read_text() for child in children]
        return sum("gates.consumer.npy" in told for told in maps)

    _wait_for(lambda: mapped() == workers)
    return [_affected(running, ci)["counts"] for ci in cis]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_all_processes_are_killed(tmp_path: Path) -> None:
    """CMDB_KILLS tells how often (20). The order of killing and the moment are drawn anew, and told when it fails."""
    seed = random.randrange(1 << 32)
    dice, running = random.Random(seed), start(tmp_path, CMDB_REQUESTS_PER_MINUTE="1000000")
    try:
        agents = agents_of(running)
        for _ in range(KILLS):
            stop = threading.Event()
            writers = [threading.Thread(target=_write_until, args=(stop, agent, running)) for agent in agents]
            before = sum(len(agent.acknowledged) for agent in agents)
            for writer in writers:
                writer.start()
            _wait_for(lambda: sum(len(a.acknowledged) for a in agents) > before + 1)  # noqa: B023
            time.sleep(dice.uniform(0, 0.3))
            running.kill()
            stop.set()
            for writer in writers:
                writer.join()
            _check_all_there(running.store, agents)
            running = start(tmp_path, running.token, CMDB_REQUESTS_PER_MINUTE="1000000")
    except AssertionError as error:
        raise AssertionError(f"with seed {seed}") from error
    finally:
        running.kill()
    _check_all_there(running.store, agents)
    _check_replay(running.store, agents, tmp_path / "replay.db")


def _write_until(stop: threading.Event, agent: Agent, running: Served) -> None:
    with httpx.Client(base_url=running.url, timeout=60) as client:
        while not stop.is_set():
            try:
                agent.deliver(client)
            except httpx.TransportError:
                return


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


def _check_all_there(path: Path, agents: list[Agent]) -> None:
    store = SqliteStore(path)
    try:
        for agent in agents:
            wanted = [(id_,) for id_ in agent.acknowledged]
            there = {row[REPORT.position("id")] for row in store.read(lambda tx: tx.find(REPORT, ("id",), wanted))}  # noqa: B023
            assert there == agent.acknowledged
    finally:
        store.close()


def _check_replay(path: Path, agents: list[Agent], empty: Path) -> None:
    """All that the log holds, taken in anew in its order, gives the same graph."""
    bodies = {id_: (agent, body) for agent in agents for id_, body in agent.bodies.items()}
    store, replay = SqliteStore(path), SqliteStore(empty)
    try:
        rows = store.read(lambda tx: tx.scan(REPORT, limit=1_000_000))
        for row in rows:
            agent, body = bodies[row[REPORT.position("id")]]
            ingest(replay, body, Caller(agent.name, "agent", Grant(agent.name)), row[REPORT.position("received_at")])
        assert len(rows) > 2 * KILLS
        assert replay.read(graph_digest) == store.read(graph_digest)
    finally:
        store.close()
        replay.close()
