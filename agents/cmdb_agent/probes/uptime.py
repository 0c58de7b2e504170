"""How long the host has been running."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmdb_agent.observation import Sample
from cmdb_agent.probe import Probe, Variant

_UPTIME = re.compile(
    r"\bup\s+(?:(?P<days>\d+)\s+days?,?\s*)?(?:(?P<hours>\d+):(?P<minutes>\d\d)|(?P<only_hours>\d+)\s*h(?:rs?|ours?)?"
    r"|(?P<only_minutes>\d+)\s*min)?"
)


def parse_proc(text: str) -> Iterator[Sample]:
    """/proc/uptime: the first number, in seconds."""
    yield _sample(float(text.split()[0]))


def parse_uptime(text: str) -> Iterator[Sample]:
    """``uptime``: to the minute."""
    found = _UPTIME.search(text)
    if found:
        part = {name: int(value) for name, value in found.groupdict(default="0").items()}
        hours = part["hours"] + part["only_hours"]
        yield _sample(part["days"] * 86400 + hours * 3600 + (part["minutes"] + part["only_minutes"]) * 60)


def _sample(seconds: float) -> Sample:
    return Sample(ref="", name="system.uptime", value=seconds, unit="s")


PROBE = Probe(
    "uptime",
    (
        Variant("cat /proc/uptime", parse_proc, when="[ -r /proc/uptime ]"),
        Variant("uptime", parse_uptime, when="command -v uptime"),
    ),
)
