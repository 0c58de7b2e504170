"""Values as the textual conventions mean them, and as devices break them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_agent import smi
from cmdb_agent.observation import Varbind, Walk

TABLE = smi.oid("1.3.6.1.2.1.2.2")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"eth0", "eth0"),
        (b"Comware\0\0\0", "Comware"),
        (b"Serial\0\x17\xffjunk", "Serial"),
        ("Zürich".encode(), "Zürich"),
        ("Zürich".encode("latin-1"), "Zürich"),
        (b"  one\r\n two\x07 ", "one\n two"),
        (b"", ""),
        (None, ""),
        (17, "17"),
    ],
)
def test_text(value: smi.Raw, text: str) -> None:
    assert smi.text(value) == text


@pytest.mark.parametrize(
    ("value", "mac"),
    [
        (b"\x00\x1b\x21\x3c\x9d\xf8", "00:1b:21:3c:9d:f8"),
        (b"abcdef", None),  # the first octet is odd: a group's
        (b"bbcdef", "62:62:63:64:65:66"),
        (b"00:1B:21:3C:9D:F8", "00:1b:21:3c:9d:f8"),
        (b"00-1b-21-3c-9d-f8", "00:1b:21:3c:9d:f8"),
        (b"001b.213c.9df8", "00:1b:21:3c:9d:f8"),
        (b"001B213C9DF8", "00:1b:21:3c:9d:f8"),
        (b"\x00\x1b\x21\x3c\x9d\xf8\0\0", "00:1b:21:3c:9d:f8"),
        (b"\x00\x1b\x21\x3c\x9d\xf8\x01\x02", None),
        (b"\0" * 6, None),
        (b"\xff" * 6, None),
        (b"\x01\x00\x5e\x00\x00\x01", None),
        (b"\x00\x1b\x21", None),
        (b"", None),
        (0, None),
        (None, None),
    ],
)
def test_mac(value: smi.Raw, mac: str | None) -> None:
    assert smi.mac(value) == mac


@pytest.mark.parametrize(
    ("mac", "is_group"),
    [
        ("00:00:5e:00:01:0a", True),
        ("00:00:0c:07:ac:01", True),
        ("00:00:0c:9f:f0:01", True),
        ("00:00:0c:11:22:33", False),
    ],
)
def test_is_group_mac(mac: str, is_group: bool) -> None:
    assert smi.is_group_mac(mac) is is_group


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), (b"42", 42), (b" 42\0", 42), (b"4.2", None), (b"", None), (None, None), (b"9" * 40, None)],
)
def test_number(value: smi.Raw, number: int | None) -> None:
    assert smi.number(value) == number


@pytest.mark.parametrize(
    ("kind", "octets", "address"),
    [
        (1, (10, 0, 0, 1), "10.0.0.1"),
        (2, (0x20, 1, 0xD, 0xB8, *([0] * 11), 1), "2001:db8::1"),
        (3, (10, 0, 0, 1, 0, 0, 0, 7), "10.0.0.1"),
        (4, (0xFE, 0x80, *([0] * 13), 1, 0, 0, 0, 7), "fe80::1"),
        (16, (104, 105), None),
        (1, (10, 0, 0), None),
        (None, (10, 0, 0, 1), None),
    ],
)
def test_inet_address(kind: int | None, octets: tuple[int, ...], address: str | None) -> None:
    assert smi.inet_address(kind, octets) == address


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (bytes([7, 0xE9, 3, 1, 0, 0, 0, 0]), "2025-03-01"),
        (bytes([7, 0xE9, 3, 1, 0, 0, 0, 0, 43, 2, 0]), "2025-03-01"),
        (bytes(8), None),
        (bytes([7, 0xE9, 13, 1, 0, 0, 0, 0]), None),
        (b"\x07", None),
        (None, None),
    ],
)
def test_date(value: smi.Raw, date: str | None) -> None:
    assert smi.date(value) == date


def test_ip_reads_octets_and_text() -> None:
    assert smi.ip(b"\x0a\0\0\1") == smi.ip("10.0.0.1") == smi.ip(b"10.0.0.1") == "10.0.0.1"
    assert smi.ip(b"\xfe\x80" + b"\0" * 13 + b"\1") == smi.ip("fe80::1%eth0") == "fe80::1"
    assert smi.ip(b"nonsense") is None


def test_counted_takes_the_length_at_its_word() -> None:
    assert smi.counted((4, 10, 0, 0, 1, 80)) == ((10, 0, 0, 1), (80,))
    assert smi.counted(()) == ((), ())


def test_last_arc() -> None:
    assert smi.last_arc("1.3.6.1.2.1.25.2.1.4") == 4
    assert smi.last_arc(None) is None
    assert smi.last_arc(b"text") is None


def walks() -> dict[smi.OID, Walk]:
    cells = [((*TABLE, 1, 2, 7), b"b"), ((*TABLE, 1, 2, 3), b"a"), ((*TABLE, 1, 5, 3), 10), ((*TABLE, 1, 2), 0)]
    scalars = [((1, 3, 6, 1, 2, 1, 1, 5, 0), b"name")]
    varbinds = tuple(Varbind(oid, value, "") for oid, value in [*scalars, *cells])
    return {(1, 3, 6, 1, 2, 1): Walk((1, 3, 6, 1, 2, 1), varbinds, "complete")}


def test_rows_and_scalars_come_from_the_walk_that_covers_them() -> None:
    assert smi.rows(walks(), TABLE) == {(3,): {2: b"a", 5: 10}, (7,): {2: b"b"}}
    assert smi.scalar(walks(), smi.oid("1.3.6.1.2.1.1.5")) == b"name"
    assert smi.scalar(walks(), smi.oid("1.3.6.1.2.1.1.6")) is None
    assert smi.rows({}, TABLE) == {}


@given(st.one_of(st.binary(max_size=24), st.integers(), st.text(max_size=12), st.none()))
def test_nothing_a_device_sends_is_an_error(value: smi.Raw) -> None:
    smi.text(value), smi.mac(value), smi.number(value), smi.ip(value), smi.date(value), smi.last_arc(value)


def test_digits_that_are_no_numbers_and_days_that_are_none() -> None:
    assert smi.last_arc("1.3.\u00b2") is None
    assert smi.date(bytes([0x07, 0xEA, 2, 28, 0, 0, 0, 0])) == "2026-02-28"
    assert smi.date(bytes([0x07, 0xEA, 2, 30, 0, 0, 0, 0])) is None
