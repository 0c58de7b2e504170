"""One way to write each identifier, and none at all for what identifies nothing.

Everything here is told by others and may be of any length and content. Whatever it is, it gives a value that equals
itself or nothing; it never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from cmdb_schemas.address import mac_address

_PLACEHOLDERS = frozenset(
    """to be filled by o.e.m.|to be filled by oem|default string|default|not specified|not applicable|not available
    not set|not settable|not present|no asset tag|no asset information|none|null|nil|na|n/a|n.a.|unknown|undefined
    unspecified|unavailable|invalid|empty|blank|oem|o.e.m.|system serial number|system product name|serial number
    serial|chassis serial number|base board serial number|baseboard serial number|board serial number|system uuid
    asset tag|asset-1234567890|123456789|1234567890|0123456789|12345678|01234567|1234567|012345678|012345678900
    0123456789abcdef|abcdefghij|sernum0|serialnumber|mb-1234567890|bss-0123456789|evaluation board|sample|test|dummy
    tbd|void|(none)|<none>|[none]|{none}|system manufacturer|system version|base board manufacturer|base board version
    chassis manufacturer|chassis version|chassis asset tag|base board asset tag|no asset|no enclosure|no dimm""".replace(
        "\n", "|"
    ).split("|")
)
_PLACEHOLDERS = frozenset(text.strip() for text in _PLACEHOLDERS)
_UUIDS = frozenset(
    (
        "03000200-0400-0500-0006-000700080009",  # boards whose maker left AMI's example in place
        "12345678-1234-5678-90ab-cddeefaabbcc", "00112233-4455-6677-8899-aabbccddeeff",
        "11111111-2222-3333-4444-555555555555", "fefefefe-fefe-fefe-fefe-fefefefefefe",
    )
)  # fmt: skip
_NAMES = frozenset(
    (
        "localhost",
        "localhost.localdomain",
        "localhost4",
        "localhost6",
        "ip6-localhost",
        "localdomain",
        "(none)",
        "none",
        "unknown",
    )
)
_MACS = re.compile(
    "00:00:5e:00:0[12]:"        # VRRP
    "|00:00:0c:07:ac:"          # HSRP
    "|00:00:0c:9f:f"            # HSRP version 2
    "|00:05:73:a0:0"            # HSRP for IPv6
    "|00:07:b4:0"               # GLBP
    "|02:42:"                   # docker bridges and containers
    "|fe:(54:00|16:3e):"        # taps of guests, on their host
    "|02:00:4c:4f:4f:50"        # Microsoft's loopback adapter
    "|00:50:56:c0:00:0[18]"     # VMware's host-only and NAT adapters, alike on every desktop
    "|0a:00:27:00:00:"          # VirtualBox's host-only adapters
    "|(20:41:53:59:4e:ff|50:50:54:50:30:30|33:50:6f:45:30:30)"  # Windows' WAN miniports
)  # fmt: skip
_SIX_OCTETS = len("00:00:00:00:00:00")
_ADDRESS = re.compile(r"[0-9.]*|[0-9a-f.]*:[0-9a-f:.]*(%.*)?")
_FILLING = frozenset(" .:_-\t")
_HEX = re.compile(r"[^0-9a-f]")
_ENDING = re.compile(r"[.\s]+\Z")
_LONGEST = 512


def normalise(
    identifiers: Mapping[str, Sequence[str]], *, manufacturer: str | None = None
) -> dict[str, tuple[str, ...]]:
    """Raw identifiers -> kind -> sorted values, placeholders and empty kinds left out. A serial that only repeats the
    machine's uuid (VMware's) counts as that uuid. ``manufacturer`` qualifies serials where makers number alike."""
    found: dict[str, set[str]] = {}
    for kind, values in identifiers.items():
        write = _WRITERS.get(kind, _plain)
        for raw in values:
            value = write(raw.strip()[:_LONGEST]) if isinstance(raw, str) else None
            if value:
                found.setdefault(kind, set()).add(value)
    _unite_vmware(found)
    if manufacturer and "serial" in found and (maker := vendor(manufacturer)):
        found["vendor"] = {maker}
    return {kind: tuple(sorted(values)) for kind, values in found.items() if values}


def host_labels(identifiers: Mapping[str, Collection[str]]) -> set[str]:
    """The first labels of host names, normalised: a short name is the first label of a full one."""
    return {name.partition(".")[0] for kind in ("name", "fqdn") for name in identifiers.get(kind, ())}


def _unite_vmware(found: dict[str, set[str]]) -> None:
    derived = {s for s in found.get("serial", ()) if s.startswith("VMWARE-") and len(_HEX.sub("", s[7:].lower())) == 32}
    if derived:
        found["serial"] -= derived
        found.setdefault("uuid", set()).update(filter(None, (uuid(s[7:]) for s in derived)))


def is_placeholder(text: str) -> bool:
    """Whether a maker or a program wrote it where a value should stand."""
    return is_stock_phrase(text) or len(set(text.lower()) - _FILLING) < 2


def is_stock_phrase(text: str) -> bool:
    """Whether it is one of the words that stand where nothing was told, or no word at all."""
    low = " ".join(text.lower().split())
    return low in _PLACEHOLDERS or not set(low) - _FILLING


def serial(text: str) -> str | None:
    """Upper case, inner spaces closed up: dmidecode and SNMP pad differently. Under three characters it is noise."""
    value = "".join(text.split()).upper()
    return None if len(value) < 3 or is_placeholder(text) else value


def uuid(text: str) -> str | None:
    """Lower case with hyphens, in the smaller of the two byte orders SMBIOS was read in: the first three fields of
    one are the other's backwards, and nothing in the value tells which was meant."""
    d = _HEX.sub("", text.lower())
    if len(d) != 32 or len(set(d)) < 2:
        return None
    rest = f"-{d[16:20]}-{d[20:]}"
    one = f"{d[:8]}-{d[8:12]}-{d[12:16]}{rest}"
    two = f"{d[6:8]}{d[4:6]}{d[2:4]}{d[:2]}-{d[10:12]}{d[8:10]}-{d[14:16]}{d[12:14]}{rest}"
    return None if one in _UUIDS or two in _UUIDS else min(one, two)


def mac(text: str) -> str | None:
    """Six octets, lower case, colons; none for groups, virtual routers, docker and what every machine has alike."""
    value = mac_address(text)
    if (
        value is None
        or len(value) != _SIX_OCTETS
        or value[1] in "13579bdf"
        or len(set(value)) < 3
        or _MACS.match(value)
    ):
        return None
    return value


def name(text: str) -> str | None:
    """A host name in lower case without its final dot; none for localhost and for addresses."""
    value = _ENDING.sub("", text.lower())
    return None if value in _NAMES or _ADDRESS.fullmatch(value) else value


def vendor(text: str) -> str:
    """A maker's name without legal form and under one of its names."""
    words = re.sub(r"[^a-z0-9 ]", " ", text.lower()).split()
    first = words[0] if words else ""
    return {"hewlett": "hp", "hpe": "hp", "hewlettpackard": "hp", "international": "ibm", "super": "supermicro"}.get(
        first, first
    )


def machine_id(text: str) -> str | None:
    """32 hexadecimal digits; ``uninitialized`` and the like are none."""
    digits = text.lower().replace("-", "")
    return digits if len(digits) == 32 and not _HEX.search(digits) and len(set(digits)) > 1 else None


def engine_id(text: str) -> str | None:
    """An snmpEngineID as hexadecimal digits, 5 to 32 octets."""
    low = text.lower().removeprefix("0x")
    digits = re.sub(r"[\s:.\-]", "", low)
    if _HEX.search(digits) or not 10 <= len(digits) <= 64 or len(digits) % 2:
        return None
    return None if len(set(digits[10:])) < 2 else digits


def chassis_id(text: str) -> str | None:
    """An LLDP chassis id: a MAC address where it is one."""
    return mac(text) or _plain(text)


def _verbatim(text: str) -> str | None:
    """Key fingerprints tell case apart."""
    return None if is_placeholder(text) else text


def _plain(text: str) -> str | None:
    value = " ".join(text.lower().split())
    return None if is_placeholder(value) else value


_WRITERS: Mapping[str, Callable[[str], str | None]] = {
    "serial": serial, "chassis_serial": serial, "board_serial": serial, "uuid": uuid, "instance_uuid": uuid,
    "mac": mac, "name": name, "fqdn": name, "label": name, "machine_id": machine_id, "engine_id": engine_id,
    "chassis_id": chassis_id, "ssh_host_key": _verbatim,
}  # fmt: skip
