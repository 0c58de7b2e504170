"""Ranges of addresses in which something was seen: how much of what was seen there any scan ever set out for.

Pure: from networks, addresses and the targets of scans, each with its site, to what each network holds. An address
belongs to the narrowest network that has it, and so does a target: what encloses others is judged by the rest of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from ipaddress import ip_address as parsed
from ipaddress import ip_network as parsed_network
from typing import Generic, TypeVar

from cmdb_server.ingest.sighting import EVERYWHERE

IpNetwork = IPv4Network | IPv6Network
Number = tuple[int, int]
"""An address: the version of IP, and its bits."""
BITS = {4: 32, 6: 128}
T = TypeVar("T")


@dataclass(slots=True)
class Range:
    """A network at a site and what is known of it. ``ci`` stands for it: the network's own CI, or an interface in it.
    ``seen``: its addresses -> who told of them; ``scanned``: those of them that a scan set out for; ``known``: those
    of the others whose holder was scanned at another address. ``entered``: whether a scan set out for any part of it."""

    network: IpNetwork
    site: str
    ci: str
    seen: dict[Number, set[str]] = field(default_factory=dict)
    scanned: set[Number] = field(default_factory=set)
    known: set[Number] = field(default_factory=set)
    entered: bool = False

    @property
    def unknown(self) -> int:
        """How many of its addresses were seen, and nobody looked who is there."""
        return len(self.seen) - len(self.scanned) - len(self.known)


class _Narrowest(Generic[T]):
    """Finds the narrowest network that has an address: one look-up for each length of prefix that there is."""

    def __init__(self) -> None:
        self._held: dict[int, dict[int, dict[int, T]]] = {4: {}, 6: {}}
        self._lengths: dict[int, list[int]] = {4: [], 6: []}

    def put(self, network: IpNetwork, value: T) -> T:
        """What stands for the network now."""
        of_length = self._held[network.version].setdefault(network.prefixlen, {})
        self._lengths[network.version] = sorted(self._held[network.version], reverse=True)
        of_length[int(network.network_address)] = value
        return value

    def of(self, number: Number, longest: int = 128) -> T | None:
        version, bits = number
        for length in self._lengths[version]:
            shift = BITS[version] - length
            found = self._held[version][length].get(bits >> shift << shift) if length <= longest else None
            if found is not None:
                return found
        return None


class Ranges:
    """Networks, then targets, then addresses are told; ``every`` then tells of each network."""

    def __init__(self) -> None:
        self._sites: dict[str, _Narrowest[Range]] = {}
        self._swept: dict[str, _Narrowest[bool]] = {}
        self._asked: set[tuple[str, Number]] = set()
        self._all: list[Range] = []

    def network(self, network: IpNetwork, site: str, ci: str) -> None:
        """There is a network; who tells of it first stands for it."""
        told = (
            self._sites[name].of(number_of(network), network.prefixlen)
            for name in (site, EVERYWHERE)
            if name in self._sites
        )
        if is_range(network) and all(one is None or one.network != network for one in told):
            self._all.append(self._sites.setdefault(site, _Narrowest()).put(network, Range(network, site, ci)))

    def target(self, text: str, site: str) -> None:
        """A scan at the site set out for an address or a range. Any other text (a name, a collector) is neither."""
        network = target_network(text)
        if network is None:
            return
        number = number_of(network)
        if network.prefixlen == BITS[network.version]:
            self._asked.add((site, number))
        else:
            self._swept.setdefault(site, _Narrowest()).put(network, True)
        if held := self._of(site, number, network.prefixlen):
            held.entered = True

    def address(self, text: str, site: str, tellers: Iterable[str], *, scanned: bool, known: bool) -> None:
        """An address was seen. ``scanned``: by a scan of its holder there; ``known``: its holder was scanned somewhere."""
        number = number_of_address(text)
        held = None if number is None else self._of(site, number)
        if number is None or held is None:
            return
        held.seen.setdefault(number, set()).update(tellers)
        if scanned or self._is_covered(held, site, number):
            held.scanned.add(number)
            held.known.discard(number)
            held.entered = True
        elif known and number not in held.scanned:
            held.known.add(number)

    def every(self) -> Iterator[Range]:
        """Those in which an address was seen, in the order in which they were told of."""
        return (one for one in self._all if one.seen)

    def _of(self, site: str, number: Number, longest: int = 128) -> Range | None:
        """The narrowest range at the site. What holds everywhere is looked for at every site, and must fit one alone."""
        sites = self._sites if site == EVERYWHERE else (site, EVERYWHERE)
        found = [one for name in sites if name in self._sites and (one := self._sites[name].of(number, longest))]
        if site == EVERYWHERE:
            return found[0] if len(found) == 1 else None
        return max(found, key=lambda one: one.network.prefixlen, default=None)

    def _is_covered(self, held: Range, site: str, number: Number) -> bool:
        sites = {site, held.site} - {EVERYWHERE} or self._swept.keys() | {asked for asked, _ in self._asked}
        return any((one, number) in self._asked or self._sweeps(one, number) for one in sites)

    def _sweeps(self, site: str, number: Number) -> bool:
        return site in self._swept and self._swept[site].of(number) is not None


def is_range(network: IpNetwork) -> bool:
    """Whether somebody could scan it: not for a host's own addresses, a link's, a group's, or all there are."""
    return 0 < network.prefixlen < BITS[network.version] and not (
        network.is_loopback or network.is_link_local or network.is_multicast
    )


def network_of(text: object) -> IpNetwork | None:
    """``10.0.0.0/24``, or the network of ``10.0.0.7/24``; None without the length of a prefix."""
    if not isinstance(text, str) or "/" not in text:
        return None
    try:
        return parsed_network(text.strip(), strict=False)
    except ValueError:
        return None


def target_network(text: str) -> IpNetwork | None:
    """A scan's target as a network, of one address where it is one: ``10.0.0.0/24``, ``10.0.0.7``, ``10.0.0.7:2222``,
    ``[2001:db8::7]:22``."""
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and (host.startswith("[") or ":" not in host):
        text = host
    try:
        return parsed_network(text.strip("[]").partition("%")[0], strict=False)
    except ValueError:
        return None


def number_of(network: IpNetwork) -> Number:
    return network.version, int(network.network_address)


def number_of_address(text: str) -> Number | None:
    """An address, with or without the length of a prefix and a zone."""
    try:
        found = parsed(text.partition("/")[0].partition("%")[0])
    except ValueError:
        return None
    return found.version, int(found)
