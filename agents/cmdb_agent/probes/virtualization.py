"""Whether the host is a virtual machine or a container, and of what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cmdb_agent.observation import HostFacts
from cmdb_agent.probe import Probe, Variant


def parse_detect(text: str) -> Iterator[HostFacts]:
    """``systemd-detect-virt``: one word, ``none`` for bare metal (exit code 1)."""
    word = text.strip()
    if re.fullmatch(r"[a-z][a-z0-9-]*", word):
        yield HostFacts(attributes={"virtualization": word, "is_virtual": word != "none"})


def parse_cpuinfo(text: str) -> Iterator[HostFacts]:
    """/proc/cpuinfo: the CPU flag tells that there is a hypervisor, not which."""
    if text.strip():
        virtual = "hypervisor" in text.split()
        yield HostFacts(attributes={"virtualization": "vm-other" if virtual else "none", "is_virtual": virtual})


PROBE = Probe(
    "virtualization",
    (
        Variant("systemd-detect-virt", parse_detect, when="command -v systemd-detect-virt", codes=(0, 1)),
        Variant("grep -m 1 '^flags' /proc/cpuinfo", parse_cpuinfo, when="grep '^flags' /proc/cpuinfo"),
    ),
)
