"""Every form in which hosts list their sockets, read into ``Socket`` values: ss, netstat, sockstat, /proc/net."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from cmdb_agent.observation import Socket

_USER = re.compile(r'\("((?:[^"\\]|\\.)*)",pid=(\d+)')
_UID = re.compile(r"\buid:(\d+)")
_STATES = {
    "LISTEN": "LISTEN", "ESTAB": "ESTAB", "ESTABLISHED": "ESTAB", "TIME-WAIT": "TIME-WAIT", "TIME_WAIT": "TIME-WAIT",
    "CLOSE-WAIT": "CLOSE-WAIT", "CLOSE_WAIT": "CLOSE-WAIT", "FIN-WAIT-1": "FIN-WAIT-1", "FIN_WAIT1": "FIN-WAIT-1",
    "FIN_WAIT_1": "FIN-WAIT-1", "FIN-WAIT-2": "FIN-WAIT-2", "FIN_WAIT2": "FIN-WAIT-2", "FIN_WAIT_2": "FIN-WAIT-2",
    "LAST-ACK": "LAST-ACK", "LAST_ACK": "LAST-ACK", "SYN-SENT": "SYN-SENT", "SYN_SENT": "SYN-SENT",
    "SYN-RECV": "SYN-RECV", "SYN_RECV": "SYN-RECV", "CLOSING": "CLOSING", "CLOSED": "CLOSED", "UNCONN": "UNCONN",
    "IDLE": "IDLE", "BOUND": "BOUND",
}  # fmt: skip
_PROC_STATES = {
    "01": "ESTAB", "02": "SYN-SENT", "03": "SYN-RECV", "04": "FIN-WAIT-1", "05": "FIN-WAIT-2", "06": "TIME-WAIT",
    "07": "UNCONN", "08": "CLOSE-WAIT", "09": "LAST-ACK", "0A": "LISTEN", "0B": "CLOSING",
}  # fmt: skip

Protocol = Literal["tcp", "udp"]


@lru_cache(maxsize=4096)
def plain_address(text: str) -> str | None:
    """An address in its shortest form, without brackets and zone; mapped IPv4 as IPv4, ``*`` as ``::`` (any). None
    when it is no address."""
    text = text.strip("[]").partition("%")[0].strip("[]")
    if text in ("*", ""):
        return "::"
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _end(text: str, separator: str = ":") -> tuple[str, int] | None:
    """``address:port``; port 0 for ``*``. None when it is something else, such as a path or a service's name."""
    host, _, port = text.rpartition(separator)
    address = plain_address(host)
    if address is None or not (port.isdecimal() or port == "*"):
        return None
    return address, 0 if port == "*" else int(port)


def _socket(
    protocol: Protocol, state: str, local: tuple[str, int] | None, peer: tuple[str, int] | None,
    processes: tuple[tuple[str, int], ...] = (), uid: int = -1,
) -> Iterator[Socket]:  # fmt: skip
    if local is None or not state:
        return
    if peer is None or peer[1] == 0:
        peer = ("", 0)
    yield Socket(protocol, state, *local, *peer, processes=processes, uid=uid)


def parse_ss(text: str) -> Iterator[Socket]:
    """``ss -t|-u`` with ``-n`` and any of ``-l -a -p -e``, with or without header and protocol column."""
    for line in text.splitlines():
        words = line.split(maxsplit=6)
        if len(words) < 5:
            continue
        protocol: Protocol = "tcp"
        if words[0] in ("tcp", "udp"):
            protocol = "udp" if words[0] == "udp" else "tcp"
            words = words[1:]
        else:
            words = line.split(maxsplit=5)
        state = _STATES.get(words[0], "")
        if not state or len(words) < 5 or not words[1].isdecimal():
            continue
        rest = words[5] if len(words) > 5 else ""
        processes = tuple(dict.fromkeys((name, int(pid)) for name, pid in _USER.findall(rest)))
        yield from _socket(protocol, state, _end(words[3]), _end(words[4]), processes, _uid(rest, line))


def _uid(rest: str, line: str) -> int:
    """``ss -e`` leaves the uid out when it is root's; without ``-e`` nothing is known."""
    found = _UID.search(rest)
    if found:
        return int(found[1])
    return 0 if " sk:" in line and "timewait" not in line else -1


def parse_proc_net(text: str) -> Iterator[Socket]:
    """The tables /proc/net/{tcp,tcp6,udp,udp6}, each after a line with its name."""
    protocol: Protocol = "tcp"
    for line in text.splitlines():
        words = line.split()
        if len(words) == 1:
            protocol = "udp" if words[0].startswith("udp") else "tcp"
        if len(words) < 8 or ":" not in words[1] or not words[0].endswith(":"):
            continue
        state = _PROC_STATES.get(words[3], "")
        uid = -1 if state == "TIME-WAIT" or not words[7].isdecimal() else int(words[7])
        yield from _socket(protocol, state, _hex_end(words[1]), _hex_end(words[2]), uid=uid)


def _hex_end(text: str) -> tuple[str, int] | None:
    """``0100007F:0016``: each four bytes of the address in the host's order, which is taken for little-endian."""
    raw, _, port = text.partition(":")
    try:
        data = bytes.fromhex(raw)
        swapped = b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))
        return plain_address(str(ipaddress.ip_address(swapped))) or "", int(port, 16)
    except ValueError:
        return None


_NETSTAT_PROCESS = re.compile(r"(\d+)/(\S.*?)\s*$")


def parse_netstat(text: str) -> Iterator[Socket]:
    """``netstat -an``: of net-tools (with ``-p``: process), the BSDs, macOS, AIX and HP-UX. Names instead of numbers
    (without ``-n``) are left out."""
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[1].startswith(("tcp", "udp")):
            words = words[1:]  # the BSDs' -A puts the control block's address first
        if len(words) < 4 or not words[0].startswith(("tcp", "udp")):
            continue
        protocol: Protocol = "udp" if words[0].startswith("udp") else "tcp"
        if len(words) < 5 or not (words[1].isdecimal() and words[2].isdecimal()):
            continue
        state = next((_STATES[word] for word in words[5:6] if word in _STATES), "UNCONN" if protocol == "udp" else "")
        found = _NETSTAT_PROCESS.search(line)
        processes = ((found[2].partition(":")[0], int(found[1])),) if found and len(words) > 5 else ()
        yield from _socket(protocol, state, _either_end(words[3], words[0]), _either_end(words[4], words[0]), processes)


def _either_end(text: str, protocol: str) -> tuple[str, int] | None:
    """``10.0.0.1:22`` as Linux writes it, or ``10.0.0.1.22``, ``*.22`` as the others do."""
    if ":" in text and (found := _end(text)):
        found_any = found[0] == "::" and text.startswith("*:") and not protocol.endswith("6")
        return ("0.0.0.0", found[1]) if found_any else found  # noqa: S104 - what the host told, nothing is bound
    dotted = _end(text, ".")
    if dotted and text.startswith("*.") and not protocol.endswith("6"):
        return "0.0.0.0", dotted[1]  # noqa: S104
    return dotted


def parse_solaris_netstat(text: str) -> Iterator[Socket]:
    """Solaris ``netstat -an -f inet|inet6``: the protocol stands above each table."""
    protocol: Protocol = "tcp"
    for line in text.splitlines():
        if line.startswith(("TCP", "UDP")):
            protocol = "tcp" if line.startswith("TCP") else "udp"
        words = line.split()
        if len(words) < 2:
            continue
        state = _STATES.get(words[-1], "UNCONN" if protocol == "udp" and words[-1].lower() == "idle" else "")
        if state and state not in ("IDLE", "BOUND"):
            peer = _either_end(words[1], "tcp") if len(words) > 2 else None
            yield from _socket(protocol, state, _either_end(words[0], "tcp"), peer)


def parse_sockstat(text: str) -> Iterator[Socket]:
    """FreeBSD ``sockstat -46``: USER COMMAND PID FD PROTO LOCAL FOREIGN, and with ``-s`` the state."""
    for line in text.splitlines():
        words = line.split()
        if len(words) < 7 or not words[2].isdecimal() or not words[4].startswith(("tcp", "udp")):
            continue
        protocol: Protocol = "udp" if words[4].startswith("udp") else "tcp"
        told = _STATES.get(words[7], "") if len(words) > 7 else ""
        idle = words[6] == "*:*"
        state = told or ("UNCONN" if protocol == "udp" else "LISTEN" if idle else "ESTAB")
        processes = ((words[1], int(words[2])),)
        yield from _socket(protocol, state, _either_end(words[5], words[4]), _either_end(words[6], words[4]), processes)
