"""Names are resolved by a real shell; only the resolver is a stand-in, since a name server that hangs cannot be had."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cmdb_agent.probes.names import parse, probe_for
from cmdb_agent.software import signatures

SIGNATURE = """
product = "probe-of-names"
class = "application"
names = ["probe-of-names"]
[config]
files = ["{file}"]
"""
GETENT = """#!/bin/sh
touch "{asked}/$2"
tries=0
until [ "$(ls "{asked}" | wc -l)" -ge {names} ]; do
  tries=$((tries + 1)); [ $tries -lt 600 ] || exit 2
  sleep 0.05
done
echo "192.0.2.7   $2"
"""


def test_all_names_are_asked_at_once(tmp_path: Path) -> None:
    names = [f"aa{number}.example" for number in range(12)]
    configuration, asked, tools = tmp_path / "its.conf", tmp_path / "asked", tmp_path / "bin"
    configuration.write_text("".join(f"postgres://user@{name}:5432/shop\n" for name in names))
    for folder in (asked, tools, tmp_path / "software"):
        folder.mkdir()
    (tmp_path / "software" / "it.toml").write_text(SIGNATURE.format(file=configuration))
    (tools / "getent").write_text(GETENT.format(asked=asked, names=len(names)))
    (tools / "getent").chmod(0o755)
    [variant] = probe_for(signatures(tmp_path / "software")).variants
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", variant.command], env=environment, text=True, capture_output=True, check=True)
    [found] = parse(done.stdout)
    assert set(found.text.splitlines()) >= {f"192.0.2.7 {name}" for name in names}
