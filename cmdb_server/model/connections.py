"""Both ends of a connection, from what each host alone could say. Pure: holders and listeners are handed in.

A host says "this application of mine spoke to 10.0.0.7:5432" or "somebody at 10.0.0.9 spoke to this listener of mine".
``resolve_end`` finds who stood behind the far address then. An address that a host translates is an endpoint of that
host, which itself stands on those that it is handed on to: the graph follows NAT without another rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

How = Literal["listener", "host", "group", "unknown", "ambiguous", "local"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The far end as it was seen. ``port`` None: only the address is known (a client's port means nothing)."""

    address: str
    port: int | None = None
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Listener:
    """An application's listening socket. ``address`` is what it is bound to: an address, ``0.0.0.0``, ``::``, ``*``."""

    ci: str
    protocol: str
    address: str
    port: int

    @classmethod
    def parse(cls, ci: str, text: str) -> Listener | None:
        """From an application's ``listens`` value: ``tcp:0.0.0.0:8080``, ``udp:[::]:53``. None when it is none."""
        protocol, _, rest = text.partition(":")
        address, _, port = rest.rpartition(":")
        if not port.isdecimal() or not protocol:
            return None
        return cls(ci, protocol, address.strip("[]").partition("%")[0] or "*", int(port))


@dataclass(frozen=True, slots=True)
class Holder:
    """A CI that held the address at the time, with the listeners of the applications on it. ``group``: it stands for
    several boxes that share the address (VRRP, HSRP), so it alone owns the address."""

    ci: str
    listeners: Sequence[Listener] = ()
    group: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """``ci`` is the application or host that stands at the end, ``host`` the CI that held the address; both None when
    nobody did or several did. ``candidates``: everyone it may have been, in order of their ids.
    ``maybe_translated``: the address was held but nobody listened there: NAT or a load balancer may pass it on."""

    ci: str | None
    host: str | None
    how: How
    candidates: tuple[str, ...] = ()
    maybe_translated: bool = False


def resolve_end(end: Endpoint, holders: Iterable[Holder]) -> Resolution:
    """Who stood at the far end, given all who held its address then.

    An application that listened there wins over its host; a group over its members. Several holders otherwise are an
    address in double use, and nobody is guessed.
    """
    if _is_loopback(end.address):
        return Resolution(None, None, "local")
    held = {holder.ci: holder for holder in holders}
    if len(held) > 1:
        groups = [holder for holder in held.values() if holder.group]
        if len(groups) != 1:
            return Resolution(None, None, "ambiguous", tuple(sorted(held)))
        held = {groups[0].ci: groups[0]}
    if not held:
        return Resolution(None, None, "unknown")
    return _on(next(iter(held.values())), end)


def _on(holder: Holder, end: Endpoint) -> Resolution:
    whole: How = "group" if holder.group else "host"
    if end.port is None:
        return Resolution(holder.ci, holder.ci, whole)
    listening = _listening(holder.listeners, end)
    if len(listening) == 1:
        return Resolution(listening[0], holder.ci, "listener")
    return Resolution(holder.ci, holder.ci, whole, tuple(listening), maybe_translated=not listening)


def _listening(listeners: Iterable[Listener], end: Endpoint) -> list[str]:
    """The applications whose socket takes the connection: the narrowest binding does, as in the kernel."""
    best, found = 0, set[str]()
    for listener in listeners:
        if listener.port != end.port or listener.protocol != end.protocol:
            continue
        closeness = _closeness(listener.address, end.address)
        if closeness > best:
            best, found = closeness, {listener.ci}
        elif closeness == best and closeness:
            found.add(listener.ci)
    return sorted(found)


def _closeness(bound: str, address: str) -> int:
    """How narrowly a socket bound to ``bound`` covers ``address``; 0: not at all. ``::`` also takes IPv4, since that
    is the default of Linux, macOS and Windows services alike."""
    if bound == "*":
        return 1
    try:
        one, other = _plain(bound), _plain(address)
    except ValueError:
        return 3 if bound == address else 0
    if one == other:
        return 3
    if not one.is_unspecified:
        return 0
    if one.version == other.version:
        return 2
    return 1 if one.version == 6 else 0


def _plain(text: str) -> IPv4Address | IPv6Address:
    address = ip_address(text)
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _is_loopback(address: str) -> bool:
    try:
        return _plain(address).is_loopback
    except ValueError:
        return False
