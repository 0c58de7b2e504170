"""Makes the SNMP tables of the demo's two switches: ``python -m demo.switches OUT``.

They are made, not recorded: the rows are those that IF-MIB (RFC 2863), IP-MIB (RFC 4293), ENTITY-MIB (RFC 6933),
BRIDGE-MIB (RFC 4188), Q-BRIDGE-MIB (RFC 4363) and LLDP-MIB (IEEE 802.1AB) prescribe; the enterprise number is the one
for examples (RFC 5612). The hosts behind the ports are those of the recorded hosts, by their MAC addresses.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from demo.recording import FOLDER

UPLINK = 8
INTEGER, STRING, OID, ADDRESS, GAUGE, TICKS = 2, 4, 6, 64, 66, 67
Row = tuple[str, int, int | str | bytes]


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch: the hosts on its ports 1, 2, ..., and the switch at the other end of its uplink."""

    name: str
    address: str
    mac: bytes
    serial: str
    hosts: tuple[str, ...]


# Locally administered addresses: no maker's.
ONE = Switch("sw1", "10.84.0.2", bytes.fromhex("06005e100100"), "EX2408A0117", ("lb1", "web1", "app1", "db1"))
TWO = Switch("sw2", "10.84.0.3", bytes.fromhex("06005e100200"), "EX2408A0122", ("web2", "db2", "mon1"))


def rows(switch: Switch, other: Switch) -> Iterator[Row]:
    """All rows of one switch."""
    yield from _system(switch)
    for port in range(1, UPLINK + 1):
        yield from _interface(switch, port)
    yield from _address(switch)
    yield from _chassis(switch)
    yield "1.3.6.1.2.1.17.1.1.0", STRING, switch.mac
    yield "1.3.6.1.2.1.17.1.2.0", INTEGER, UPLINK
    for port in range(1, UPLINK + 1):
        yield f"1.3.6.1.2.1.17.1.4.1.2.{port}", INTEGER, port
    yield from _forwarding(switch, other)
    yield from _neighbours(switch, other)


def _system(switch: Switch) -> Iterator[Row]:
    yield "1.3.6.1.2.1.1.1.0", STRING, "Example Networks ES-2408 switch, software 4.2.1"
    yield "1.3.6.1.2.1.1.2.0", OID, "1.3.6.1.4.1.32473.1.2408"
    yield "1.3.6.1.2.1.1.3.0", TICKS, 812_344_120
    yield "1.3.6.1.2.1.1.4.0", STRING, "network operations"
    yield "1.3.6.1.2.1.1.5.0", STRING, switch.name
    yield "1.3.6.1.2.1.1.6.0", STRING, "Room 1, rack 1"
    yield "1.3.6.1.2.1.1.7.0", INTEGER, 2
    yield "1.3.6.1.2.1.2.1.0", INTEGER, UPLINK


def _mac(switch: Switch, port: int) -> bytes:
    return switch.mac[:-1] + bytes([port])


def _interface(switch: Switch, port: int) -> Iterator[Row]:
    up = 1 if port <= len(switch.hosts) or port == UPLINK else 2
    alias = switch.hosts[port - 1] if port <= len(switch.hosts) else "uplink" if port == UPLINK else ""
    old, new = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
    yield f"{old}.1.{port}", INTEGER, port
    yield f"{old}.2.{port}", STRING, f"GigabitEthernet0/{port}"
    yield f"{old}.3.{port}", INTEGER, 6
    yield f"{old}.4.{port}", INTEGER, 1500
    yield f"{old}.5.{port}", GAUGE, 1_000_000_000
    yield f"{old}.6.{port}", STRING, _mac(switch, port)
    yield f"{old}.7.{port}", INTEGER, 1
    yield f"{old}.8.{port}", INTEGER, up
    yield f"{new}.1.{port}", STRING, f"Gi0/{port}"
    yield f"{new}.15.{port}", GAUGE, 1000
    yield f"{new}.17.{port}", INTEGER, 1
    yield f"{new}.18.{port}", STRING, alias


def _address(switch: Switch) -> Iterator[Row]:
    table = "1.3.6.1.2.1.4.20.1"
    yield f"{table}.1.{switch.address}", ADDRESS, switch.address
    yield f"{table}.2.{switch.address}", INTEGER, UPLINK
    yield f"{table}.3.{switch.address}", ADDRESS, "255.255.255.0"
    yield "1.3.6.1.2.1.4.1.0", INTEGER, 2


def _chassis(switch: Switch) -> Iterator[Row]:
    table = "1.3.6.1.2.1.47.1.1.1.1"
    told: list[tuple[int, int, int | str]] = [
        (2, STRING, "ES-2408 chassis"),
        (4, INTEGER, 0),
        (5, INTEGER, 3),
        (6, INTEGER, -1),
        (7, STRING, "Chassis"),
        (8, STRING, "B"),
        (10, STRING, "4.2.1"),
        (11, STRING, switch.serial),
        (12, STRING, "Example Networks"),
        (13, STRING, "ES-2408"),
        (16, INTEGER, 1),
    ]
    for column, kind, value in told:
        yield f"{table}.{column}.1", kind, value


def _forwarding(switch: Switch, other: Switch) -> Iterator[Row]:
    """Which MAC address was learned on which port: the hosts on theirs, all others on the uplink."""
    learned = [(host_mac(name), port) for port, name in enumerate(switch.hosts, 1)]
    learned += [(mac, UPLINK) for mac in (other.mac, *map(host_mac, other.hosts))]
    for mac, port in learned:
        index = ".".join(map(str, mac))
        yield f"1.3.6.1.2.1.17.4.3.1.1.{index}", STRING, mac
        yield f"1.3.6.1.2.1.17.4.3.1.2.{index}", INTEGER, port
        yield f"1.3.6.1.2.1.17.4.3.1.3.{index}", INTEGER, 3


def _neighbours(switch: Switch, other: Switch) -> Iterator[Row]:
    """What LLDP says of itself and of the switch at the other end of the uplink."""
    lldp = "1.0.8802.1.1.2.1"
    yield f"{lldp}.3.1.0", INTEGER, 4
    yield f"{lldp}.3.2.0", STRING, switch.mac
    yield f"{lldp}.3.3.0", STRING, switch.name
    for port in range(1, UPLINK + 1):
        yield f"{lldp}.3.7.1.2.{port}", INTEGER, 5
        yield f"{lldp}.3.7.1.3.{port}", STRING, f"Gi0/{port}"
        yield f"{lldp}.3.7.1.4.{port}", STRING, f"GigabitEthernet0/{port}"
    remote = f"0.{UPLINK}.1"
    told: list[tuple[int, int, int | str | bytes]] = [
        (4, INTEGER, 4),
        (5, STRING, other.mac),
        (6, INTEGER, 5),
        (7, STRING, f"Gi0/{UPLINK}"),
        (8, STRING, f"GigabitEthernet0/{UPLINK}"),
        (9, STRING, other.name),
        (10, STRING, "Example Networks ES-2408 switch, software 4.2.1"),
    ]
    for column, kind, value in told:
        yield f"{lldp}.4.1.1.{column}.{remote}", kind, value


def host_mac(name: str) -> bytes:
    """The MAC address of a recorded host's first network interface."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    found = re.search(r'"ifname":\s*"eth0".*?"address":\s*"([0-9a-f:]{17})"', text, re.DOTALL)
    if found is None:
        raise ValueError(f"{name}: no eth0")
    return bytes.fromhex(found[1].replace(":", ""))


def line(row: Row) -> str:
    """One row as it is written."""
    name, tag, value = row
    return f"{name}|{tag}x|{value.hex()}" if isinstance(value, bytes) else f"{name}|{tag}|{value}"


def main() -> None:
    out = Path(sys.argv[1])
    for switch, other in ((ONE, TWO), (TWO, ONE)):
        lines = [f"# made by demo/switches.py; answers at {switch.address}", *map(line, rows(switch, other))]
        (out / f"{switch.name}.snmprec").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
