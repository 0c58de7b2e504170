"""A real server, a real agent beside it, and a lab to scan: what the agent delivers, and the graph the server makes."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from cmdb_server.ingest.caller import Caller, Grant
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import REPORT
from tests.lab_estate import Delivered, Estate, Recorder
from tests.serving import Served, served

AGENT = "lab-agent"


@dataclass
class Graph:
    """What the API tells of all CIs at one moment: ``cis`` by id, each whole."""

    cis: dict[str, Any]

    @cached_property
    def hosts(self) -> dict[str, list[Any]]:
        """Short name -> the hosts (not their parts) that bear it."""
        found: dict[str, list[Any]] = {}
        for ci in self.cis.values():
            if ci["parent"] is None and ci["sources"]:
                found.setdefault(ci["name"].partition(".")[0], []).append(ci)
        return found

    def host(self, name: str) -> Any:
        [found] = self.hosts[name]
        return found

    def parts(self, host: str, class_: str = "") -> list[Any]:
        """A host's components, of one class or all, with their attributes."""
        return [one for one in self.host(host)["components"] if one["class"] == class_ or not class_]

    def applications(self, host: str) -> list[Any]:
        """Those of its components that run there."""
        return [one for one in self.host(host)["components"] if "identified_by" in one["attributes"]]

    def label(self, id_: str) -> tuple[str, str]:
        """(host, application); the application is empty for the host itself, the host for what stands alone."""
        ci = self.cis[id_]
        if ci["parent"] is None:
            return (ci["name"].partition(".")[0], "") if ci["sources"] else ("", ci["name"])
        return self.cis[ci["parent"]]["name"].partition(".")[0], ci["name"]

    @cached_property
    def dependencies(self) -> dict[tuple[tuple[str, str], tuple[str, str]], Any]:
        """((host, application), (host, application)) -> the relation, of all that is known to depend on something."""
        return {
            (self.label(id_), self.label(one["other"])): one
            for id_, ci in self.cis.items()
            for one in ci["relations"]
            if one["type"] == "depends_on" and not one["incoming"]
        }

    @cached_property
    def open_ends(self) -> set[tuple[str, str, str, int | None]]:
        """(host, application, far end, port) of every dependency whose far end is nobody that is known."""
        return {
            (*self.label(id_), one["far"], one["port"])
            for id_, ci in self.cis.items()
            for one in ci["open_ends"]
            if one["type"] == "depends_on"
        }


@dataclass
class Scene:
    """``way_in``: host -> the agent's options for it by SSH, where they are not the lab's usual ones."""

    estate: Estate
    server: Served
    recorder: Recorder
    folder: Path
    way_in: dict[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def http(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.server.token}"}
        return httpx.Client(base_url=f"{self.server.url}/api/v1", headers=headers, timeout=60)

    def agent(self, command: str, *arguments: str) -> tuple[int, Any]:
        """Exit code and JSON answer of one command of the agent's."""
        environment = {
            "PATH": os.environ["PATH"],
            "CMDB_AGENT_AGENT": AGENT,
            "CMDB_AGENT_SITE": "lab",
            "CMDB_AGENT_SPOOL": str(self.folder / "spool.sqlite"),
            "CMDB_AGENT_TOKEN": f"file:{self.folder / 'agent.token'}",
            "CMDB_AGENT_SERVER": self.recorder.url,
            "CMDB_AGENT_SSH_USER": self.estate.truth["credentials"]["user"],
            "CMDB_AGENT_SSH_KEYS": f"file:{self.estate.truth['credentials']['keys'][0]}",
            "CMDB_AGENT_SSH_KNOWN_HOSTS": self.estate.truth["credentials"]["known_hosts"],
            **self._snmp_secrets(),
        }
        done = subprocess.run(
            [sys.executable, "-m", "cmdb_agent.cli", command, "--json", *arguments],
            env=environment, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def _snmp_secrets(self) -> dict[str, str]:
        told = self.estate.truth["credentials"]["snmp"]
        v3 = told["v3"]
        secrets = {"COMMUNITY": told["community"], "AUTH": v3["auth_password"], "PRIV": v3["priv_password"]}
        references = {
            "CMDB_AGENT_SNMP_COMMUNITY": "env:LAB_COMMUNITY",
            "CMDB_AGENT_SNMP_AUTH_PASSWORD": "env:LAB_AUTH",
            "CMDB_AGENT_SNMP_PRIVACY_PASSWORD": "env:LAB_PRIV",
            "CMDB_AGENT_SNMP_USER": told["v3"]["user"],
            "CMDB_AGENT_SNMP_AUTH": told["v3"]["auth"],
            "CMDB_AGENT_SNMP_PRIVACY": told["v3"]["priv"],
        }
        return {f"LAB_{name}": value for name, value in secrets.items()} | references

    def enrol(self) -> None:
        """Buys the agent's token with a code that the administrator made."""
        code = self.ask("POST", "/enrolment-codes", json={"agent": AGENT})["code"]
        done, _ = self.agent("enrol", "--code", code, "--token-file", str(self.folder / "agent.token"))
        assert done == 0

    def scan(self, *targets: str, options: Sequence[str] = ()) -> tuple[dict[str, Any], list[Delivered]]:
        """What the agent printed of these targets, and what was delivered, in the order of delivery."""
        before = len(self.recorder.kept)
        _, told = self.agent("scan", *targets, *options)
        assert (told["pending"], told["quarantined"], told["problem"]) == (0, [], ""), told
        return told, self.recorder.kept[before:]

    def ssh(self, *hosts: str) -> list[Delivered]:
        """Scans hosts by SSH, each in its own way."""
        delivered: list[Delivered] = []
        usual = [host for host in hosts if host not in self.way_in]
        for some, options in [(usual, ()), *(([host], self.way_in[host]) for host in hosts if host in self.way_in)]:
            if some:
                delivered += self.scan(*(self.url(host) for host in some), options=options)[1]
        return delivered

    def url(self, host: str) -> str:
        port = self.estate.hosts[host]["ssh"]["port"]
        return f"ssh://{self.estate.address(host)}" + (f":{port}" if port != 22 else "")

    def snmp(self, *hosts: str, version: str = "2c") -> list[Delivered]:
        urls = [f"snmp://{self.estate.address(host)}" for host in hosts]
        return self.scan(*urls, options=["--snmp-version", version])[1]

    def ask(self, method: str, path: str, **given: Any) -> Any:
        answer = self.http.request(method, path, **given)
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("GET", path, params=query)

    def graph(self) -> Graph:
        """All CIs but software packages, which have nothing of their own to tell here."""
        listed, cursor = [], None
        while True:
            page = self.get("/cis", limit=1000, **({"cursor": cursor} if cursor else {}))
            listed += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        ids = [ci["id"] for ci in listed if ci["class"] != "software_package"]
        return Graph({id_: self.get(f"/cis/{id_}") for id_ in ids})

    def scan_all(self) -> list[Delivered]:
        """Scans every host by SSH, and by SNMP: one half by version 2c, the other by version 3."""
        hosts = list(self.estate.hosts)
        half = len(hosts) // 2
        return [*self.ssh(*hosts), *self.snmp(*hosts[:half]), *self.snmp(*hosts[half:], version="3")]


def replayed(scene: Scene, folder: Path, seed: int) -> tuple[str, str]:
    """The digest of the server's graph, and that of the one that all its reports give in another order."""
    store, replay = SqliteStore(scene.server.store), SqliteStore(folder / "replay.db")
    told = list(scene.recorder.kept)
    try:
        rows = store.read(lambda tx: tx.find(REPORT, ("id",), [(one.report["id"],) for one in told]))
        received = {row[REPORT.position("id")]: row[REPORT.position("received_at")] for row in rows}
        assert len(received) == len(told) > 0
        random.Random(seed).shuffle(told)
        for one in told:
            ingest(replay, one.body, Caller(AGENT, "agent", Grant(AGENT)), received[one.report["id"]])
        return store.read(graph_digest), replay.read(graph_digest)
    finally:
        store.close()
        replay.close()


@contextmanager
def staged(estate: Estate, folder: Path, **way_in: Sequence[str]) -> Iterator[Scene]:
    """A server with an empty store and an enrolled agent while the block runs."""
    with served(folder, CMDB_REQUESTS_PER_MINUTE="1000000") as server, Recorder(server.url).serving() as recorder:
        scene = Scene(estate, server, recorder, folder, way_in)
        try:
            scene.enrol()
            yield scene
        finally:
            scene.http.close()
