"""What tells one host from another: its names, its machine-id and the fingerprints of its SSH host keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence

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
  case "$f" in *host*) [ -r "$f" ] && echo "key $f `cat "$f"`";; esac
done
for f in /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf; do
  [ -r "$f" ] && sed -n 's/^ *[Hh][Oo][Ss][Tt][Kk][Ee][Yy] *[ =] *"*\\([^" ]*\\).*/used \\1/p' "$f"
done
:"""


def parse(text: str) -> Iterator[HostFacts]:
    """Identifiers ``name``, ``fqdn``, ``machine_id``, ``uuid``, ``ssh_host_key`` (``SHA256:…``); attributes alike."""
    rows = [line.partition(" ")[::2] for line in text.splitlines()]
    found = {_KINDS[kind]: rest.strip() for kind, rest in reversed(rows) if kind in _KINDS and rest.strip()}
    name = found.get("name", "")
    fqdn = next((one for one in (found.get("fqdn", ""), name) if "." in one), "")
    told_ids = {"name": name, "fqdn": fqdn, "machine_id": found.get("machine_id", ""), "uuid": found.get("uuid", "")}
    identifiers = {kind: [value] for kind, value in told_ids.items() if value}
    if keys := _host_keys(rows):
        identifiers["ssh_host_key"] = keys
    attributes = {"name": name, "host.name": name, "fqdn": fqdn, "machine_id": told_ids["machine_id"]}
    yield HostFacts(identifiers=identifiers, attributes=told(attributes))


def _host_keys(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Fingerprints of the keys that sshd's configuration names; of all that lie there when it names none. Keys that
    are not in use may be an image's, alike on all its clones."""
    used = {f"{path}.pub" for kind, path in rows if kind == "used"}
    keys = [rest.partition(" ")[::2] for kind, rest in rows if kind == "key"]
    chosen = [line for path, line in keys if path in used] or [line for _, line in keys]
    return sorted({print_ for print_ in map(fingerprint, chosen) if print_})


_KINDS = {"name": "name", "fqdn": "fqdn", "machine_id": "machine_id", "host_uuid": "uuid"}


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
