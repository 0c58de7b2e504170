"""What to scan: ``local``, ``ssh://[user@]host[:port]``, ``snmp://[community-reference@]host[:port]``, and ranges of
addresses: ``ssh://user@10.0.0.0/28``, ``snmp://10.0.0.0:1161/28``, ``ssh://user@10.0.0.5-20``,
``snmp://10.0.0.250-10.0.1.9:1161``."""

from __future__ import annotations

import dataclasses
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple
from urllib.parse import unquote

from cmdb_agent import credentials
from cmdb_agent.errors import AgentError
from cmdb_agent.settings import NO_SNMP, NO_SSH, SnmpAccess, SshAccess

MOST_ADDRESSES = 1024
"""Of one range; each address is a part of its own of the range's scan."""
DEFAULT_PORTS = {"ssh": 22, "snmp": 161}
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?\.?")
_SPAN = re.compile(r"(?P<first>(?P<net>\d+\.\d+\.\d+)\.\d+)-(?P<last>\d+(?P<whole>\.\d+\.\d+\.\d+)?)(?P<port>:\d+)?")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@\\-]{0,63}\$?")


class TargetError(AgentError):
    """A target that cannot be understood; the message names it without its user part, which may hold a secret."""

    kind = "target"


@dataclass(frozen=True, slots=True)
class Sweep:
    """An address's place in a range that is swept whole: ``part`` counts from 1 and stays the same from sweep to
    sweep. The range is a piece, or all, of ``asked``, of which ``addresses`` are swept in all."""

    range: str
    part: int
    parts: int
    asked: str
    addresses: int


@dataclass(frozen=True, slots=True)
class Target:
    """One host or device and the way to it. ``host`` is empty for ``local``; IPv6 addresses stand without brackets."""

    kind: Literal["local", "ssh", "snmp"]
    host: str = ""
    port: int = 0
    ssh: SshAccess = NO_SSH
    snmp: SnmpAccess = NO_SNMP
    sweep: Sweep | None = None

    @property
    def name(self) -> str:
        """The scope's target: the address, with its port only where that is not the usual one."""
        if self.kind == "local":
            return "local"
        return self.host if self.port == DEFAULT_PORTS[self.kind] else endpoint(self.host, self.port)

    @property
    def url(self) -> str:
        """For people: without user and secrets."""
        return "local" if self.kind == "local" else f"{self.kind}://{self.name}"


def endpoint(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse(text: str, ssh: SshAccess = NO_SSH, snmp: SnmpAccess = NO_SNMP) -> Target:
    """A target from its URL; what the URL leaves out comes from ``ssh`` and ``snmp``. Raises ``TargetError``."""
    if text == "local":
        return Target("local", ssh=ssh, snmp=snmp)
    scheme, separator, rest = text.partition("://")
    user, _, place = rest.rpartition("@")
    if not separator or scheme not in DEFAULT_PORTS:
        raise TargetError(f"{_public(text)}: a target is local, ssh://[user@]host[:port] or snmp://[ref@]host[:port]")
    host, port = _host_port(place.removesuffix("/"), DEFAULT_PORTS[scheme], f"{scheme}://{place}")
    if scheme == "ssh":
        return Target("ssh", host, port, ssh=_with_user(ssh, user, f"ssh://{place}"), snmp=snmp)
    return Target("snmp", host, port, ssh=ssh, snmp=_with_community(snmp, user, f"snmp://{place}"))


def expand(text: str, ssh: SshAccess = NO_SSH, snmp: SnmpAccess = NO_SNMP, exclude: Iterable[str] = ()) -> list[Target]:
    """The targets that a URL stands for: one, or every address of a range but those of ``exclude`` (addresses and
    ranges). Exclusions cut the range into smaller ones that are each swept whole, because only of a range of which
    every address was asked does silence tell anything. Raises ``TargetError``."""
    scheme, separator, rest = text.partition("://")
    way, at, place = rest.rpartition("@")
    head, _, prefix = place.rpartition("/")
    if span := _SPAN.fullmatch(place):
        head = span["first"] + (span["port"] or "")
    elif not separator or not prefix.isdecimal() or not head:
        return [parse(text, ssh, snmp)]
    shown = f"{scheme}://{_public(rest)}"
    first = parse(f"{scheme}://{way}{at}{head}", ssh, snmp)
    try:
        asked = _between(first.host, span) if span else _network(f"{first.host}/{prefix}")
    except ValueError as error:
        raise TargetError(f"{shown}: not a range: {error}") from None
    size = sum(piece.num_addresses for piece in asked.pieces)
    if size > MOST_ADDRESSES:
        raise TargetError(f"{shown}: {size} addresses; a range has at most {MOST_ADDRESSES}")
    if first.ssh.jump:
        raise TargetError(f"{shown}: a range is swept directly, not through {first.ssh.jump}")
    swept = {str(piece): _borne(piece, asked) for piece in _without(asked.pieces, exclude)}
    total = sum(len(hosts) for hosts in swept.values())
    return [
        dataclasses.replace(first, host=host, sweep=Sweep(piece, number, len(hosts), asked.name, total))
        for piece, hosts in swept.items()
        for number, host in enumerate(hosts, 1)
    ]


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Asked(NamedTuple):
    """A range as it was asked for: ``pieces`` make it up; ``unborne`` addresses of it no host bears."""

    name: str
    pieces: list[Network]
    unborne: frozenset[ipaddress.IPv4Address | ipaddress.IPv6Address] = frozenset()


def _network(text: str) -> _Asked:
    """``10.0.0.0/28``; of IPv4 without its first and last address. Raises ValueError."""
    whole = ipaddress.ip_network(text)
    bare = whole.version == 4 and whole.prefixlen < 31
    return _Asked(str(whole), [whole], frozenset({whole.network_address, whole.broadcast_address} if bare else ()))


def _between(first: str, span: re.Match[str]) -> _Asked:
    """``10.0.0.5-20`` or ``10.0.0.5-10.0.1.20``, both ends with it. Raises ValueError."""
    last = span["last"] if span["whole"] else f"{span['net']}.{span['last']}"
    ends = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
    return _Asked(f"{ends[0]}-{ends[1]}", list(ipaddress.summarize_address_range(*ends)))


def _without(pieces: Iterable[Network], exclude: Iterable[str]) -> list[Network]:
    left = list(pieces)
    for text in exclude:
        try:
            gone = ipaddress.ip_network(text)
        except ValueError as error:
            raise TargetError(f"exclude {text!r}: {error}") from None
        left = [piece for one in left for piece in _minus(one, gone)]
    return sorted(left, key=lambda one: one.network_address.packed)


def _minus(one: Network, gone: Network) -> list[Network]:
    if one.version != gone.version or not one.overlaps(gone):
        return [one]
    return [] if one.prefixlen >= gone.prefixlen else list(one.address_exclude(gone))  # type: ignore[arg-type]


def _borne(piece: Network, asked: _Asked) -> list[str]:
    return [str(address) for address in piece if address not in asked.unborne]


def jumps(access: SshAccess) -> list[Target]:
    """The hosts to pass through, nearest first, each with the same way in unless its URL names another user."""
    direct = dataclasses.replace(access, jump="", pins=())
    return [parse(hop.strip(), ssh=direct) for hop in access.jump.split(",") if hop.strip()]


def _with_user(access: SshAccess, user: str, shown: str) -> SshAccess:
    user = unquote(user)
    if not user:
        return access
    if ":" in user:
        raise TargetError(f"{shown}: no password in a target; name a reference in the settings")
    if not _USER.fullmatch(user):
        raise TargetError(f"{shown}: not a user name")
    return dataclasses.replace(access, user=user)


def _with_community(access: SnmpAccess, reference: str, shown: str) -> SnmpAccess:
    if not reference:
        return access
    try:
        credentials.split(unquote(reference))
    except credentials.CredentialError as error:
        raise TargetError(f"{shown}: {error}") from None
    return dataclasses.replace(access, community=unquote(reference))


def _host_port(place: str, default: int, shown: str) -> tuple[str, int]:
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d+))?", place)
    if bracketed:
        host, port = bracketed[1], bracketed[2]
    elif place.count(":") > 1:
        host, port = place, None
    else:
        host, _, port = place.partition(":")
    number = default if not port else int(port) if port.isdecimal() else 0
    if not 0 < number < 65_536:
        raise TargetError(f"{shown}: not a port")
    return _address_or_name(host, shown), number


def _address_or_name(host: str, shown: str) -> str:
    """Addresses in their canonical form, names in lower case, so that one host has one scope."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not _HOST.fullmatch(host) or re.fullmatch(r"[0-9.]+", host):
        raise TargetError(f"{shown}: not a host name or address")
    return host.lower().removesuffix(".")


def _public(text: str) -> str:
    return text.rpartition("@")[2][:256]
