"""Which range an address belongs to, and whether a scan set out for it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.answers.ranges import Ranges, network_of, target_network
from cmdb_server.ingest.sighting import EVERYWHERE


def ranges(*networks: str, targets: tuple[str, ...] = (), seen: tuple[str, ...] = (), site: str = "lab") -> Ranges:
    made = Ranges()
    for text in networks:
        network, _, where = text.partition("@")
        made.network(ip_network(network), where or site, text)
    for text in targets:
        made.target(text, site)
    for text in seen:
        made.address(text, site, ["core"], scanned=False, known=False)
    return made


def told(made: Ranges) -> dict[str, tuple[int, int, bool]]:
    return {one.ci: (len(one.seen), len(one.scanned), one.entered) for one in made.every()}


@pytest.mark.parametrize(
    ("targets", "scanned", "entered"),
    [((), 0, False), (("10.5.0.0/24",), 2, True), (("10.0.0.0/8",), 2, True), (("10.5.0.0/29",), 1, True),
     (("10.5.0.7",), 1, True), (("10.5.0.7:2222",), 1, True), (("10.5.0.200",), 0, True),
     (("10.5.1.0/24", "vcenter-1", "local:agent-1"), 0, False)],
)  # fmt: skip
def test_how_much_of_a_range_a_scan_set_out_for(targets: tuple[str, ...], scanned: int, entered: bool) -> None:
    made = ranges("10.5.0.0/24", targets=targets, seen=("10.5.0.7", "10.5.0.77", "10.6.0.1"))
    assert told(made) == {"10.5.0.0/24": (2, scanned, entered)}


@pytest.mark.parametrize(
    ("target", "scanned"), [("2001:db8:5::/64", 1), ("[2001:db8:5::7]:22", 1), ("2001:db8:5::7", 1), ("10.5.0.0/24", 0)]
)
def test_of_the_other_version_of_ip(target: str, scanned: int) -> None:
    made = ranges("2001:db8:5::/64", targets=(target,), seen=("2001:DB8:5:0::7", "fe80::7%eth0"))
    assert told(made) == {"2001:db8:5::/64": (1, scanned, bool(scanned))}


def test_the_narrowest_range_has_an_address_and_a_target() -> None:
    nets = ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24")
    made = ranges(*nets, targets=("10.1.2.0/25",), seen=("10.1.2.3", "10.1.2.200", "10.1.9.9", "10.9.9.9"))
    assert told(made) == {nets[0]: (1, 0, False), nets[1]: (1, 0, False), nets[2]: (2, 1, True)}


def test_each_site_has_ranges_and_scans_of_its_own() -> None:
    made = ranges("10.5.0.0/24@a", "10.5.0.0/24@b")
    made.target("10.5.0.0/24", "a")
    for site in ("a", "b"):
        made.address("10.5.0.7", site, [], scanned=False, known=False)
    assert told(made) == {"10.5.0.0/24@a": (1, 1, True), "10.5.0.0/24@b": (1, 0, False)}
    made.address("10.5.0.9", EVERYWHERE, [], scanned=False, known=False)
    assert sum(seen for seen, _, _ in told(made).values()) == 2, "nobody knows at which of the two"


def test_what_holds_everywhere_stands_for_what_no_site_has_itself() -> None:
    made = ranges(f"10.5.0.0/24@{EVERYWHERE}", "10.5.0.0/24@a")
    made.target("10.5.0.7", "a")
    made.address("10.5.0.7", "a", [], scanned=False, known=False)
    made.address("10.5.0.8", EVERYWHERE, [], scanned=False, known=False)
    assert told(made) == {f"10.5.0.0/24@{EVERYWHERE}": (2, 1, True)}


@pytest.mark.parametrize("text", ["127.0.0.0/8", "169.254.0.0/16", "fe80::/64", "10.0.0.1/32", "0.0.0.0/0", "ff00::/8"])
def test_what_nobody_could_scan_is_no_range(text: str) -> None:
    made = ranges(text, seen=(str(ip_network(text)[0]),))
    assert told(made) == {}


@pytest.mark.parametrize("text", [None, 7, "10.0.0.1", "10.0.0.0/33", "/", "x/24"])
def test_no_network(text: Any) -> None:
    assert network_of(text) is None


@pytest.mark.parametrize(
    "text", ["local:agent", "web01", "web01:22", "", "[", "vcenter-1", "10.0.0.1-20", ":", "::1:x"]
)
def test_no_target_of_addresses(text: str) -> None:
    assert target_network(text) is None


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(25, 31)), max_size=8),
    st.lists(st.tuples(st.integers(0, 255), st.integers(24, 32)), max_size=6),
    st.lists(st.integers(0, 255), max_size=20),
)
def test_the_same_as_by_trying_every_network(
    nets: list[tuple[int, int]], targets: list[tuple[int, int]], seen: list[int]
) -> None:
    networks = {str(ip_network(f"10.0.0.{at}/{length}", strict=False)) for at, length in nets}
    swept = {ip_network(f"10.0.0.{at}/{length}", strict=False) for at, length in targets}
    made = ranges(*sorted(networks), targets=tuple(map(str, swept)), seen=tuple(f"10.0.0.{at}" for at in seen))
    for one in made.every():
        inside = {ip_address(f"10.0.0.{at}") for at in seen}
        narrower = [ip_network(net) for net in networks if ip_network(net).prefixlen > one.network.prefixlen]
        mine = {a for a in inside if a in one.network and not any(a in net for net in narrower)}
        assert {number for _, number in one.seen} == {int(a) for a in mine}
        assert {number for _, number in one.scanned} == {int(a) for a in mine if any(a in net for net in swept)}
