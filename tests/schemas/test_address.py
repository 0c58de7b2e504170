from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_schemas.address import ip_address, mac_address


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("10.0.0.7", "10.0.0.7"), (" 10.0.0.7 ", "10.0.0.7"), ("10.0.0.7/24", "10.0.0.7/24"), ("10.0.0.7/024", "10.0.0.7/24"),
        ("2001:DB8:0:0:0:0:0:7", "2001:db8::7"), ("2001:db8::0007/64", "2001:db8::7/64"), ("FE80::1%eth0", "fe80::1%eth0"),
        ("fe80::1%2/64", "fe80::1%2/64"), ("::FFFF:10.0.0.7", "::ffff:10.0.0.7"), ("::ffff:a00:7", "::ffff:10.0.0.7"),
        ("::", "::"), ("not-an-ip", None), ("", None), ("10.0.0", None), ("10.0.0.256", None), ("010.0.0.1", None),
        ("10.0.0.7/33", None), ("10.0.0.7/", None), ("10.0.0.7/255.255.255.0", None), ("10.0.0.7/-1", None),
        ("10.0.0.7/२४", None), ("10.0.0.7%eth0", None), ("fe80::1%", None), ("fe80::1%a b", None), ("fe80:::1", None),
        ("db.example.net", None), ("10.0.0.7:80", None), ("[::1]", None),
    ],
)  # fmt: skip
def test_an_address_has_one_way_to_be_written(told: str, written: str | None) -> None:
    assert ip_address(told) == written


@given(st.ip_addresses())
def test_every_address_is_one_and_is_written_as_it_is_read_again(address: ipaddress.IPv4Address) -> None:
    written = ip_address(str(address))
    assert written is not None and ipaddress.ip_address(written) == address
    assert ip_address(written) == ip_address(address.exploded.upper()) == written


@given(st.text(max_size=60))
def test_whatever_it_is_it_is_read_or_refused(text: str) -> None:
    for read in (ip_address, mac_address):
        assert (found := read(text)) is None or read(found) == found


@pytest.mark.parametrize(
    ("told", "written"),
    [
        ("00:1B:21:3C:9D:00", "00:1b:21:3c:9d:00"), ("00-1b-21-3c-9d-00", "00:1b:21:3c:9d:00"),
        ("001b.213c.9d00", "00:1b:21:3c:9d:00"), ("001B213C9D00", "00:1b:21:3c:9d:00"), ("0:1b:21:3c:9d:0", "00:1b:21:3c:9d:00"),
        ("0x001b213c9d00", "00:1b:21:3c:9d:00"), ("02:00:5E:10:00:00:00:01", "02:00:5e:10:00:00:00:01"),
        ("-".join(["A0"] * 20), ":".join(["a0"] * 20)), ("00:1b:21:3c:9d", None), ("", None), ("eth0", None),
        ("00:1b:21:3c:9d:0g", None), (":".join(["a0"] * 7), None), ("10.0.0.7", None),
    ],
)  # fmt: skip
def test_a_hardware_address_has_one_way_to_be_written(told: str, written: str | None) -> None:
    assert mac_address(told) == written
