"""Debian's snmpd on loopback: the real agent, for v2c and v3."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cmdb_agent.transports.snmp import SnmpTarget, SnmpUser, open_snmp
from cmdb_agent.transports.walker import Limits

SNMPD = shutil.which("snmpd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
COMMUNITY = "loopback"
AUTH, PRIVACY = "authenticate-me", "conceal-me-too"
USERS = (
    SnmpUser("sha256aes128", "SHA-256", AUTH, "AES-128", PRIVACY),
    SnmpUser("sha512aes256", "SHA-512", AUTH, "AES-256", PRIVACY),
    SnmpUser("sha1aes128", "SHA-1", AUTH, "AES-128", PRIVACY),
    SnmpUser("md5des", "MD5", AUTH, "DES", PRIVACY),
    SnmpUser("sha256only", "SHA-256", AUTH),
)
_NAMES = {"SHA-1": "SHA", "AES-128": "AES", "AES-256": "AES-256"}


def _created(user: SnmpUser) -> str:
    words = [user.name, _NAMES.get(user.auth_protocol or "", user.auth_protocol), user.auth_password]
    if user.priv_protocol:
        words += [_NAMES.get(user.priv_protocol, user.priv_protocol), user.priv_password]
    return f"createUser {' '.join(map(str, words))}\nrouser {user.name} {'priv' if user.priv_protocol else 'auth'}\n"


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, name: str = "gateway.example.net") -> Iterator[int]:
    """The port of an snmpd that keeps its state in ``folder``."""
    assert SNMPD
    port, config = _free_port(), folder / "snmpd.conf"
    config.write_text(
        f"agentaddress udp:127.0.0.1:{port}\nrocommunity {COMMUNITY}\nsysName {name}\nsysLocation rack 4\n"
        f"sysContact operations\nsysServices 72\n{''.join(map(_created, USERS))}"
    )
    environment = {"PATH": os.environ["PATH"], "SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""}
    process = subprocess.Popen(
        [SNMPD, "-C", "-c", str(config), "-f", "-I", "-smux", "-Lf", str(folder / "log")], env=environment
    )
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    limits = Limits(timeout=0.3, retries=0)
    for _ in range(60):
        assert process.poll() is None, "snmpd ended at once"
        transport = open_snmp(SnmpTarget("127.0.0.1", port, COMMUNITY), limits)
        try:
            if list(transport.get([(1, 3, 6, 1, 2, 1, 1, 3, 0)])):
                return
        except Exception:  # noqa: BLE001 - not up yet, whatever it says
            time.sleep(0.1)
        finally:
            transport.close()
    raise AssertionError("snmpd does not answer")
