"""Three numberings of the same ports, and names that are not unique."""

from __future__ import annotations

from cmdb_agent.interface_index import Ports
from tests.snmprec import Recording, rows_of

IF_DESCR, IF_MAC, IF_NAME, IF_ALIAS = (
    "1.3.6.1.2.1.2.2.1.2", "1.3.6.1.2.1.2.2.1.6", "1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.31.1.1.1.18",
)  # fmt: skip
BRIDGE_INDEX = "1.3.6.1.2.1.17.1.4.1.2"
PORT_SUBTYPE, PORT_ID, PORT_DESCR = (f"1.0.8802.1.1.2.1.3.7.1.{column}" for column in (2, 3, 4))


def ports(*lines: str) -> Ports:
    recording = Recording(rows_of(lines))
    return Ports({root: recording.walk(root) for root in ((1, 3, 6, 1, 2, 1), (1, 0, 8802))})


def switch(*lines: str) -> Ports:
    """Ports 1 and 2 are the interfaces 10101 and 10102."""
    return ports(
        f"{IF_DESCR}.10101|4|GigabitEthernet0/1", f"{IF_DESCR}.10102|4|GigabitEthernet0/2",
        f"{IF_NAME}.10101|4|Gi0/1", f"{IF_NAME}.10102|4|Gi0/2", f"{IF_ALIAS}.10101|4|to the core",
        f"{IF_MAC}.10101|4x|001b213c9d01", f"{IF_MAC}.10102|4x|001b213c9d02",
        f"{BRIDGE_INDEX}.1|2|10101", f"{BRIDGE_INDEX}.2|2|10102", *lines,
    )  # fmt: skip


def test_the_key_is_the_name_that_the_host_itself_uses() -> None:
    found = ports(f"{IF_DESCR}.2|4|Intel Corporation 82540EM", f"{IF_NAME}.2|4|eth0")
    assert [(port.key, port.ref) for port in found.by_index.values()] == [("eth0", "network_interface:eth0")]


def test_without_ifxtable_the_description_is_the_key() -> None:
    assert ports(f"{IF_DESCR}.1|4|Port 1").by_index[1].key == "Port 1"


def test_rows_of_ifxtable_without_one_in_iftable_are_no_interfaces() -> None:
    found = ports(f"{IF_DESCR}.1|4|one", f"{IF_NAME}.1|4|1/1", f"{IF_NAME}.99|4|1/99")
    assert list(found.by_index) == [1]


def test_only_names_given_twice_get_the_index() -> None:
    found = ports(f"{IF_DESCR}.1|4|port", f"{IF_DESCR}.2|4|port", f"{IF_DESCR}.3|4|uplink", f"{IF_DESCR}.4|4|")
    assert [port.key for port in found.by_index.values()] == ["port#1", "port#2", "uplink", "#4"]


def key(found: Ports, lldp_port: int) -> str | None:
    port = found.local(lldp_port)
    return port.key if port else None


def test_an_lldp_port_is_found_by_name_description_alias_or_mac_address() -> None:
    found = switch(
        f"{PORT_SUBTYPE}.7|2|5", f"{PORT_ID}.7|4|Gi0/2",
        f"{PORT_SUBTYPE}.8|2|7", f"{PORT_ID}.8|4|17", f"{PORT_DESCR}.8|4|GigabitEthernet0/1",
        f"{PORT_SUBTYPE}.9|2|1", f"{PORT_ID}.9|4|to the core",
        f"{PORT_SUBTYPE}.10|2|3", f"{PORT_ID}.10|4x|001b213c9d02",
    )  # fmt: skip
    assert [key(found, number) for number in (7, 8, 9, 10)] == ["Gi0/2", "Gi0/1", "Gi0/1", "Gi0/2"]


def test_an_lldp_port_that_tells_no_name_is_a_bridge_port_before_it_is_an_ifindex() -> None:
    found = switch(f"{PORT_SUBTYPE}.2|2|7", f"{PORT_ID}.2|4|?")
    assert key(found, 2) == "Gi0/2"
    assert key(found, 10101) == "Gi0/1"
    assert key(found, 77) is None


def test_a_mac_address_on_two_interfaces_tells_neither() -> None:
    found = switch(
        f"{IF_DESCR}.5|4|mgmt", f"{IF_MAC}.5|4x|001b213c9d02", f"{PORT_SUBTYPE}.1|2|3", f"{PORT_ID}.1|4x|001b213c9d02"
    )
    assert key(found, 1) is None


def test_a_device_without_iftable_names_its_ports_by_lldp() -> None:
    found = ports(
        f"{PORT_SUBTYPE}.8|2|5",
        f"{PORT_ID}.8|4|Fa0/8",
        f"{PORT_SUBTYPE}.2|2|3",
        f"{PORT_ID}.2|4x|001b213c9d02",
        f"{PORT_DESCR}.2|4|eth0",
    )
    assert [key(found, number) for number in (8, 2)] == ["Fa0/8", "eth0"]
