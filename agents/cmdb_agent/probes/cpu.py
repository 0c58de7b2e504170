"""Processors: how many, which."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cmdb_agent.component import told
from cmdb_agent.observation import HostFacts
from cmdb_agent.probe import Probe, Variant


def parse_lscpu_json(text: str) -> Iterator[HostFacts]:
    """``lscpu -J``: pairs of field and data, nested since util-linux 2.37."""
    yield _facts(dict(_pairs(json.loads(text).get("lscpu", []))))


def _pairs(rows: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for row in rows:
        yield str(row.get("field", "")).rstrip(":"), str(row.get("data") or "")
        yield from _pairs(row.get("children", []))


def parse_lscpu(text: str) -> Iterator[HostFacts]:
    """``lscpu`` without ``-J``."""
    yield _facts(
        {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}
    )


def _facts(fields: dict[str, str]) -> HostFacts:
    sockets = _number(fields.get("Socket(s)", ""))
    cores = _number(fields.get("Core(s) per socket", ""))
    return HostFacts(
        attributes=told(
            {
                "cpu_model": fields.get("Model name"),
                "cpu_count": _number(fields.get("CPU(s)", "")),
                "cpu_sockets": sockets,
                "cpu_cores": sockets * cores if sockets and cores else None,
            }
        )
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def parse_cpuinfo(text: str) -> Iterator[HostFacts]:
    """/proc/cpuinfo; its names differ from one architecture to the next."""
    rows = [
        (name.strip(), value.strip())
        for name, sign, value in (line.partition(":") for line in text.splitlines())
        if sign
    ]
    models = [value for name, value in rows if name in ("model name", "cpu", "cpu model", "Processor")]
    count = sum(1 for name, value in rows if name == "processor" and value.isdecimal())
    s390 = sum(1 for name, _ in rows if re.fullmatch(r"processor \d+", name))
    packages = {value for name, value in rows if name == "physical id"}
    cores = [int(value) for name, value in rows if name == "cpu cores" and value.isdecimal()]
    yield HostFacts(
        attributes=told(
            {
                "cpu_model": models[0] if models else None,
                "cpu_count": count or s390 or len([name for name, _ in rows if name == "Processor"]) or None,
                "cpu_sockets": len(packages) or None,
                "cpu_cores": len(packages) * cores[0] if packages and cores else None,
            }
        )
    )


def parse_sysctl(text: str) -> Iterator[HostFacts]:
    """BSD: the lines ``hw.model`` and ``hw.ncpu``."""
    lines = text.splitlines()
    yield HostFacts(
        attributes=told({"cpu_model": lines[0].strip(), "cpu_count": _number(lines[1].strip())})
        if len(lines) > 1
        else {}
    )


PROBE = Probe(
    "cpu",
    (
        Variant("lscpu -J", parse_lscpu_json, when="lscpu -J"),
        Variant("lscpu", parse_lscpu, when="lscpu"),
        Variant("cat /proc/cpuinfo", parse_cpuinfo, when="[ -r /proc/cpuinfo ]"),
        Variant("sysctl -n hw.model hw.ncpu", parse_sysctl, when="sysctl -n hw.ncpu"),
    ),
)
