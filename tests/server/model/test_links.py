"""By which names a neighbour is looked for, and which of its ports is meant."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.links import Port, called, entries, meant, narrowed, plain

PORTS = (
    Port("7", ("eth7", "uplink"), mac="00:1b:21:00:02:07", index=7), Port("8", ("eth8", "uplink"), index=8),
    Port("1", ("Gi0/1", "GigabitEthernet0/1"), index=10101),
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ({"if_name": ["ETH7"]}, "7"), ({"if_name": ["gigabitethernet 0/1"]}, "1"), ({"if_name": ["8"]}, "8"),
        ({"if_mac": ["00:1B:21:00:02:07"], "if_name": ["eth8"]}, "7"), ({"if_name": ["unheard of", "eth8"]}, "8"),
    ],
)  # fmt: skip
def test_a_port_is_found_by_whatever_tells_it(told: dict[str, list[str]], key: str) -> None:
    assert meant(PORTS, told) == key


@pytest.mark.parametrize("told", [{"if_name": ["uplink"]}, {"if_name": ["eth9"]}, {}])
def test_what_two_ports_are_called_or_none_tells_neither(told: dict[str, list[str]]) -> None:
    assert meant(PORTS, told) == ""


@given(st.integers(0, 10**6))
def test_the_order_of_ports_changes_nothing(seed: int) -> None:
    ports = random.Random(seed).sample(PORTS, len(PORTS))
    assert meant(ports, {"if_name": ["uplink", "10101", "eth8"]}) == "8"


def test_a_device_is_looked_for_by_its_strongest_name_first() -> None:
    told = {
        "name": ["SW2.example.net"], "management_address": ["10.0.0.2"], "chassis_id": ["001b.2100.0002"],
        "if_name": ["eth7"], "if_mac": ["00:1b:21:00:02:07"],
    }  # fmt: skip
    assert entries(told, "lab") == [
        ("chassis_id", "00:1b:21:00:00:02"), ("mac", "00:1b:21:00:00:02"), ("address", "lab|10.0.0.2"),
        ("name", "sw2.example.net"), ("fqdn", "sw2.example.net"), ("name", "sw2"),
    ]  # fmt: skip


def test_a_short_name_is_looked_for_among_the_names_of_its_site_first() -> None:
    assert entries({"name": ["SW2"]}, "lab") == [("host", "lab|sw2"), ("name", "sw2")]
    assert entries({"fqdn": ["sw2.example.net"]}, "lab") == [("fqdn", "sw2.example.net"), ("name", "sw2.example.net")]
    assert set(called({"name": ("sw2",), "fqdn": ("sw2.example.net", "s.example.org")}, "lab")) == {
        ("host", "lab|sw2"), ("host", "lab|s"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("before", "found", "left"),
    [
        ("", "", ""), ("", "ab", "ab"), ("ab", "", "ab"), ("ab", "a", "a"), ("ab", "ca", "a"), ("ab", "c", "ab"),
        ("abc", "bc", "bc"),
    ],
)  # fmt: skip
def test_a_weaker_name_narrows_and_never_points_past_a_stronger_one(before: str, found: str, left: str) -> None:
    assert narrowed(before, found) == list(left)


def test_a_port_alone_names_no_device() -> None:
    assert entries({"if_name": ["eth7"], "if_mac": ["00:1b:21:00:02:07"]}, "lab") == []


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
