"""Disks: size, model, serial number."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cmdb_agent.component import component, in_bytes
from cmdb_agent.observation import Component
from cmdb_agent.probe import Probe, Variant


def _disk(name: str, size: int | None, **told: str) -> Component:
    attributes = {
        "name": name,
        "device": f"/dev/{name}",
        "size": in_bytes(size),
        **{key: value.strip() for key, value in told.items()},
    }
    return component(
        "disk", name, attributes,
        {"serial": _values(told.get("serial_number")), "wwn": _values(told.get("wwid"))},
    )  # fmt: skip


def _values(text: str | None) -> list[str]:
    return [text.strip()] if text and text.strip() else []


def parse_lsblk(text: str) -> Iterator[Component]:
    """``lsblk -J -b -d``. Loop devices, RAM disks and floppies are left out."""
    for row in json.loads(text).get("blockdevices", []):
        if row.get("type") == "disk" and not re.match(r"(?:ram|zram|loop|fd|nbd)\d", row.get("name", "")):
            yield _row(row)


def _row(row: dict[str, Any]) -> Component:
    size = str(row.get("size") or "")
    return _disk(
        row["name"], int(size) if size.isdecimal() else None,
        model_number=row.get("model") or "", serial_number=row.get("serial") or "", manufacturer=row.get("vendor") or "",
        wwid=row.get("wwn") or "", interface=row.get("tran") or "",
    )  # fmt: skip


def parse_partitions(text: str) -> Iterator[Component]:
    """/proc/partitions: whole disks by their names, sizes in KiB."""
    for line in text.splitlines():
        words = line.split()
        if (
            len(words) == 4
            and words[2].isdecimal()
            and re.fullmatch(r"(?:sd|vd|hd|xvd)[a-z]+|nvme\d+n\d+|mmcblk\d+", words[3])
        ):
            yield _disk(words[3], int(words[2]) * 1024)


PROBE = Probe(
    "disks",
    (
        Variant(
            "lsblk -J -b -d -o NAME,TYPE,SIZE,MODEL,SERIAL,VENDOR,WWN,TRAN",
            parse_lsblk,
            when="lsblk -J -b -d -o NAME,TYPE,SIZE,MODEL,SERIAL,VENDOR,WWN,TRAN",
        ),
        Variant("cat /proc/partitions", parse_partitions, when="[ -r /proc/partitions ]"),
    ),
)
