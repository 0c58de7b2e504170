"""The serial numbers and the UUID that Linux lets only root read, without ``dmidecode``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmdb_agent.component import told
from cmdb_agent.observation import HostFacts
from cmdb_agent.probe import Probe, Variant

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def parse(text: str) -> Iterator[HostFacts]:
    """Three lines: product UUID, product serial, board serial. ``cat`` leaves a missing file out, so the UUID is told
    by its form, and only three lines tell which serial is which."""
    lines = [line.strip() for line in text.splitlines()]
    uuid = lines[0] if lines and _UUID.fullmatch(lines[0]) else ""
    whole = len(lines) == 3
    pairs = (("uuid", uuid), ("serial", lines[1] if whole else ""), ("board_serial", lines[2] if whole else ""))
    yield HostFacts(
        identifiers={kind: [value] for kind, value in pairs if value},
        attributes=told({"serial_number": lines[1], "baseboard_serial": lines[2]}) if whole else {},
    )


PROBE = Probe(
    "dmi-ids",
    (
        Variant(
            "/usr/bin/cat /sys/class/dmi/id/product_uuid /sys/class/dmi/id/product_serial /sys/class/dmi/id/board_serial",
            parse,
            when="[ -e /sys/class/dmi/id/product_uuid ]",
            sudo=True,
            codes=(0, 1),
        ),
    ),
)
