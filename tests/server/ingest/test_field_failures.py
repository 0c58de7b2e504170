"""What users of other systems reported, from observations through ingest, in every order of reports."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.answers.duplicates import duplicates_in
from cmdb_server.answers.health import findings
from cmdb_server.answers.reviews import tasks
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest, pages
from cmdb_server.store.neo4j.schema import erase
from cmdb_server.store.port import Row, Store
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import CALLER
from tests.estate import Estate
from tests.factories import START, host, report
from tests.neo4j_server import Neo4jServer
from tests.situations import BOX, OTHER, of

FILE = Path(__file__).resolve().parents[3] / "../shared/cases/field_failures.json"
DAY = 86_400_000
NOW = START + 30 * DAY
VIEWER = Viewer("anna", "operator")
C = {name: tables.CI.position(name) for name, _ in tables.CI.columns}


def scan(
    id_: str,
    day: int,
    *seen: Observation,
    scope: str = "one",
    source: str = "ssh",
    failed: bool = False,
    **coverage: str,
) -> bytes:
    told = coverage or {"scope": "failed" if failed else "complete"}
    return report(id_, START + day * DAY, seen, target=scope, source=source, sent=NOW, coverage=told)


def parted(*parts: tuple[str, str]) -> Observation:
    """A host with one file system in each of some (section, mount point)."""
    return Observation(
        ref="h", class_="server", address="10.0.0.1", identifiers={"serial": ["SN1"]}, attributes={"name": "h"},
        components=[Component(at, "file_system", at, section=section, attributes={"name": at}) for section, at in parts],
    )  # fmt: skip


def at(name: str, address: str, identifiers: Mapping[str, Iterable[str]], **more: object) -> Observation:
    told = {kind: list(values) for kind, values in identifiers.items()}
    return Observation(ref=name, class_="server", address=address, identifiers=told, attributes={"name": name, **more})  # type: ignore[dict-item]


def things(store: Store, name: str | None = None) -> list[Row]:
    """The CIs that are not components, of a name."""
    rows = store.read(lambda tx: list(pages(tx, tables.CI)))
    return [row for row in rows if not row[C["parent"]] and name in (None, row[C["name"]])]


def living(store: Store) -> set[str]:
    """The names of the CIs that some source still claims."""
    return {row[C["name"]] for row in store.read(lambda tx: list(pages(tx, tables.CI))) if row[C["ended_at"]] is None}


def lives(*names: str) -> Callable[[Store], None]:
    """These hosts are there, and no other."""
    return lambda store: _equal({row[C["name"]] for row in things(store) if row[C["ended_at"]] is None}, set(names))


def _equal(found: object, wanted: object) -> None:
    assert found == wanted


def one_device(store: Store) -> None:
    (row,) = things(store)
    assert row[C["attributes"]]["os_name"] == "Linux"
    held = store.read(lambda tx: tx.find(tables.RECORD, ("ci",), [(row[0],)]))
    assert {one[tables.RECORD.position("identifiers")]["@address"][0] for one in held} == {"10.0.0.1", "10.0.0.2"}


def two_and_a_task(store: Store) -> None:
    assert len(things(store)) == 2
    assert [task.kind for task in tasks(store, VIEWER)] == ["distrusted"]


def reported_and_not_linked(store: Store) -> None:
    assert store.read(lambda tx: [one.address for one in duplicates_in(tx)]) == ["10.10.10.1"]
    assert not [row for row in store.read(lambda tx: list(pages(tx, tables.RELATION))) if row[1] == "connects_to"]


GUEST = Observation(
    ref="v", class_="virtual_machine", native_key="vm-7", identifiers={"uuid": ["4c4c4544-0042-3510-8058-c7c04f4a3532"]},
    attributes={"name": "v"},
)  # fmt: skip
HELD = msgspec.structs.replace(GUEST, relations=[Relation("hosted_on", End(address="10.0.0.1"), section="fs")])


def orphans_are_told(store: Store) -> None:
    """A part that is gone is no orphan: it ended with its parent there. A guest that no hypervisor is told of is one."""
    rows = {row[0]: row for row in store.read(lambda tx: list(pages(tx, tables.CI)))}
    parts = [row for row in rows.values() if row[C["parent"]]]
    assert {row[C["name"]] for row in parts} == {"/", "/data"}
    assert {row[C["name"]] for row in parts if row[C["ended_at"]] is None} == {"/"}
    assert all(row[C["parent"]] in rows for row in parts)
    assert "v" in {one.name for one in findings(store, VIEWER, "orphan", now_ms=NOW).items}


def switch(name: str, address: str, serial: str, mac: str, spare: str, *, near: str | None = None) -> Observation:
    seen = [Relation("connects_to", End(address=near), from_=End(ref="if"))] if near else []
    return Observation(
        ref=name, class_="switch", address=address, identifiers={"serial": [serial], "mac": [mac]},
        attributes={"name": name}, relations=seen,
        components=[
            Component("if", "network_interface", "vlan1", attributes={"ip_addresses": [f"{spare}/24"]}),
        ],
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    told: tuple[bytes, ...]
    holds: Callable[[Store], None]


A, B = host("a", "10.0.0.1"), host("b", "10.0.0.2")
BY_GUEST, BY_HYPERVISOR = "BC4C4D56-A9C6-6919-3FEE-FA0F3887B6A5", "564d4cbc-c6a9-1969-3fee-fa0f3887b6a5"
CASES = {
    "cartography-cncf/cartography#379": Case(
        (scan("r1", 1, A, B), scan("r2", 2, scope="one", failed=True), ), lives("a", "b")
    ),
    "cartography-cncf/cartography#478": Case(
        (scan("r1", 1, A, scope="one"), scan("r2", 1, B, scope="two"), scan("r3", 2, scope="one")), lives("b")
    ),
    "cartography-cncf/cartography#587": Case(
        (scan("r1", 1, A, scope="one"), scan("r2", 2, scope="two", failed=True)), lives("a")
    ),
    "cartography-cncf/cartography#2658": Case(
        (
            scan("r1", 1, parted(("east", "/east"), ("west", "/west")), east="complete", west="complete"),
            scan("r2", 2, parted(("east", "/east")), east="complete", west="failed"),
        ),
        lambda store: _equal(living(store), {"h", "/east", "/west"}),
    ),
    "cartography-cncf/cartography#3035": Case(
        (
            scan("r1", 1, A, source="ssh"), scan("r2", 1, host("a", "10.0.0.1"), source="snmp"),
            scan("r3", 2, source="ssh"),
        ),
        lives("a"),
    ),
    "cartography-cncf/cartography#1366": Case(
        (
            scan("r1", 1, parted(("fs", "/"), ("fs", "/data")), HELD, fs="complete"),
            scan("r2", 2, parted(("fs", "/")), GUEST, fs="complete"),
        ),
        orphans_are_told,
    ),
    "nautobot/nautobot-app-ssot#787": Case(
        (scan("r1", 1, A, B), scan("r2", 2, A, source="snmp"), scan("r3", 3, source="snmp")), lives("a", "b")
    ),
    "netdisco/netdisco#311 #664 #1362": Case(
        (
            scan("r1", 1, at("d", "10.0.0.1", of(BOX, "serial"), os_name="Linux")),
            scan("r2", 2, at("d", "10.0.0.2", of(BOX, "serial"), os_name=""), scope="two"),
            scan("r3", 3, at("d", "10.0.0.1", of(BOX, "serial"), os_name="")),
        ),
        one_device,
    ),
    "glpi-project/glpi-agent#839": Case(
        (
            scan("r1", 1, at("vm", "10.0.0.1", {"uuid": [BY_GUEST]})),
            scan("r2", 2, Observation(ref="v", class_="virtual_machine", native_key="vm-1",
                                      identifiers={"uuid": [BY_HYPERVISOR]}), source="vcenter:prod"),
        ),
        lambda store: _equal(len(things(store)), 1),
    ),
    "fusioninventory/fusioninventory-for-glpi#878": Case(
        (
            scan("r1", 1, at("a", "10.0.0.1", BOX), at("b", "10.0.0.2", of(OTHER, uuid=BOX["uuid"]))),
            scan("r2", 2, at("a", "10.0.0.1", BOX), at("b", "10.0.0.2", of(OTHER, uuid=BOX["uuid"]))),
        ),
        two_and_a_task,
    ),
    "netdisco/netdisco#1110": Case(
        (
            scan("r1", 1, switch("s1", "10.0.0.1", "FOC1", "70:6d:15:00:00:01", "10.10.10.1"), source="snmp"),
            scan("r2", 1, switch("s2", "10.0.0.2", "FOC2", "70:6d:15:00:00:02", "10.10.10.1"), source="snmp",
                 scope="two"),
            scan("r3", 1, switch("s3", "10.0.0.3", "FOC3", "70:6d:15:00:00:03", "10.9.9.9", near="10.10.10.1"),
                 source="snmp", scope="three"),
        ),
        reported_and_not_linked,
    ),
}  # fmt: skip
BY_HAND = "netboxlabs/diode#548"


@pytest.mark.skipif(not FILE.exists(), reason=f"needs {FILE.name} beside the repository")
def test_every_reported_failure_is_here() -> None:
    told = {case["issue"] for case in json.loads(FILE.read_text())["cases"]}
    assert told == {*CASES, BY_HAND}


@pytest.mark.parametrize("issue", CASES)
def test_reported_failures_in_every_order(issue: str, tmp_path: Path) -> None:
    digests = set()
    for n, told in enumerate(permutations(CASES[issue].told)):
        store = SqliteStore(tmp_path / f"{n}.sqlite")
        digests.add(_taken(store, told, CASES[issue]))
        store.close()
    assert len(digests) == 1


@pytest.mark.neo4j
@pytest.mark.parametrize("issue", CASES)
def test_reported_failures_in_every_order_on_neo4j(
    issue: str, neo4j_server: Neo4jServer, neo4j_opener: Callable[[], Store], tmp_path: Path
) -> None:
    embedded = SqliteStore(tmp_path / "cmdb.sqlite")
    wanted = _taken(embedded, CASES[issue].told, CASES[issue])
    embedded.close()
    for told in permutations(CASES[issue].told):
        erase(neo4j_server.uri, neo4j_server.user, neo4j_server.password)
        store = neo4j_opener()
        assert _taken(store, told, CASES[issue]) == wanted
        store.close()


def _taken(store: Store, told: Iterable[bytes], case: Case) -> str:
    for body in told:
        ingest(store, body, CALLER, NOW)
    case.holds(store)
    return store.read(graph_digest)


ORDERS = [("r1", 2, "r2"), ("r2", 2, "r1"), ("r1", 4, "r2"), ("r2", 4, "r1"), ("r1", "r2", 4)]
"""The content of days 1 and 3, and on which day it was deleted by hand, in the order in which the server hears of them."""


@pytest.mark.parametrize("order", ORDERS, ids=str)
@pytest.mark.parametrize("hold_back", [False, True])
def test_what_was_deleted_by_hand_and_is_found_again_is_not_swallowed(
    either: Estate, hold_back: bool, order: tuple[str | int, ...]
) -> None:
    """netboxlabs/diode#548: the content found again is the very same. Found before it was deleted it stays deleted."""
    store = either.store
    for told in order:
        if isinstance(told, str):
            ingest(store, scan(told, 1 if told == "r1" else 3, A), CALLER, NOW)
        else:
            (ci,) = (row[0] for row in things(store, "a"))
            decide(store, "anna", "tombstone", {"sides": [[ci]], "hold_back": hold_back}, "sold", START + told * DAY)
            assert (living(store) == set()) is (told == 4 or order[0] == "r1" or hold_back)
    assert ("a" in living(store)) is (2 in order and not hold_back)


def test_one_device_found_at_two_addresses_at_once_is_one_ci(either: Estate) -> None:
    """netdisco/netdisco#664: found by two agents at the same moment."""
    told = [scan(f"r{n}", 1, at("d", f"10.0.0.{n}", of(BOX, "serial")), scope=f"s{n}") for n in range(1, 9)]
    agents = [threading.Thread(target=ingest, args=(either.store, body, CALLER, NOW)) for body in told]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join()
    assert len(things(either.store)) == 1
