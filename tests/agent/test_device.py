"""One observation of a device: united, ordered, and the same as long as the device is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from cmdb_agent.device import REF, device_observation, guests, read_device
from cmdb_agent.observation import Component, Coverage, Observation, Sample, Varbind, Walk
from cmdb_agent.smi import oid
from cmdb_agent.transports.snmp import SnmpTarget, open_snmp
from cmdb_agent.transports.walker import Limits
from cmdb_schemas.report import Content, encode_content
from tests import snmpd
from tests.snmprec import Recording, rows_of

Seen = tuple[Observation, list[Coverage], list[Sample]]
ENTITY = "1.3.6.1.2.1.47.1.1.1.1"
SWITCH = [
    "1.3.6.1.2.1.1.1.0|4|Example OS, Version 3", "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9.1.1208", "1.3.6.1.2.1.1.3.0|67|100",
    "1.3.6.1.2.1.1.5.0|4|sw1", "1.3.6.1.2.1.1.7.0|2|6",
    "1.3.6.1.2.1.2.2.1.2.1|4|GigabitEthernet0/1", "1.3.6.1.2.1.2.2.1.6.1|4x|001b213c9d01",
    "1.3.6.1.2.1.2.2.1.10.1|65|1000", "1.3.6.1.2.1.31.1.1.1.1.1|4|Gi0/1",
    "1.3.6.1.2.1.4.20.1.2.10.0.0.1|2|1", "1.3.6.1.2.1.4.20.1.3.10.0.0.1|64|255.255.255.0",
    "1.3.6.1.2.1.17.1.1.0|4x|001b213c9d00", "1.3.6.1.2.1.17.1.4.1.2.1|2|1", "1.3.6.1.2.1.17.7.1.4.2.1.4.0.10|4x|80",
    "1.3.6.1.2.1.47.1.1.1.1.5.1|2|3", "1.3.6.1.2.1.47.1.1.1.1.11.1|4|FOC0000A001", "1.3.6.1.2.1.47.1.1.1.1.13.1|4|EX-24",
    "1.3.6.1.4.1.9.9.23.1.2.1.1.6.1.1|4|sw2", "1.3.6.1.4.1.9.9.23.1.2.1.1.7.1.1|4|Gi0/2",
]  # fmt: skip


def seen(rows: Sequence[str], limits: Limits | None = None) -> Seen:
    reading = read_device(Recording(rows_of(rows), limits))
    return device_observation(reading.walks, reading.facts, "10.0.0.1")


def content(device: Seen) -> bytes:
    return encode_content(Content(coverage=device[1], observations=[device[0]]))


def test_what_several_mibs_tell_of_one_interface_is_one_component() -> None:
    observation, _, _ = seen(SWITCH)
    assert [(component.local_key, component.section) for component in observation.components] == [("Gi0/1", "if_mib")]
    attributes = observation.components[0].attributes
    assert (attributes["mac_address"], attributes["prefixes"], attributes["vlans"]) == (
        "00:1b:21:3c:9d:01", ["10.0.0.1/24"], [10],
    )  # fmt: skip


def test_the_profile_counts_before_the_mibs_and_each_value_names_its_section() -> None:
    observation, _, _ = seen(SWITCH)
    assert observation.identifiers == {
        "mac": ["00:1b:21:3c:9d:00", "00:1b:21:3c:9d:01"], "name": ["sw1"], "serial": ["FOC0000A001"],
        "sys_object_id": ["1.3.6.1.4.1.9.1.1208"],
    }  # fmt: skip
    assert (observation.attributes["os_version"], observation.sections["os_version"]) == ("3", "profile")
    assert (observation.attributes["model_number"], observation.sections["model_number"]) == ("EX-24", "entity_mib")
    assert observation.attributes["ip_address"] == observation.address == "10.0.0.1"


def test_a_neighbour_is_a_relation_of_the_port() -> None:
    observation, _, _ = seen(SWITCH)
    (link,) = observation.relations
    assert (link.type, link.from_.ref, link.section) == ("connects_to", "network_interface:Gi0/1", "cdp")
    assert link.to.identifiers == {"name": ["sw2"], "if_name": ["Gi0/2"]}


def test_a_part_comes_after_what_it_stands_in() -> None:
    """A fan sorts before the power supply that holds it, and the server takes no part whose parent it does not know."""
    parts = [(1, 3, 0, "Chassis"), (2, 6, 1, "PSU 1"), (3, 7, 2, "Fan 1")]
    rows = [
        row for index, kind, above, name in parts
        for row in (f"{ENTITY}.5.{index}|2|{kind}", f"{ENTITY}.4.{index}|2|{above}", f"{ENTITY}.7.{index}|4|{name}")
    ]  # fmt: skip
    told = [(component.ref, component.parent) for component in seen([*SWITCH, *rows])[0].components]
    assert ("fan:Fan 1", "power_supply:PSU 1") in told
    assert told.index(("fan:Fan 1", "power_supply:PSU 1")) > [ref for ref, _ in told].index("power_supply:PSU 1")


def test_what_moves_is_a_sample_and_the_content_stays_the_same() -> None:
    moved = [
        "1.3.6.1.2.1.1.3.0|67|999999", "1.3.6.1.2.1.2.2.1.10.1|65|777", "1.3.6.1.2.1.17.4.3.1.2.0.27.33.60.157.9|2|1",
        "1.3.6.1.2.1.4.22.1.2.1.10.0.0.9|4x|001b213c9d09",
    ]  # fmt: skip
    before, after = seen(SWITCH), seen([*moved, *SWITCH])
    names = {sample.name for sample in after[2]}
    assert names == {
        "system.uptime", "system.network.io.receive", "arp.entries", "bridge.forwarding.entries",
    }  # fmt: skip
    assert {sample.ref for sample in after[2]} == {REF}
    # That a table begins to have rows is told by its coverage; the observation does not change.
    assert encode_content(Content(observations=[before[0]])) == encode_content(Content(observations=[after[0]]))
    assert content(before) == content(seen(SWITCH))


def test_only_attributes_that_the_class_has_are_told() -> None:
    printer = [
        "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.11.2.3.9.1",
        "1.3.6.1.2.1.1.7.0|2|64",
        "1.3.6.1.2.1.43.5.1.1.17.1|4|VNC0001",
    ]
    observation, _, _ = seen(printer)
    assert observation.class_ == "printer"
    assert "system_services" not in observation.attributes
    assert observation.attributes["serial_number"] == "VNC0001"


@pytest.mark.parametrize(
    ("rows", "class_"),
    [
        (["1.3.6.1.2.1.1.7.0|2|2"], "switch"),
        (["1.3.6.1.2.1.1.7.0|2|78", "1.3.6.1.2.1.17.1.4.1.2.1|2|1", "1.3.6.1.2.1.17.1.4.1.2.2|2|2"], "switch"),
        (["1.3.6.1.2.1.1.7.0|2|4", "1.3.6.1.2.1.4.1.0|2|1"], "router"),
        (["1.3.6.1.2.1.1.7.0|2|72"], "server"),
        (["1.3.6.1.2.1.1.7.0|2|4"], "unknown_device"),
        ([], "unknown_device"),
    ],
)
def test_a_device_no_profile_knows_is_told_by_what_it_does(rows: list[str], class_: str) -> None:
    unknown = ["1.3.6.1.2.1.1.1.0|4|Example 1", "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.1"]
    assert seen([*unknown, *rows])[0].class_ == class_


def statuses(device: Seen) -> dict[str, str]:
    return {coverage.section: coverage.status for coverage in device[1]}


def test_coverage_tells_what_was_read_what_is_not_there_and_what_was_cut_off() -> None:
    whole = statuses(seen(SWITCH))
    assert (whole["if_mib"], whole["entity_mib"], whole["printer"]) == ("complete", "complete", "unsupported")
    cut = seen(SWITCH, Limits(rows=2))
    assert statuses(cut)["if_mib"] == "truncated"
    assert "1.3.6.1.2.1.2.2" in next(coverage.detail for coverage in cut[1] if coverage.section == "if_mib")


class Deaf(Recording):
    """Answers everything but one table."""

    def walk(self, root: tuple[int, ...]) -> Walk:
        return Walk(root, (), "timeout", "no answer") if root == oid("1.3.6.1.2.1.47.1.1.1") else super().walk(root)


def test_a_table_that_fails_is_part_of_the_reading() -> None:
    reading = read_device(Deaf(rows_of(SWITCH)))
    device = device_observation(reading.walks, reading.facts, "10.0.0.1")
    assert statuses(device)["entity_mib"] == "timeout"
    assert [component.local_key for component in device[0].components] == ["Gi0/1"]


def test_the_guests_of_a_hypervisor_are_observations_of_their_own() -> None:
    column = "1.3.6.1.4.1.6876.2.1.1"
    rows = [
        f"{column}.2.7|4|web1", f"{column}.4.7|4|E: tools not running", f"{column}.5.7|2|2048", f"{column}.6.7|4|poweredOn",
        f"{column}.9.7|2|2", f"{column}.10.7|4|420753F9-D904-E5E6-DA53-D75590BDE424", f"{column}.2.8|4|no uuid",
    ]  # fmt: skip
    (guest,) = guests(read_device(Recording(rows_of(rows))).walks, "10.0.0.1")
    assert guest.identifiers == {"uuid": ["420753f9-d904-e5e6-da53-d75590bde424"], "label": ["web1"]}
    assert guest.attributes["power_state"] == "running"
    assert guest.attributes["memory"] == {"value": 2**31, "unit": "By"}
    assert "guest_os" not in guest.attributes
    assert [(relation.type, relation.to.address) for relation in guest.relations] == [("virtualized_by", "10.0.0.1")]


def test_every_value_travels() -> None:
    """What is observed can be written and read again, whatever octets a device sends."""
    odd = [Varbind(oid(f"1.3.6.1.2.1.2.2.1.2.{n}"), bytes([n, 0xC3, 0x28, 0]), "string") for n in range(1, 256)]
    reading = read_device(Recording([*rows_of(SWITCH), *odd]))
    observation, coverage, _ = device_observation(reading.walks, reading.facts, "10.0.0.1")
    raw = encode_content(Content(coverage=coverage, observations=[observation]))
    assert msgspec.json.decode(raw, type=Content).observations == [observation]


# --- a real Linux host ---


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if not snmpd.SNMPD:
        pytest.skip("snmpd is not installed (Debian package snmpd)")
    with snmpd.running(tmp_path_factory.mktemp("snmpd"), "web1.example.net") as port:
        yield port


def over_the_wire(port: int, **ways: object) -> Seen:
    target = SnmpTarget("127.0.0.1", port, snmpd.COMMUNITY)
    transport = open_snmp(target, **ways)  # type: ignore[arg-type]
    try:
        reading = read_device(transport)
    finally:
        transport.close()
    return device_observation(reading.walks, reading.facts, "127.0.0.1")


def interfaces(observation: Observation) -> dict[str, Component]:
    return {c.local_key: c for c in observation.components if c.class_ == "network_interface"}


def test_a_linux_host_is_a_server_with_the_interfaces_that_it_names_itself(port: int) -> None:
    observation, coverage, samples = over_the_wire(port)
    assert observation.class_ == "server"
    assert observation.identifiers["name"] == ["web1.example.net"]
    assert observation.attributes["os_name"] == "Linux"
    own = {path.name: (path / "address").read_text().strip() for path in Path("/sys/class/net").iterdir()}
    found = interfaces(observation)
    assert set(own) <= set(found)
    zero = "00:00:00:00:00:00"
    assert {name: found[name].attributes.get("mac_address", zero) for name in own if ":" in own[name]} == {
        name: address for name, address in own.items() if ":" in address
    }
    assert all(item.status in ("complete", "unsupported") for item in coverage)
    assert {"system.uptime", "system.memory.usage"} <= {sample.name for sample in samples}


def test_two_scans_by_either_library_give_the_same_observation(port: int) -> None:
    pytest.importorskip("gufo.snmp", reason="gufo-snmp is not installed")
    one, other = (over_the_wire(port, library=library)[0] for library in ("gufo", "pysnmp"))
    assert msgspec.json.encode(one) == msgspec.json.encode(other)
