"""Reads values as SNMP's textual conventions mean them (SNMPv2-TC, INET-ADDRESS-MIB), and rows as their tables.

Devices break every one of the conventions: text padded with NUL or followed by junk, text that is not UTF-8, MAC
addresses written out as text, lengths that are wrong. What cannot be read is None, never an error.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence

from cmdb_agent.observation import Varbind, Walk

OID = tuple[int, ...]
Walks = Mapping[OID, Walk]
Raw = bytes | int | str | None
Row = Mapping[int, Raw]
"""One row of a table: column number -> value."""

_HEX_MAC = re.compile(r"[0-9A-Fa-f]{2}([:\-. ]?)(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}")
_CISCO_MAC = re.compile(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]+")
_GROUP_MACS = (
    b"\x00\x00\x5e\x00\x01", b"\x00\x00\x5e\x00\x02",  # VRRP for IPv4 and IPv6
    b"\x00\x00\x0c\x07\xac", b"\x00\x00\x0c\x9f", b"\x00\x05\x73\xa0",  # HSRP, versions 1 and 2, and for IPv6
    b"\x00\x07\xb4",  # GLBP
)  # fmt: skip


def oid(dotted: str) -> OID:
    return tuple(int(arc) for arc in dotted.strip(".").split("."))


def rows(walks: Walks, table: OID) -> dict[OID, dict[int, Raw]]:
    """The rows of a table by their index, in the index's order. ``table`` is the OID of the table, not of its
    entry; its walk may be that of any OID above it."""
    entry = (*table, 1)
    found: dict[OID, dict[int, Raw]] = {}
    for varbind in below(walks, entry):
        if len(varbind.oid) > len(entry) + 1:
            found.setdefault(varbind.oid[len(entry) + 1 :], {})[varbind.oid[len(entry)]] = varbind.value
    return dict(sorted(found.items()))


def below(walks: Walks, root: OID) -> Iterator[Varbind]:
    """What was read below ``root``, from its own walk or from one that covers it."""
    for walked, walk in walks.items():
        if root[: len(walked)] == walked:
            yield from (varbind for varbind in walk.varbinds if varbind.oid[: len(root)] == root)
            return


def scalar(walks: Walks, name: OID) -> Raw:
    """The value of a scalar, given without its final 0."""
    return next((varbind.value for varbind in below(walks, (*name, 0))), None)


def text(value: Raw) -> str:
    """DisplayString and SnmpAdminString: cut at the first NUL, UTF-8 or else Latin-1, trimmed."""
    if isinstance(value, bytes):
        content = value.split(b"\0", 1)[0]
        try:
            decoded = content.decode("utf-8")
        except UnicodeDecodeError:
            decoded = content.decode("latin-1")
        return _CONTROL.sub(" ", decoded.replace("\r\n", "\n")).strip()
    return "" if value is None else str(value).strip()


def number(value: Raw) -> int | None:
    """An integer of any kind; text of digits counts, for devices that write them so."""
    if isinstance(value, int):
        return value
    digits = text(value)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 20 else None


def mac(value: Raw) -> str | None:
    """PhysAddress of an Ethernet interface as ``aa:bb:cc:dd:ee:ff``; None when it is all zero, all one, a group's or
    no MAC address at all."""
    octets = _octets(value)
    if octets is None or octets in (b"\0" * 6, b"\xff" * 6) or octets[0] & 1:
        return None
    return octets.hex(":")


def is_group_mac(address: str) -> bool:
    """Whether the address is one that routers share (VRRP, HSRP, GLBP): it tells a group, not a box."""
    return bytes.fromhex(address.replace(":", "")).startswith(_GROUP_MACS)


def _octets(value: Raw) -> bytes | None:
    if not isinstance(value, bytes):
        return None
    if len(value) == 6:
        return value
    if 6 < len(value) <= 8 and not value[6:].strip(b"\0"):
        return value[:6]
    written = text(value)
    if _HEX_MAC.fullmatch(written) or _CISCO_MAC.fullmatch(written):
        return bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", written))
    return None


def inet_address(kind: int | None, octets: Sequence[int]) -> str | None:
    """InetAddress by its InetAddressType (1 ipv4, 2 ipv6, 3 and 4 the same with a zone, which is left out)."""
    size = {1: 4, 2: 16, 3: 4, 4: 16}.get(kind or 0)
    if size is None or len(octets) < size:
        return None
    return ip(bytes(octets[:size]))


def ip(value: Raw) -> str | None:
    """An address of four or sixteen octets, or one that came as text."""
    try:
        if isinstance(value, bytes) and len(value) in (4, 16):
            return str(ipaddress.ip_address(value))
        return str(ipaddress.ip_address(text(value).partition("%")[0]))
    except ValueError:
        return None


def counted(index: OID) -> tuple[tuple[int, ...], OID]:
    """A variable-length part of an index (its length, then its parts), and what follows it."""
    size = index[0] if index else 0
    return index[1 : 1 + size], index[1 + size :]


def date(value: Raw) -> str | None:
    """The day of a DateAndTime (``2026-01-31``), None when it is unset or impossible."""
    if not isinstance(value, bytes) or len(value) < 8:
        return None
    year, month, day = int.from_bytes(value[:2], "big"), value[2], value[3]
    if not 1980 <= year <= 2200:
        return None
    try:
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        return None


def last_arc(value: Raw) -> int | None:
    """The last arc of an OID that names a kind (hrStorageFixedDisk)."""
    dotted = text(value)
    return int(dotted.rpartition(".")[2]) if dotted and dotted.rpartition(".")[2].isdecimal() else None
