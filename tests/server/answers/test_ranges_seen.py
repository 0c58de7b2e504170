"""The ranges of an estate, as the health of the CMDB tells of them: from reports, imports and people's entries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_schemas.report import Component, Observation
from cmdb_server.answers.health import Finding, findings, health
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest import declare
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

AGENT, VIEWER = Caller("agent-1", "admin"), Viewer("ann", "reader")
HOUR = 3_600_000
NEVER, PARTLY = "range-never-scanned", "range-partly-scanned"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    yield opened
    opened.close()


def take(store: SqliteStore, id_: str, *seen: Observation, at: int = START, **told: Any) -> None:
    ingest(store, report(id_, at, seen, **told), AGENT, at)


def found(store: SqliteStore, check: str, now: int = START, **asked: Any) -> list[Finding]:
    return list(findings(store, VIEWER, check, limit=1000, now_ms=now, **asked).items)


def details(store: SqliteStore, check: str, now: int = START, **asked: Any) -> list[str]:
    return [one.detail for one in found(store, check, now, **asked)]


def router(*interfaces: str, name: str = "core", address: str = "10.0.0.1") -> Observation:
    parts = [
        Component(f"if:{at}", "network_interface", f"if{at}", attributes={"name": f"if{at}", "prefixes": [told]})
        for at, told in enumerate(interfaces)
    ]
    told = {"name": [name], "serial": [f"SN{name}"]}
    return Observation(name, "router", address=address, identifiers=told, attributes={"name": name}, components=parts)


def network(store: SqliteStore, prefix: str, **attributes: Any) -> str:
    told = {"name": prefix, "prefix": prefix, **attributes}
    return declare.create(store, "ann", "ip_network", told, now_ms=START).ci


def test_a_range_that_is_told_of_and_where_somebody_is_spoken_of(store: SqliteStore) -> None:
    take(store, "r1", router("10.0.0.1/24", "10.5.0.1/24", "10.6.0.1/24"), target="10.0.0.1", source="snmp")
    take(store, "r2", host("web", "10.0.0.2", uses=[("10.5.0.9", 5432), ("10.5.0.8", 80)]), target="10.0.0.2")
    (one,) = found(store, NEVER)
    assert one.detail == "10.5.0.0/24 at lab: 0 of 3 addresses seen there were scanned; the others told by web"
    assert (one.class_, one.name) == ("network_interface", "if1")
    take(store, "r3", target="10.5.0.8", at=START + 1, coverage={"scope": "failed"})
    assert found(store, NEVER, START + 1) == []
    (partly,) = details(store, PARTLY, START + 1)
    assert partly == "10.5.0.0/24 at lab: 1 of 3 addresses seen there were scanned; the others told by web"
    take(store, "r4", target="10.5.0.0/28", at=START + 2, coverage={"scope": "complete"})
    assert details(store, NEVER, START + 2) == details(store, PARTLY, START + 2) == []


def test_where_all_who_were_seen_are_scanned_nobody_is_unknown(store: SqliteStore) -> None:
    take(store, "r1", router("10.0.0.1/24", "10.5.0.1/24", "2001:db8:5::1/64"), target="10.0.0.1", source="snmp")
    take(store, "r2", router("10.0.0.2/24", "10.5.0.2/24", name="edge", address="10.0.0.2"), target="10.0.0.2")
    assert details(store, NEVER) == details(store, PARTLY) == []
    take(store, "r3", host("web", "10.0.0.3", uses=[("2001:DB8:5::9", 80)]), target="10.0.0.3")
    (one,) = details(store, NEVER)
    assert one.startswith("2001:db8:5::/64 at lab: 0 of 2 addresses")


def test_a_host_that_scans_itself_is_scanned_at_all_its_addresses(store: SqliteStore) -> None:
    told = host("web", "10.5.0.7", uses=[("10.5.0.9", 80)])
    own = Observation(told.ref, told.class_, None, None, told.identifiers, told.attributes, {}, told.components)
    other = Observation(
        "db", "server", None, None, {"serial": ["SNDB1"]}, {"name": "db", "ip_addresses": ["10.5.0.9"]}
    )  # fmt: skip
    take(store, "r1", own, target="local:agent-1")
    take(store, "r2", other, target="vm-list", source="vcenter")
    assert details(store, NEVER) == [] == details(store, PARTLY), "db is scanned, where is not known"
    take(store, "r3", host("?", "10.5.0.9", class_="unknown_device", identifiers={"mac": ["3c:ec:ef:00:00:99"]}),
         target="ping", source="icmp")  # fmt: skip
    assert details(store, NEVER) == []


def test_a_networks_own_ci_stands_for_it_with_its_owner(store: SqliteStore) -> None:
    ci = network(store, "10.5.0.0/24", managed_by_group="net")
    take(store, "r1", router("10.0.0.1/24", "10.5.0.1/24"), target="10.0.0.1", source="snmp")
    assert details(store, NEVER) == [], "nobody but the router, which was scanned"
    device = Observation(
        "x", "unknown_device", native_key="x", identifiers={"mac": ["3c:ec:ef:00:00:99"]},
        attributes={"ip_address": "10.5.0.9"},
    )  # fmt: skip
    take(store, "r2", device, target="arp-of-core", source="arp")
    (one,) = found(store, NEVER)
    assert (one.ci, one.class_) == (ci, "ip_network") and "told by arp arp-of-core" in one.detail
    assert "0 of 2" in one.detail
    figures = [one for one in health(store, VIEWER, now_ms=START).figures if one.check == NEVER and one.failing]
    assert [(one.class_, one.failing, one.of) for one in figures] == [("ip_network", 1, 1)]


def test_routing_domains_that_are_sites(store: SqliteStore) -> None:
    east = network(store, "10.5.0.0/24", network_id="east|10.5.0.0/24", routing_domain="east")
    west = network(store, "10.5.0.0/24", network_id="west|10.5.0.0/24", routing_domain="west")
    for site in ("east", "west"):
        one = host(f"web-{site}", "10.0.0.2", serial=f"S{site}", mac=f"3c:ec:ef:00:01:0{len(site) + (site == 'west')}",
                   uses=[("10.5.0.9", 80)])  # fmt: skip
        take(store, f"r-{site}", one, site=site, target="10.0.0.2")
    assert {one.ci for one in found(store, NEVER)} == {east, west}
    take(store, "r3", site="west", target="10.5.0.0/24", coverage={"scope": "complete"}, at=START + 1)
    assert {one.ci for one in found(store, NEVER, START + 1)} == {east}


def test_of_the_past(store: SqliteStore) -> None:
    take(store, "r1", router("10.0.0.1/24", "10.5.0.1/24"), target="10.0.0.1", source="snmp")
    take(store, "r2", host("web", "10.0.0.2", uses=[("10.5.0.9", 80)]), target="10.0.0.2", at=START + HOUR)
    take(store, "r3", target="10.5.0.0/24", coverage={"scope": "complete"}, at=START + 2 * HOUR)
    now = START + 3 * HOUR
    told = [len(found(store, NEVER, now, at=START + int((n + 0.5) * HOUR))) for n in range(3)]
    assert told == [0, 1, 0] and found(store, NEVER, now) == []
