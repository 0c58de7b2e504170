"""Network interfaces and their addresses."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cmdb_agent.component import component
from cmdb_agent.observation import Component, HostFacts
from cmdb_agent.probe import Probe, Variant

_SOFT_KINDS = frozenset({
    "bridge", "vlan", "vxlan", "dummy", "ifb", "tun", "macvlan", "ipvlan", "macvtap", "geneve", "gre", "gretap",
    "wireguard", "team", "vrf", "nlmon", "sit", "ip6tnl", "ipip",
})  # fmt: skip
"""Link kinds that are made by software; their MAC addresses tell nothing of the machine."""
_SOFT_NAMES = re.compile(
    r"lo\d*$|docker|br-|virbr|vmbr|vnet|veth|cali|cni|flannel|cilium|lxc|lxd|tun|tap|wg|ifb|dummy|kube|ovs|vif|podman"
    r"|nodelocaldns|weave|awdl|llw|utun|gif|stf|bridge|p2p|vlan|bond.*\.|enc|pf|.*\.\d+$"
)
_ETHERNET_NAME = re.compile(r"(eth|en)[a-z]*\d")
_MAC = re.compile(r"[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}")


@dataclass(slots=True)
class _Interface:
    name: str
    mac: str = ""
    permanent_mac: str = ""
    kind: str = ""
    mtu: int | None = None
    up: bool | None = None
    running: bool | None = None
    addresses: list[str] = field(default_factory=list)


def _facts(interfaces: Iterable[_Interface]) -> Iterator[Component | HostFacts]:
    macs = set()
    for interface in interfaces:
        yield component(
            "network_interface",
            interface.name,
            {
                "name": interface.name,
                "if_name": interface.name,
                "mac_address": _normal_mac(interface.mac),
                "ip_addresses": sorted(set(interface.addresses)),
                "mtu": interface.mtu,
                "admin_status": _status(interface.up),
                "oper_status": _status(interface.running),
                "kind": interface.kind,
            },
        )
        if _is_real(interface):
            macs.add(_normal_mac(interface.permanent_mac or interface.mac))
    macs.discard("")
    if macs:
        yield HostFacts(identifiers={"mac": sorted(macs)})


def _status(value: bool | None) -> str | None:
    return None if value is None else "up" if value else "down"


def _normal_mac(text: str) -> str:
    """``0:3:ba:1:2:3`` as ``00:03:ba:01:02:03``; empty when it is no MAC or nothing but zeros."""
    text = text.lower().replace("-", ":")
    if not _MAC.fullmatch(text):
        return ""
    mac = ":".join(part.zfill(2) for part in text.split(":"))
    return "" if mac == "00:00:00:00:00:00" else mac


def _is_real(interface: _Interface) -> bool:
    """Whether the MAC belongs to the machine. A veth does only when it is the machine's own Ethernet, as in a
    container; its other end on the host is not."""
    if interface.kind == "veth":
        return _ETHERNET_NAME.match(interface.name) is not None
    return interface.kind not in _SOFT_KINDS and not _SOFT_NAMES.match(interface.name)


def _address(text: str) -> str | None:
    """An address worth telling, without zone and prefix: neither loopback nor link-local."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0].partition("/")[0])
    except ValueError:
        return None
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return None
    return str(address)


def parse_ip_json(text: str) -> Iterator[Component | HostFacts]:
    """``ip -j -d addr``."""
    found = []
    for row in json.loads(text):
        name = row.get("ifname")
        if not name or row.get("link_type") == "loopback":
            continue
        flags = row.get("flags", [])
        told = [_address(info.get("local", "")) for info in row.get("addr_info", []) if info.get("local")]
        found.append(
            _Interface(
                name, row.get("address", ""), row.get("permaddr", ""), row.get("linkinfo", {}).get("info_kind", ""),
                row.get("mtu"), "UP" in flags, row.get("operstate") == "UP" or "LOWER_UP" in flags,
                [address for address in told if address],
            )
        )  # fmt: skip
    yield from _facts(found)


_IP_HEAD = re.compile(r"^\d+:\s+([^\s:@]+)(?:@\S+)?:\s+<([^>]*)>(?:.*?\bmtu (\d+))?")
_IP_LINK = re.compile(r"^\s+link/(\S+)(?:\s+([0-9a-f:]+))?(?:.*\bpermaddr ([0-9a-f:]+))?")
_IP_INET = re.compile(r"^\s+inet6?\s+(\S+)")


def parse_ip_text(text: str) -> Iterator[Component | HostFacts]:
    """``ip addr``."""
    found: list[_Interface] = []
    for line in text.splitlines():
        if head := _IP_HEAD.match(line):
            flags = head[2].split(",")
            found.append(
                _Interface(
                    head[1], mtu=int(head[3]) if head[3] else None, up="UP" in flags, running="LOWER_UP" in flags
                )
            )
        elif found and (link := _IP_LINK.match(line)):
            found[-1].kind = "loopback" if link[1] == "loopback" else found[-1].kind
            found[-1].mac, found[-1].permanent_mac = link[2] or "", link[3] or ""
        elif found and (inet := _IP_INET.match(line)) and (address := _address(inet[1])):
            found[-1].addresses.append(address)
    yield from _facts(interface for interface in found if interface.kind != "loopback")


_IF_HEAD = re.compile(r"^([^\s:]+(?::\w+)?)(?::\s|\s+Link encap|:$|\s{2,})")
_IF_MAC = re.compile(r"(?:HWaddr|ether|address:|lladdr)\s+([0-9A-Fa-f:]{11,17})\b")
_IF_INET = re.compile(r"inet6?\s+(?:addr:\s?)?([0-9A-Fa-f.:]+)")
_IF_MTU = re.compile(r"\bmtu[: ]\s*(\d+)", re.IGNORECASE)
_IF_FLAGS = re.compile(r"flags=\S*<([^>]*)>|^\s+((?:UP|BROADCAST|LOOPBACK)[A-Z ]*?)\s+MTU")


def parse_ifconfig(text: str) -> Iterator[Component | HostFacts]:
    """``ifconfig -a``: net-tools old and new, the BSDs, macOS, Solaris, AIX. An alias (``eth0:1``) adds its address to
    the interface it stands on."""
    found: dict[str, _Interface] = {}
    current: _Interface | None = None
    for line in text.splitlines():
        if head := _IF_HEAD.match(line):
            name = head[1].partition(":")[0]
            current = found.setdefault(name, _Interface(name))
        if current is not None:
            _read_ifconfig_line(current, line)
    yield from _facts(interface for interface in found.values() if interface.kind != "loopback")


def _read_ifconfig_line(interface: _Interface, line: str) -> None:
    if flags := _IF_FLAGS.search(line):
        words = re.split(r"[ ,]", flags[1] if flags[2] is None else flags[2])
        interface.up, interface.running = "UP" in words, "RUNNING" in words
        interface.kind = "loopback" if "LOOPBACK" in words else interface.kind
    if mac := _IF_MAC.search(line):
        interface.mac = mac[1]
    if mtu := _IF_MTU.search(line):
        interface.mtu = int(mtu[1])
    for inet in _IF_INET.findall(line):
        if address := _address(inet):
            interface.addresses.append(address)


def parse_sysfs(text: str) -> Iterator[Component | HostFacts]:
    """Lines ``name mac mtu operstate flags`` of /sys/class/net, and ``address …`` lines with the host's own addresses
    of /proc/net/fib_trie, which do not say whose they are: told when there is one interface, else left out."""
    found, addresses = [], []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["address"]:
            addresses += [address for address in map(_address, words[1:]) if address]
        elif len(words) >= 5 and words[2].isdecimal() and words[0] != "lo":
            up = bool(int(words[4], 16) & 1) if re.fullmatch(r"0x[0-9a-f]+", words[4]) else None
            found.append(_Interface(words[0], words[1], mtu=int(words[2]), up=up, running=words[3] == "up"))
    if len(found) == 1:
        found[0].addresses = addresses
    yield from _facts(found)


_SYSFS_COMMAND = """\
for d in /sys/class/net/*; do
  [ -r $d/address ] || continue
  echo "${d##*/} `cat $d/address` `cat $d/mtu` `cat $d/operstate` `cat $d/flags`"
done
awk '/32 host LOCAL/ {print "address", previous} {previous = $2}' /proc/net/fib_trie 2>/dev/null | sort -u
:"""

PROBE = Probe(
    "interfaces",
    (
        Variant("ip -j -d addr", parse_ip_json, when="ip -j -d addr show lo"),
        Variant("ip addr", parse_ip_text, when="ip addr show lo"),
        Variant("ifconfig -a", parse_ifconfig, when="ifconfig -a"),
        Variant(_SYSFS_COMMAND, parse_sysfs, when="[ -d /sys/class/net ]", partial_without_sudo=True),
    ),
)
