"""What tells one host from another: its names, its machine-id and the fingerprints of its SSH host keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator

from cmdb_agent.component import told
from cmdb_agent.observation import HostFacts
from cmdb_agent.probe import Probe, Variant

# ``hostname -f`` would rename a Solaris or HP-UX host, so it is asked on Linux only.
_COMMAND = """\
echo "name `uname -n`"
if [ "`uname -s`" = Linux ]; then echo "fqdn `hostname -f 2>/dev/null`"; fi
for f in /etc/machine-id /var/lib/dbus/machine-id /etc/hostid; do
  if [ -r "$f" ]; then echo "machine_id `cat "$f"`"; break; fi
done
if command -v kenv >/dev/null 2>&1; then echo "host_uuid `kenv -q smbios.system.uuid`"; fi
for f in /etc/ssh/*.pub /usr/local/etc/ssh/*.pub /opt/ssh/etc/*.pub /etc/openssh/*.pub; do
  case "$f" in *host*) [ -r "$f" ] && echo "key `cat "$f"`";; esac
done
:"""


def parse(text: str) -> Iterator[HostFacts]:
    """Identifiers ``name``, ``fqdn``, ``machine_id``, ``ssh_host_key`` (``SHA256:…``); attributes name and fqdn."""
    told_lines = [line.partition(" ")[::2] for line in text.splitlines()]
    found: dict[str, list[str]] = {}
    for kind, rest in told_lines:
        value = fingerprint(rest) if kind == "key" else rest.strip()
        if value and kind in _KINDS:
            found.setdefault(_KINDS[kind], []).append(value)
    name = next(iter(found.get("name", ())), "")
    fqdns = [fqdn for fqdn in (*found.get("fqdn", ()), name) if "." in fqdn]
    if fqdns:
        found["fqdn"] = fqdns[:1]
    else:
        found.pop("fqdn", None)
    if "ssh_host_key" in found:
        found["ssh_host_key"] = sorted(set(found["ssh_host_key"]))
    yield HostFacts(identifiers=found, attributes=told({"name": name, "fqdn": fqdns[0] if fqdns else None}))


_KINDS = {"name": "name", "fqdn": "fqdn", "machine_id": "machine_id", "host_uuid": "uuid", "key": "ssh_host_key"}


def fingerprint(line: str) -> str:
    """OpenSSH's SHA-256 fingerprint of one line of a ``.pub`` file; empty when the line is none."""
    words = line.split()
    if len(words) < 2:
        return ""
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return ""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


PROBE = Probe("identity", (Variant(_COMMAND, parse),))
