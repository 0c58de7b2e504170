"""The addresses behind the host names that configuration files name, as this host resolves them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cmdb_agent.file_dump import collect
from cmdb_agent.observation import ConfigFile
from cmdb_agent.probe import Probe, Variant
from cmdb_agent.software import Signatures, signatures

RESOLVED = "getent:hosts"
"""The path under which the answers stand, in the form of /etc/hosts."""

_MOST = 24
"""Names that are asked for, all at once: a name server that does not answer must not hold up the scan."""
_NAME = r"[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z0-9-]+)*"


def _command(known: Signatures) -> str:
    """Names stand after ``://``, ``@``, ``host=``, ``server NAME`` and ``-h``."""
    lead = r"(://([^/@ \"]*@)?|[hH][oO][sS][tT] *[=:] *[\"]?|server +([A-Za-z0-9_.-]+ +)?|-h +|_HOST=[\"]?)"
    return (
        f"set --\n{collect(known.files())}"
        f"[ $# -gt 0 ] || exit 0\n"
        f"grep -hoE '{lead}{_NAME}' \"$@\" 2>/dev/null | grep -oE '{_NAME}$' | sort -u | head -n {_MOST}"
        " | { while read -r name; do"
        ' { getent hosts "$name" | head -n 1 | while read -r address rest; do echo "$address $name"; done; } &'
        " done; wait; }\n:"
    )


def parse(text: str) -> Iterator[ConfigFile]:
    """One ``address name`` a line, given on as a file in the form of /etc/hosts."""
    lines = sorted({" ".join(line.split()) for line in text.splitlines() if _is_pair(line.split())})
    if lines:
        yield ConfigFile(RESOLVED, "\n".join(lines))


def _is_pair(words: list[str]) -> bool:
    try:
        return len(words) == 2 and not ipaddress.ip_address(words[0]).is_loopback
    except ValueError:
        return False


def probe_for(known: Signatures) -> Probe:
    """The probe for the files that a set of signatures asks for."""
    return Probe("names", (Variant(_command(known), parse, when="command -v getent && command -v grep"),))


PROBE = probe_for(signatures())
