"""Recorded hosts and devices, played through the same script, probes and MIBs as living ones.

A recording's first line ends with the address at which the host or device answered. A host's is what the script
printed, section by section: a line ``%% begin SECTION COMMAND`` (the command as JSON), the output as it came, and a
line ``%% end SECTION CODE``. A device's is its rows, ``OID|tag|value`` a line, the tag being ASN.1's number, followed by
``x`` where the value is hexadecimal.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cmdb_agent.errors import TransportError
from cmdb_agent.observation import SnmpTransport, Transcript, Transport, Varbind, Walk
from cmdb_agent.probes import probes
from cmdb_agent.scan import Reach
from cmdb_agent.settings import Limits, SnmpAccess
from cmdb_agent.targets import Target
from cmdb_agent.transports import walker
from cmdb_agent.transports.snmp import SnmpTarget

FOLDER = Path(__file__).parent / "recordings"
_MARKER = re.compile(r"^mark=([A-Za-z0-9]+);", re.MULTILINE)
_TYPES = {
    2: "integer",
    4: "string",
    6: "oid",
    64: "address",
    65: "integer",
    66: "integer",
    67: "integer",
    70: "integer",
}


@dataclass(frozen=True, slots=True)
class Section:
    """What one command printed, and its exit code. ``command`` is empty for a section of the script's own, None when
    the host had none of the probe's commands."""

    command: str | None
    code: int
    text: str


class RecordedShell:
    """Answers a script with what the recorded host printed for the same commands."""

    def __init__(self, sections: Mapping[str, Section], address: str) -> None:
        self.sections = sections
        self.address = address

    def run(self, script: str) -> Transcript:
        """Raises ``TransportError`` for a script that is not the agent's."""
        found = _MARKER.search(script)
        if found is None:
            raise TransportError("a recording answers the agent's script only", "channel")
        parts = []
        for name, index, section in self._chosen():
            begin, end = f"\n{found[1]} begin {name} {index}\n", f"\n{found[1]} end {name} {section.code}\n"
            parts.append(f"{begin}{section.text}{end}")
        return Transcript("".join(parts), address=self.address)

    def _chosen(self) -> Iterator[tuple[str, int, Section]]:
        """Each recorded section as the variant that holds its command. Where the command
        has changed since, the first variant reads it: the format that is asked for first."""
        variants = {probe.name: [variant.command for variant in probe.variants] for probe in probes()}
        for name, section in self.sections.items():
            known = variants.get(name, [])
            if section.command is None:
                yield name, -1, section
            else:
                yield name, known.index(section.command) if section.command in known else 0, section

    def close(self) -> None:
        """Nothing is open."""


class RecordedDevice:
    """Answers like the recorded SNMP agent."""

    def __init__(self, rows: Sequence[Varbind]) -> None:
        self.rows = rows
        self.names = [row.oid for row in rows]

    def get(self, oids: Sequence[tuple[int, ...]]) -> Iterator[Varbind]:
        for name in oids:
            at = bisect_left(self.names, name)
            if at < len(self.names) and self.names[at] == name:
                yield self.rows[at]

    def walk(self, root: tuple[int, ...]) -> Walk:
        start = bisect_left(self.names, root)
        below = tuple(row for row in self.rows[start:] if row.oid[: len(root)] == root)
        return Walk(root, below, "complete")

    def close(self) -> None:
        """Nothing is open."""


def read_host(text: str) -> dict[str, Section]:
    """The sections of a recorded host, in their order."""
    sections = {}
    for piece in text.split("\n%% begin ")[1:]:
        head, _, rest = piece.partition("\n")
        name, _, command = head.partition(" ")
        body, _, code = rest.partition(f"\n%% end {name} ")
        sections[name] = Section(json.loads(command), int(code.split("\n")[0]), body)
    return sections


def write_host(sections: Mapping[str, Section]) -> str:
    """The text that ``read_host`` reads."""
    return "".join(
        f"\n%% begin {name} {json.dumps(one.command)}\n{one.text}\n%% end {name} {one.code}\n"
        for name, one in sections.items()
    )


def read_device(text: str) -> list[Varbind]:
    """The rows of a recorded device, in the order of their OIDs."""
    rows = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, tag, value = line.split("|", 2)
            kind = _TYPES[int(tag.rstrip("x"))]
            rows.append(Varbind(tuple(map(int, name.split("."))), _value(kind, tag, value), kind))
    return sorted(rows, key=lambda row: row.oid)


def _value(kind: str, tag: str, value: str) -> bytes | int | str:
    if kind == "string":
        return bytes.fromhex(value) if tag.endswith("x") else value.encode()
    return int(value) if kind == "integer" else value


def estate(folder: Path = FOLDER) -> tuple[list[Target], Reach]:
    """The recorded targets, and the reach that answers for them. A recording's first line tells its address."""
    hosts = {_address(path): path for path in sorted(folder.glob("*.txt"))}
    devices = {_address(path): path for path in sorted(folder.glob("*.snmprec"))}
    public = SnmpAccess(community=f"file:{folder / 'community'}")
    targets = [Target("ssh", address, 22) for address in hosts]
    targets += [Target("snmp", address, 161, snmp=public) for address in devices]

    def shell(target: Target, _: Limits) -> Transport:
        return RecordedShell(read_host(hosts[target.host].read_text(encoding="utf-8")), target.host)

    def snmp(target: SnmpTarget, _: walker.Limits) -> SnmpTransport:
        return RecordedDevice(read_device(devices[target.host].read_text(encoding="utf-8")))

    return targets, Reach(shell, snmp)


def _address(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        return lines.readline().split()[-1]
