"""Both ends of a link, from what each device alone could say of its neighbours. Pure: devices and claims are handed in.

LLDP and CDP tell a device who is at the other end of a port: by chassis id, name or address, and by some name of the
far port. ``links`` finds that device and that port, and makes one link of all that is claimed of it, from either end
and by either protocol.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

Identifiers = Mapping[str, Collection[str]]
"""Kind -> values: ``chassis_id``, ``mac``, ``serial``, ``management_address``, ``name``; of a far port ``if_name``,
``if_mac``."""

_KINDS = ("chassis_id", "serial", "management_address", "name")
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


@dataclass(frozen=True)
class Device:
    """A device by everything that others may call it."""

    key: str
    identifiers: Identifiers = field(default_factory=dict)
    ports: Sequence[Port] = ()

    @cached_property
    def by_name(self) -> Mapping[str, str]:
        """Every name that only one port bears, in its plain form -> the port's key."""
        pairs = {(plain(name), port.key) for port in self.ports for name in (port.key, *port.names) if name}
        return _only(pairs)

    @cached_property
    def by_mac(self) -> Mapping[str, str]:
        return _only((port.mac, port.key) for port in self.ports if port.mac)

    @cached_property
    def by_index(self) -> Mapping[str, str]:
        return {str(port.index): port.key for port in self.ports if port.index is not None}

    def port(self, identifiers: Identifiers) -> str:
        """The key of the port that a neighbour means, empty when it is not to be told. A number that is no port's name
        is an ifIndex (Junos)."""
        found = [self.by_mac.get(mac, "") for mac in identifiers.get("if_mac", ())]
        names = list(identifiers.get("if_name", ()))
        found += [self.by_name.get(plain(name), "") for name in names]
        found += [self.by_index.get(name, "") for name in names]
        return next(filter(None, found), "")


@dataclass(frozen=True, slots=True)
class Claim:
    """``device`` says that at its ``port`` (a key, empty when it cannot tell) it sees what ``identifiers`` describe."""

    device: str
    port: str
    identifiers: Identifiers
    source: str = "LLDP"


@dataclass(frozen=True, slots=True, order=True)
class LinkEnd:
    """``port`` is empty when only the device is known."""

    device: str
    port: str


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """One link; ``a`` sorts before ``b``. ``sources``: the protocols it was seen by; ``both``: from both ends."""

    a: LinkEnd
    b: LinkEnd
    sources: tuple[str, ...]
    both: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """All links, ordered, and the claims about neighbours that are none of the known devices."""

    links: tuple[Link, ...]
    unresolved: tuple[Claim, ...]


def links(devices: Iterable[Device], claims: Iterable[Claim]) -> Joined:
    """One link for each pair of ends that is claimed. The same for any order of devices and claims."""
    known = _Known(devices)
    said = list(claims)
    seen: dict[tuple[LinkEnd, LinkEnd], list[tuple[LinkEnd, str]]] = defaultdict(list)
    open_claims: list[Claim] = []
    for claim in said:
        near, far = LinkEnd(claim.device, claim.port), known.end(claim)
        if far is None:
            open_claims.append(claim)
        elif far != near:
            seen[min(near, far), max(near, far)].append((near, claim.source))
    unresolved = [claim for claim in open_claims if not _answer(claim, seen)]
    return Joined(tuple(_united(seen)), tuple(sorted(unresolved, key=repr)))


def plain(name: str) -> str:
    """An interface's name without regard to case, spaces and Cisco's ways to write it out."""
    low = "".join(name.lower().split())
    head = low.rstrip("0123456789/.:")
    return _ABBREVIATIONS.get(head, head) + low[len(head) :] if low[len(head) :] else low


class _Known:
    """Looks devices up by what neighbours call them."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._devices = {device.key: device for device in devices}
        pairs: dict[str, set[tuple[str, str]]] = {kind: set() for kind in _KINDS}
        for device in self._devices.values():
            for kind, values in device.identifiers.items():
                # A switch's own address is often told as an interface's or the bridge's, not as its chassis id.
                named = "chassis_id" if kind == "mac" else kind
                if named in pairs:
                    pairs[named].update((_value(named, value), device.key) for value in values)
        self._found = {kind: _only(found) for kind, found in pairs.items()}

    def end(self, claim: Claim) -> LinkEnd | None:
        device = self._device(claim)
        return LinkEnd(device.key, device.port(claim.identifiers)) if device else None

    def _device(self, claim: Claim) -> Device | None:
        for kind in _KINDS:
            for value in claim.identifiers.get(kind, ()):
                if (key := self._found[kind].get(_value(kind, value))) is not None:
                    return self._devices[key]
        return None


def _value(kind: str, value: str) -> str:
    """A name is told in full by one protocol and short by another."""
    low = value.strip().lower()
    return low.split(".")[0] if kind == "name" else low


def _only(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What is said of exactly one."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, key in pairs:
        found[name].add(key)
    return {name: next(iter(keys)) for name, keys in found.items() if len(keys) == 1}


def _answer(claim: Claim, seen: dict[tuple[LinkEnd, LinkEnd], list[tuple[LinkEnd, str]]]) -> bool:
    """A neighbour that nobody bears the name of may have told of this very port itself: then it is that one, if the
    port it spoke from is the one the claim names. The claim is added to that link."""
    near = LinkEnd(claim.device, claim.port)
    names = {plain(name) for name in claim.identifiers.get("if_name", ())}
    for (a, b), witnesses in sorted(seen.items()):
        far = b if a == near else a if b == near else None
        if far is not None and claim.port and plain(far.port) in names:
            witnesses.append((near, claim.source))
            return True
    return False


def _united(seen: Mapping[tuple[LinkEnd, LinkEnd], Sequence[tuple[LinkEnd, str]]]) -> list[Link]:
    """A link known only by its devices is the same as the one between the same devices that has that near port."""
    full = {pair for pair in seen if pair[0].port and pair[1].port}
    united: dict[tuple[LinkEnd, LinkEnd], list[tuple[LinkEnd, str]]] = defaultdict(list)
    for pair, witnesses in seen.items():
        united[_completed(pair, full)] += witnesses
    return sorted(
        Link(a, b, tuple(sorted({source for _, source in witnesses})), len({end for end, _ in witnesses}) > 1)
        for (a, b), witnesses in united.items()
    )


def _completed(pair: tuple[LinkEnd, LinkEnd], full: Collection[tuple[LinkEnd, LinkEnd]]) -> tuple[LinkEnd, LinkEnd]:
    fitting = [whole for whole in full if _covers(whole, pair)]
    return fitting[0] if pair not in full and len(fitting) == 1 else pair


def _covers(whole: tuple[LinkEnd, LinkEnd], part: tuple[LinkEnd, LinkEnd]) -> bool:
    """Whether the part only says less: each of its ends is one of the whole's, or that one without its port."""
    (a, b), (c, d) = whole, part
    return (_less(c, a) and _less(d, b)) or (_less(c, b) and _less(d, a))


def _less(part: LinkEnd, whole: LinkEnd) -> bool:
    return part.device == whole.device and part.port in ("", whole.port)
