"""Address translation as a real kernel tells it, in a network namespace of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from cmdb_agent.observation import Component, Relation
from cmdb_agent.probes.conntrack import parse_conntrack

MISSING = next((f"needs {tool}" for tool in ("unshare", "ip", "nft") if not shutil.which(tool)), "")
TRANSLATE = r"""
set -e
ip link set lo up
ip address add 10.9.9.9/32 dev lo
ip address add 10.9.8.8/32 dev lo
nft add table ip nat
nft add chain ip nat out '{ type nat hook output priority -100; }'
nft add rule ip nat out ip daddr 10.9.9.9 tcp dport 80 dnat to 10.9.8.8:8080
exec "$0" -c '
import socket
server = socket.create_server(("10.9.8.8", 8080))
client = socket.create_connection(("10.9.9.9", 80))
direct = socket.create_connection(("10.9.8.8", 8080))
print(open("/proc/net/nf_conntrack").read())'
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the test makes a network namespace")
@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_a_translated_connection_of_a_real_kernel() -> None:
    command = ["unshare", "--net", "sh", "-c", TRANSLATE, sys.executable]
    done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=60)
    if "nf_conntrack" in done.stderr:
        pytest.skip("needs a kernel that lists its connection tracking in /proc/net/nf_conntrack")
    assert done.returncode == 0, done.stderr
    facts = list(parse_conntrack(done.stdout))
    assert [fact.local_key for fact in facts if isinstance(fact, Component)] == ["tcp:10.9.9.9:80"]
    assert [(fact.to.address, fact.to.port) for fact in facts if isinstance(fact, Relation)] == [("10.9.8.8", 8080)]
