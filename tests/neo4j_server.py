"""A real Neo4j for the tests: one that is there (``CMDB_TEST_NEO4J_URI``), or one started from the jars that
``deploy/neo4j/fetch.sh`` fetches (``CMDB_TEST_NEO4J_HOME``, else ``.neo4j``, with ``lib/*.jar``)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RUN = ROOT / "deploy/neo4j/run.sh"
STARTS_WITHIN = 120.0


def home_of_jars() -> Path | None:
    for folder in (os.environ.get("CMDB_TEST_NEO4J_HOME"), ROOT / ".neo4j"):
        if folder and any(Path(folder, "lib").glob("neo4j-server-*.jar")):
            return Path(folder)
    return None


def missing() -> str:
    """Why no Neo4j can be had; empty when one can."""
    if os.environ.get("CMDB_TEST_NEO4J_URI"):
        return ""
    if home_of_jars() is None:
        return "no Neo4j: set CMDB_TEST_NEO4J_URI, or fetch the jars with deploy/neo4j/fetch.sh"
    return "" if shutil.which("java") else "no Neo4j: java (JDK 17) is missing"


@dataclass
class Neo4jServer:
    """Where the server is, and its process when it is ours."""

    uri: str
    user: str = "neo4j"
    password: str = ""
    home: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Returns once the server answers."""
        jars, home = home_of_jars(), self.home
        assert jars is not None and home is not None
        home.mkdir(parents=True, exist_ok=True)
        with (home / "console.log").open("ab") as log:
            self.process = subprocess.Popen(
                [RUN, home, self.uri.rpartition(":")[2], jars / "lib"],
                env=os.environ | {"NEO4J_PASSWORD": self.password, "NEO4J_HEAP": "1g", "NEO4J_PAGECACHE": "256m"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait()

    def wait(self) -> None:
        from neo4j import GraphDatabase
        from neo4j.exceptions import Neo4jError, ServiceUnavailable

        deadline = time.monotonic() + STARTS_WITHIN
        with GraphDatabase.driver(self.uri, auth=(self.user, self.password)) as driver:
            while True:
                try:
                    driver.verify_connectivity()
                except (ServiceUnavailable, Neo4jError, OSError) as error:
                    ended = self.process is not None and self.process.poll() is not None
                    if ended or time.monotonic() > deadline:
                        raise RuntimeError(f"Neo4j did not start, see {self.home}/console.log") from error
                    time.sleep(0.2)
                else:
                    return

    def kill(self) -> None:
        """As a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def own(home: Path) -> Neo4jServer:
    """A started server that keeps everything in ``home``."""
    server = Neo4jServer(f"bolt://127.0.0.1:{free_port()}", password="for-the-tests", home=home)
    server.start()
    return server


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory):
    """One server for all tests of a session. Tests share its one database and empty it first."""
    if reason := missing():
        pytest.skip(reason)
    if uri := os.environ.get("CMDB_TEST_NEO4J_URI"):
        user, password = os.environ.get("CMDB_TEST_NEO4J_USER", "neo4j"), os.environ.get("CMDB_TEST_NEO4J_PASSWORD", "")
        yield Neo4jServer(uri, user, password)
        return
    server = own(tmp_path_factory.mktemp("neo4j"))
    yield server
    server.stop()


@pytest.fixture
def neo4j_opener(neo4j_server: Neo4jServer):
    """Opens the store on the session's server, emptied; may be sent to another process."""
    from cmdb_server.store.neo4j import Neo4jStore
    from cmdb_server.store.neo4j.schema import erase

    erase(neo4j_server.uri, neo4j_server.user, neo4j_server.password)
    return partial(Neo4jStore, neo4j_server.uri, neo4j_server.user, neo4j_server.password)
