"""How much memory there is, and how much of it is used now."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmdb_agent.component import in_bytes
from cmdb_agent.observation import HostFacts, Sample
from cmdb_agent.probe import Probe, Variant

_LINE = re.compile(r"^(\w+(?:\(\w+\))?):\s+(\d+)(?: kB)?", re.MULTILINE)


def parse_meminfo(text: str) -> Iterator[HostFacts | Sample]:
    """/proc/meminfo: memory and swap as attributes, memory used as a sample."""
    kilobytes = {name: int(value) for name, value in _LINE.findall(text)}
    total = kilobytes.get("MemTotal")
    if total is None:
        return
    swap = kilobytes.get("SwapTotal", 0)
    yield HostFacts(attributes={"memory": in_bytes(total * 1024), "swap": in_bytes(swap * 1024)})
    reclaimed = sum(kilobytes.get(name, 0) for name in ("MemFree", "Buffers", "Cached"))
    available = kilobytes.get("MemAvailable", reclaimed)  # missing before Linux 3.14
    yield Sample(ref="", name="system.memory.usage", value=(total - available) * 1024, unit="By")


def parse_bytes(text: str) -> Iterator[HostFacts]:
    """One number: bytes of memory (BSD ``sysctl -n hw.physmem``)."""
    found = re.search(r"\d+", text)
    if found:
        yield HostFacts(attributes={"memory": in_bytes(int(found[0]))})


def parse_prtconf(text: str) -> Iterator[HostFacts]:
    """Solaris ``prtconf`` (``Memory size: 8192 Megabytes``) and AIX ``prtconf -m`` (``Memory Size: 8192 MB``)."""
    found = re.search(r"Memory [Ss]ize:\s*(\d+)\s*(MB|Megabytes|GB|Gigabytes)", text)
    if found:
        scale = 2**30 if found[2].startswith("G") else 2**20
        yield HostFacts(attributes={"memory": in_bytes(int(found[1]) * scale)})


PROBE = Probe(
    "memory",
    (
        Variant("cat /proc/meminfo", parse_meminfo, when="[ -r /proc/meminfo ]"),
        Variant("sysctl -n hw.physmem", parse_bytes, when="sysctl -n hw.physmem"),
        Variant("prtconf -m", parse_prtconf, when='[ "`uname -s`" = AIX ]'),
        Variant("prtconf", parse_prtconf, when='[ "`uname -s`" = SunOS ]'),
    ),
)
