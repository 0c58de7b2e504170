"""The far end of a link, from what a device alone could say of its neighbour: by which names a device is looked for, and
which of its ports is meant. Pure: ports are handed in.

LLDP and CDP tell a device who is at the other end of a port: by chassis id, name or address, and by some name of the
far port. What both ends and both protocols tell of one cable is thereby one relation, whoever was heard first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cmdb_server.model.normalise import host_labels, normalise

Identifiers = Mapping[str, Collection[str]]
"""Kind -> values, as told: of a device, and of a port ``if_name`` and ``if_mac``."""
Entry = tuple[str, str]
"""(kind, value) of the inverted index."""

HOST = "host"
"""The kind of the index that is no identifier: (site, the first label of a host name)."""
PORT_KINDS = ("if_name", "if_mac")
NAMES = ("name", "fqdn")
_RANKS = (
    "chassis_id", "serial", "uuid", "machine_id", "ssh_host_key", "engine_id", "mac", "fqdn", "management_address",
    "name",
)  # fmt: skip
"""What finds a device, strongest first."""
_ABBREVIATIONS = {
    "gigabitethernet": "gi", "gige": "gi", "fastethernet": "fa", "tengigabitethernet": "te", "tengige": "te",
    "twentyfivegige": "twe", "fortygigabitethernet": "fo", "hundredgige": "hu", "ethernet": "eth", "serial": "se",
    "port-channel": "po", "xgigabitethernet": "xge", "loopback": "lo", "vlan": "vl",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Port:
    """One interface of a device. ``names``: ifName, ifDescr, ifAlias. ``index``: ifIndex."""

    key: str
    names: tuple[str, ...] = ()
    mac: str = ""
    index: int | None = None


def entries(identifiers: Identifiers, site: str) -> list[Entry]:
    """Under what the device is looked for that these identifiers describe, strongest first: each only where nobody, or
    several, bear the ones before (``narrowed``)."""
    told = normalise({kind: list(values) for kind, values in identifiers.items() if kind not in PORT_KINDS})
    found = [entry for kind in sorted(told, key=_rank) for value in told[kind] for entry in _entries(kind, value, site)]
    return list(dict.fromkeys(found))


def _rank(kind: str) -> tuple[int, str]:
    return (_RANKS.index(kind) if kind in _RANKS else len(_RANKS), kind)


def _entries(kind: str, value: str, site: str) -> list[Entry]:
    if kind == "chassis_id":
        # A switch's own address is often told as an interface's or the bridge's, not as its chassis id.
        return [(kind, value), ("mac", value)]
    if kind == "management_address":
        return [("address", f"{site}|{value}")]
    if kind in NAMES and "." in value:
        # One calls its full name its host name, another keeps the two apart.
        whole = [(kind, value), *((other, value) for other in NAMES if other != kind)]
        # One protocol tells a name in full that the device itself tells short.
        return [*whole, (kind, value.partition(".")[0])] if kind == "name" else whole
    if kind in NAMES:
        # Of a site's own devices one is meant before any other, by whichever of its names the short one begins.
        return [(HOST, f"{site}|{value}"), ("name", value)]
    return [(kind, value)]


def called(identifiers: Identifiers, site: str) -> Iterator[Entry]:
    """Under what a device of the site, of these normalised identifiers, is found by a short name."""
    return ((HOST, f"{site}|{label}") for label in host_labels(identifiers))


def narrowed(before: Collection[str], found: Collection[str]) -> list[str]:
    """Whom a weaker name leaves of those that a stronger one left open: those whom it names too, or else all of them;
    whomever it names where the stronger one named nobody."""
    return [one for one in before if one in found] or list(before or found)


def meant(ports: Iterable[Port], identifiers: Identifiers) -> str:
    """The key of the port that a neighbour means, empty when it is not to be told. A number that is no port's name is
    an ifIndex (Junos)."""
    there = list(ports)
    names = list(identifiers.get("if_name", ()))
    by_mac = _only((port.mac.lower(), port.key) for port in there if port.mac)
    by_name = _only((plain(name), port.key) for port in there for name in port.names if name)
    by_index = _only((str(port.index), port.key) for port in there if port.index is not None)
    found = [by_mac.get(mac.lower(), "") for mac in identifiers.get("if_mac", ())]
    found += [by_name.get(plain(name), "") for name in names]
    found += [by_index.get(name, "") for name in names]
    return next(filter(None, found), "")


def plain(name: str) -> str:
    """An interface's name without regard to case, spaces and Cisco's ways to write it out."""
    low = "".join(name.lower().split())
    head = low.rstrip("0123456789/.:")
    return _ABBREVIATIONS.get(head, head) + low[len(head) :] if low[len(head) :] else low


def _only(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What is said of exactly one."""
    found: dict[str, set[str]] = {}
    for name, key in pairs:
        found.setdefault(name, set()).add(key)
    return {name: next(iter(keys)) for name, keys in found.items() if len(keys) == 1}
