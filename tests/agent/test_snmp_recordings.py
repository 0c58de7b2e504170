"""42 recorded devices and six recorded networks: what we read of them against what is known of them.

The recordings lie beside the repository and belong to others. What another tool reads differently, and why we keep to
ours, stands in ``DIFFERENT``; everything else must agree.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cmdb_agent.device import device_observation, guests, read_device
from cmdb_agent.interface_index import BRIDGE_PORTS, IF_TABLE, IFX_TABLE, LLDP_LOCAL_PORTS
from cmdb_agent.mibs import (
    arp,
    bridge,
    entity_mib,
    host_resources,
    if_mib,
    ip_mib,
    lldp,
    printer,
    q_bridge,
    tcp,
    vmware,
)
from cmdb_agent.mibs.cdp import CACHE_TABLE
from cmdb_agent.observation import Coverage, Observation, Relation, Sample
from cmdb_agent.smi import below, rows
from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import Content, encode_content
from tests.snmprec import Recording

SHARED = Path(__file__).parents[2] / "../shared/snmp"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="needs the recordings in ../shared/snmp")
DEVICES = sorted(path.stem for path in (SHARED / "devices").glob("*.snmprec"))
FIELDS = {
    "hardware": ("model_number",),
    "version": ("os_version", "firmware_version"),
    "serial": ("serial_number",),
}
DIFFERENT = {
    ("apc_smt750x-nmc2", "version"): "the firmware of the UPS, not that of its network card",
    (
        "fabos",
        "hardware",
    ): "the model is only a number that a list of Brocade's turns into a name; told is the part number",
    ("fortigate_60f3g4g", "hardware"): "told as the device writes it; the name of the shop is in no MIB",
    ("iosxe_c9400-svl", "hardware"): "the chassis, not its first line card",
    ("iosxe_c9400-svl", "serial"): "the chassis', not its first line card's",
    ("iosxr_ncs55a2", "serial"): "the chassis', not the route processor's",
    ("procurve", "hardware"): "the model of the stack's first member; 'Stack' is no model",
    ("windows_svr_2019_1809", "hardware"): "a processor's architecture is no model",
}
CLASSES = {
    "server": {"server", "hypervisor"}, "network": {"switch", "router"}, "power": {"ups", "pdu"},
    "wireless": {"wireless_ap"}, "firewall": {"firewall"}, "loadbalancer": {"load_balancer"},
    "storage": {"storage_device"}, "printer": {"printer"}, "management": {"server"},
}  # fmt: skip
TABLES = {
    "ifTable": IF_TABLE, "ifXTable": IFX_TABLE, "ifStackTable": if_mib.STACK_TABLE, "ipAddrTable": ip_mib.ADDR_TABLE,
    "ipAddressTable": ip_mib.ADDRESS_TABLE, "ipNetToMediaTable": arp.MEDIA_TABLE,
    "ipNetToPhysicalTable": arp.PHYSICAL_TABLE, "entPhysicalTable": entity_mib.PHYSICAL_TABLE,
    "entAliasMappingTable": entity_mib.ALIAS_TABLE, "cdpCacheTable": CACHE_TABLE, "lldpRemTable": lldp.REMOTE_TABLE,
    "lldpLocPortTable": LLDP_LOCAL_PORTS,
    "lldpV2RemTable": lldp.V2_REMOTE_TABLE, "lldpRemManAddrTable": lldp.ADDRESS_TABLE, "dot1dBasePortTable": BRIDGE_PORTS,
    "dot1dTpFdbTable": bridge.FORWARDING_TABLE, "dot1qTpFdbTable": q_bridge.FORWARDING_TABLE,
    "dot1qVlanStaticTable": q_bridge.STATIC_TABLE, "hrStorageTable": host_resources.STORAGE_TABLE,
    "hrDeviceTable": host_resources.DEVICE_TABLE, "hrSWInstalledTable": host_resources.SOFTWARE_TABLE,
    "prtMarkerSuppliesTable": printer.SUPPLIES_TABLE, "tcpConnectionTable": tcp.CONNECTION_TABLE,
    "vmwVmTable": vmware.VM_TABLE,
}  # fmt: skip


@cache
def seen(name: str) -> tuple[Mapping[Any, Any], Observation, list[Coverage], list[Sample]]:
    reading = read_device(Recording.of(SHARED / f"{name}.snmprec"))
    return reading.walks, *device_observation(reading.walks, reading.facts, "192.0.2.1")


@cache
def expected(name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SHARED / f"devices/{name}.json").read_text(encoding="utf-8"))
    return told


def verdict(name: str, field: str) -> str:
    """``none`` where nothing is known, ``exact``, ``part`` where one tells more than the other, else ``miss``."""
    known = expected(name)["sysinfo"][field]
    if not known:
        return "none"
    attributes = seen(f"devices/{name}")[1].attributes
    told = [str(attributes[attribute]) for attribute in FIELDS[field] if attribute in attributes]
    if known in told:
        return "exact"
    plain = [re.sub(r"[^a-z0-9]", "", value.lower()) for value in (known, *told)]
    return "part" if any(value and (value in plain[0] or plain[0] in value) for value in plain[1:]) else "miss"


def test_model_version_and_serial_number_are_found() -> None:
    score: Counter[tuple[str, str]] = Counter()
    missed = []
    for name in DEVICES:
        for field in FIELDS:
            found = verdict(name, field)
            score[field, found] += 1
            if found == "miss":
                missed.append((name, field))
    for field in FIELDS:
        print(field, {found: score[field, found] for found in ("exact", "part", "miss")})
    assert sorted(missed) == sorted(DIFFERENT)
    assert score["serial", "exact"] >= 30
    assert score["hardware", "exact"] + score["hardware", "part"] >= 33
    assert score["version", "exact"] + score["version", "part"] >= 38


@pytest.mark.parametrize("name", DEVICES)
def test_the_class_is_found(name: str) -> None:
    assert seen(f"devices/{name}")[1].class_ in CLASSES[expected(name)["sysinfo"]["type"]]


@pytest.mark.parametrize("name", DEVICES)
def test_interfaces(name: str) -> None:
    """By ifIndex: name, description, MAC address, and states, of all that stand in ifTable."""
    walks, observation, *_ = seen(f"devices/{name}")
    found = {c.attributes["if_index"]: c.attributes for c in observation.components if "if_index" in c.attributes}
    known = {row["ifIndex"]: row for row in expected(name)["interfaces"] if (row["ifIndex"],) in rows(walks, IF_TABLE)}
    assert known.keys() <= found.keys()
    states = {"ifAdminStatus": "admin_status", "ifOperStatus": "oper_status"}
    for index, row in known.items():
        for theirs, ours in states.items():
            if row.get(theirs) and ours in found[index]:
                assert found[index][ours] == row[theirs]
        if row.get("ifPhysAddress") and "mac_address" in found[index]:
            assert str(found[index]["mac_address"]).replace(":", "") == row["ifPhysAddress"]


@pytest.mark.parametrize("name", DEVICES)
def test_local_keys_are_unique(name: str) -> None:
    observation = seen(f"devices/{name}")[1]
    counts = Counter((c.class_, c.local_key) for c in observation.components)
    assert [key for key, count in counts.items() if count > 1] == []
    assert len({c.ref for c in observation.components}) == len(observation.components)


@pytest.mark.parametrize("name", DEVICES)
def test_addresses(name: str) -> None:
    found = ip_mib.addresses(seen(f"devices/{name}")[0])
    for row in expected(name)["ipv4"]:
        assert (row["ifIndex"], row["address"]) in found
        # None: the device tells no mask, or 0.0.0.0.
        assert found[row["ifIndex"], row["address"]] in (row["prefixlen"], None)


def counted(name: str, table: tuple[int, ...]) -> int:
    """Rows as they were counted in the recording: with a column that has a value of its own and no row, and with rows
    whose index was made unreadable (``10.xx.xx.1``), which no agent can serve."""
    walks = seen(f"devices/{name}")[0]
    entry = (*table, 1)
    without_index = any(len(varbind.oid) == len(entry) + 1 for varbind in below(walks, entry))
    lines = (SHARED / f"devices/{name}.snmprec").read_text(encoding="latin-1").splitlines()
    names = [line.partition("|")[0] for line in lines if line.startswith(".".join(map(str, entry)) + ".")]
    hidden = {tuple(oid.split(".")[len(entry) + 1 :]) for oid in names if re.search("[a-z]", oid)}
    return len(rows(walks, table)) + without_index + len(hidden)


@pytest.mark.parametrize("name", DEVICES)
def test_tables_have_every_row(name: str) -> None:
    wanted = {table: count for table, count in expected(name)["raw_table_rows"].items() if table in TABLES}
    assert {table: counted(name, TABLES[table]) for table in wanted} == wanted


def test_the_tables_that_are_not_compared_are_few() -> None:
    tables = Counter(table for name in DEVICES for table in expected(name)["raw_table_rows"])
    assert {table: count for table, count in tables.items() if table not in TABLES} == {
        "upsIdent": 1,
    }


@pytest.mark.parametrize("name", DEVICES)
def test_what_is_observed_is_declared_and_travels(name: str) -> None:
    _, observation, coverage, _ = seen(f"devices/{name}")
    known = classes()
    for class_, attributes in [
        (observation.class_, observation.attributes),
        *((c.class_, c.attributes) for c in observation.components),
    ]:
        assert [name for name in attributes if known[class_].attribute(name) is None] == []
    refs = {"", *(c.ref for c in observation.components)}
    ends = [
        end.ref for relation in observation.relations for end in (relation.from_, relation.to) if end.ref is not None
    ]
    assert set(ends) <= refs
    known_refs = {""}
    for component in observation.components:  # the server takes a component only after its parent
        assert component.parent in known_refs
        known_refs.add(component.ref)
    assert encode_content(Content(coverage=coverage, observations=[observation]))


@pytest.mark.parametrize("name", DEVICES)
def test_no_identifier_is_one_that_many_devices_share(name: str) -> None:
    identifiers = seen(f"devices/{name}")[1].identifiers
    for address in [*identifiers.get("mac", []), *identifiers.get("chassis_id", [])]:
        assert re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", address)
        assert address not in ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff")
        assert not address.startswith("00:00:5e:00:01")


def test_a_stack_has_the_serial_number_of_each_member() -> None:
    observation = seen("devices/ios_2960x")[1]
    assert observation.identifiers["serial"] == ["FCW1929B68S", "FCW1929B6BP", "FCW1931A06Z"]
    assert sum(c.class_ == "chassis" for c in observation.components) == 3


def test_the_guests_of_a_hypervisor() -> None:
    assert len(guests(seen("devices/vmware-esxi")[0], "192.0.2.1")) == 32


# --- networks ---


@pytest.mark.parametrize("name", ["nms003", "nms102", "nms4930"])
def test_networks_without_neighbours_are_read_whole(name: str) -> None:
    for path in sorted((SHARED / "topologies" / name).glob("*.snmprec")):
        _, observation, coverage, _ = seen(f"topologies/{name}/{path.stem}")
        assert all(item.status in ("complete", "unsupported") for item in coverage)
        assert observation.class_ in classes()
        assert not [relation for relation in observation.relations if relation.type == "connects_to"]


def test_two_rows_of_one_neighbour_and_a_device_id_of_six_octets() -> None:
    told = {name: _neighbours(f"topologies/nms7563/{name}") for name in ("switch02", "cisco01", "homeserver")}
    assert len(told["switch02"]) == 2
    for name, port in (("cisco01", "24"), ("homeserver", "7")):
        identifiers = told[name][0].to.identifiers
        assert identifiers is not None
        assert (identifiers["chassis_id"], identifiers["if_name"]) == (["00:1d:b3:c5:09:60"], [port])


def _neighbours(name: str) -> list[Relation]:
    return [relation for relation in seen(name)[1].relations if relation.type == "connects_to"]
