"""Network addresses as text: what is one, and the one way to write it."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address
from ipaddress import ip_address as parsed

_KNOWN = 65_536
"""So many texts are kept with what they were found to be: an estate tells the same addresses at every scan."""
_MAC = re.compile("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_LONGER = re.compile("(?:[0-9a-f]{2}:){7}(?:(?:[0-9a-f]{2}:){12})?[0-9a-f]{2}")
_ZONE = re.compile(r"[\w.:-]{1,64}", re.ASCII)


@lru_cache(_KNOWN)
def ip_address(text: str) -> str | None:
    """An IPv4 or IPv6 address, with the length of its network's prefix and an IPv6 zone where these are told:
    ``10.0.0.7``, ``10.0.0.7/24``, ``fe80::1%eth0``. IPv6 as RFC 5952 has it. None for what is no address."""
    address, slash, length = text.strip().partition("/")
    address, percent, zone = address.partition("%")
    try:
        found = parsed(address)
    except ValueError:
        return None
    if percent and (found.version == 4 or not _ZONE.fullmatch(zone)):
        return None
    if slash and not (length.isascii() and length.isdecimal() and int(length) <= found.max_prefixlen):
        return None
    return _written(found) + percent + zone + (f"/{int(length)}" if slash else "")


def _written(address: object) -> str:
    # Python's versions differ in how they write an IPv4 address within an IPv6 one.
    if isinstance(address, IPv6Address) and (mapped := address.ipv4_mapped) is not None:
        return f"::ffff:{mapped}"
    return str(address)


@lru_cache(_KNOWN)
def mac_address(text: str) -> str | None:
    """A hardware address in lower case with colons, from any of the ways to write six octets; EUI-64 (eight) and
    InfiniBand (twenty) with colons or hyphens. None for what is none."""
    value = text.strip().lower()
    if _MAC.fullmatch(value):
        return value
    if _LONGER.fullmatch(longer := value.replace("-", ":")):
        return longer
    return _respelt(value.removeprefix("0x"))


def _respelt(text: str) -> str | None:
    """Six octets from hyphens, dots, blanks, no separator, or without their leading zeros."""
    parts = re.split(r"[:\-\s]", text)
    digits = "".join(part.zfill(2) for part in parts) if len(parts) == 6 else re.sub(r"[:.\-\s]", "", text)
    value = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    return value if _MAC.fullmatch(value) else None
