"""Records living hosts for the demo: ``python -m demo.record TRUTH OUT`` runs the agent's script on each host of a lab
(raised with ``demo/topology.py``) over SSH and writes what it printed.

The hosts share one machine's disk, so files of software that runs on another of them are left out, comments with them,
and that machine's own SSH host keys; the lab's own folder is written as ``/run/estate``. Nothing else is changed.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cmdb_agent import script, transports
from cmdb_agent.probes import probes
from cmdb_agent.settings import DEFAULT_LIMITS, SshAccess
from cmdb_agent.targets import Target
from demo.recording import Section, write_host
from demo.topology import services

FILES = {
    "haproxy": "/etc/haproxy/",
    "nginx": "/etc/nginx/",
    "postgres": "/etc/postgresql/",
    "gunicorn": "/srv/",
    "probe": "/etc/synthmon",
}
_LEFT_OUT = re.compile(r"\|\s*(#|$)|key /etc/ssh/ssh_host_(rsa|ecdsa)_key")
OF_EVERY_HOST = ("/etc/hosts", "/etc/crontab", "/etc/cron.d/")


def record(host: Mapping[str, Any], credentials: Mapping[str, Any]) -> dict[str, Section]:
    """What each section of the script printed on one host of the lab."""
    access = SshAccess(
        user=credentials["user"],
        keys=(f"file:{credentials['keys'][0]}",),
        known_hosts=(credentials["known_hosts"],),
    )
    marker = secrets.token_hex(16)
    target = Target("ssh", address(host), host["ssh"]["port"], ssh=access)
    transport = transports.open_shell(target, DEFAULT_LIMITS)
    try:
        transcript = transport.run(script.build(probes(), marker=marker))
    finally:
        transport.close()
    commands = {probe.name: [variant.command for variant in probe.variants] for probe in probes()}
    kept = (*OF_EVERY_HOST, *(FILES[service["kind"]] for service in services()[host["name"]]))
    return {
        one.section: Section(_command(commands.get(one.section), one.variant), one.code, _tidy(one.text, kept))
        for one in script.read_sections(transcript.text, marker)
    }


def _command(variants: Sequence[str] | None, chosen: int) -> str | None:
    if variants is None:
        return ""
    return variants[chosen] if chosen >= 0 else None


def address(host: Mapping[str, Any]) -> str:
    """Where the host answers."""
    return str(host["interfaces"][0]["ipv4"])


def _tidy(text: str, kept: tuple[str, ...]) -> str:
    lines, keep = [], True
    for line in text.split("\n"):
        if line.startswith("@/"):
            keep = line.removeprefix("@").startswith(kept)
        elif not line.startswith("|"):
            keep = True
        if keep and not _LEFT_OUT.match(line):
            lines.append(line)
    return re.sub(r"/run/cmdblab-[a-z]+|/etc/lab\b", "/run/estate", "\n".join(lines))


def main() -> None:
    truth, out = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2])
    for host in truth["hosts"]:
        text = f"address {address(host)}\n{write_host(record(host, truth['credentials']))}"
        (out / f"{host['name']}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
