"""Both ends of a link, joined from what each device says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.links import Claim, Device, Link, LinkEnd, Port, links, plain

ONE = Device(
    "one",
    {"chassis_id": ["00:1b:21:00:00:01"], "name": ["sw1.example.net"], "management_address": ["10.0.0.1"]},
    (Port("Gi0/1", ("Gi0/1", "GigabitEthernet0/1")), Port("Gi0/2", ("Gi0/2", "GigabitEthernet0/2"))),
)
TWO = Device(
    "two",
    {"mac": ["00:1b:21:00:00:02", "00:1b:21:00:02:07"], "name": ["sw2"], "serial": ["FOC1"]},
    (Port("eth7", ("eth7",), mac="00:1b:21:00:02:07", index=7), Port("eth8", ("eth8",), index=8)),
)
BOTH = (ONE, TWO)


def claim(device: str, port: str, source: str = "LLDP", **identifiers: str) -> Claim:
    return Claim(device, port, {kind: [value] for kind, value in identifiers.items()}, source)


def link(a_port: str, b_port: str, *sources: str, both: bool = False) -> Link:
    return Link(LinkEnd("one", a_port), LinkEnd("two", b_port), sources or ("LLDP",), both)


@pytest.mark.parametrize(
    "identifiers",
    [
        {"chassis_id": "00:1b:21:00:00:02", "if_name": "eth7"},
        {"chassis_id": "00:1B:21:00:02:07", "if_name": "ETH7"},
        {"name": "SW2.example.net", "if_name": "eth7"},
        {"serial": "FOC1", "if_name": "7"},
        {"name": "sw2", "if_mac": "00:1b:21:00:02:07"},
        {"chassis_id": "00:1b:21:00:00:02", "name": "sw1", "if_name": "eth7"},
    ],
)
def test_the_far_end_is_found_by_whatever_tells_it(identifiers: dict[str, str]) -> None:
    assert links(BOTH, [claim("one", "Gi0/1", **identifiers)]).links == (link("Gi0/1", "eth7"),)


def test_what_both_ends_and_both_protocols_say_is_one_link() -> None:
    said = [
        claim("one", "Gi0/1", name="sw2", if_name="eth7"),
        claim("one", "Gi0/1", "CDP", serial="FOC1", if_name="eth7"),
        claim("two", "eth7", chassis_id="00:1b:21:00:00:01", if_name="GigabitEthernet0/1"),
    ]
    assert links(BOTH, said).links == (link("Gi0/1", "eth7", "CDP", "LLDP", both=True),)


def test_one_end_without_its_port_completes_what_the_other_says() -> None:
    said = [claim("one", "", name="sw2", if_name="eth7"), claim("two", "eth7", name="sw1", if_name="Gi0/1")]
    assert links(BOTH, said).links == (link("Gi0/1", "eth7", both=True),)


def test_between_two_links_a_claim_without_a_port_stays_as_it_is() -> None:
    said = [
        claim("one", "Gi0/1", name="sw2", if_name="eth7"), claim("one", "Gi0/2", name="sw2", if_name="eth8"),
        claim("one", "", name="sw2"),
    ]  # fmt: skip
    assert len(links(BOTH, said).links) == 3


def test_a_stranger_is_told_and_not_guessed() -> None:
    unknown = claim("one", "Gi0/1", chassis_id="00:1b:21:00:00:99", if_name="eth7")
    joined = links(BOTH, [unknown])
    assert (joined.links, joined.unresolved) == ((), (unknown,))


def test_what_two_devices_are_called_tells_neither() -> None:
    twin = Device("three", {"name": ["sw2"]})
    assert links([*BOTH, twin], [claim("one", "Gi0/1", name="sw2", if_name="eth7")]).links == ()


def test_a_stranger_that_tells_of_this_port_itself_is_that_neighbour() -> None:
    """A device whose chassis id nobody knows, but which said from its port eth7 that it sees this one."""
    said = [
        claim("two", "eth7", name="sw1", if_name="Gi0/1"),
        claim("one", "Gi0/1", chassis_id="00:99:00:00:00:01", if_name="eth7"),
    ]
    joined = links(BOTH, said)
    assert (joined.links, joined.unresolved) == ((link("Gi0/1", "eth7", both=True),), ())


def test_a_cable_from_a_device_to_itself_is_a_link_and_a_port_to_itself_is_not() -> None:
    assert links(BOTH, [claim("one", "Gi0/1", name="sw1", if_name="Gi0/2")]).links == (
        Link(LinkEnd("one", "Gi0/1"), LinkEnd("one", "Gi0/2"), ("LLDP",), False),
    )
    assert links(BOTH, [claim("one", "Gi0/1", name="sw1", if_name="Gi0/1")]).links == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GigabitEthernet0/1", "Gi0/1"), ("FastEthernet 0/19", "fa0/19"), ("Ethernet1/1", "Eth1/1"),
        ("Port-channel1", "Po1"), ("Serial0/0/0", "Se0/0/0"), ("eth0", "ETH0"),
    ],
)  # fmt: skip
def test_names_are_compared_in_their_plain_form(one: str, other: str) -> None:
    assert plain(one) == plain(other)


def test_different_ports_stay_different() -> None:
    assert len({plain(name) for name in ("Gi0/1", "Gi0/11", "Gi1/0/1", "Te0/1", "Fa0/1", "1", "ge-0/0/1")}) == 7


@given(st.integers(0, 10**6))
def test_the_order_of_devices_and_claims_changes_nothing(seed: int) -> None:
    said = [
        claim("one", "Gi0/1", name="sw2", if_name="eth7"), claim("one", "", "CDP", name="sw2", if_name="eth8"),
        claim("two", "eth8", name="sw1", if_name="Gi0/2"), claim("two", "eth7", chassis_id="00:99:00:00:00:01", if_name="Gi0/1"),
        claim("two", "", name="nobody"),
    ]  # fmt: skip
    expected = links(BOTH, said)
    order = random.Random(seed)
    devices = list(BOTH)
    order.shuffle(devices)
    order.shuffle(said)
    assert links(devices, said) == expected
