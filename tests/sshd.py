"""A real OpenSSH server on loopback for tests, with keys of its own.

As root it runs with a private user database in a mount namespace, so that a user with a known password exists without
touching the machine's; otherwise only the user who runs the tests can log in, by key.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:" + os.environ.get("PATH", ""))
MISSING = "" if SSHD and shutil.which("ssh-keygen") else "needs sshd and ssh-keygen (Debian: openssh-server)"
PASSWORD = "correct horse 42"


@dataclass(frozen=True)
class Sshd:
    """A running server: where it listens, who may log in with which key, and its known_hosts line."""

    folder: Path
    port: int
    user: str
    pid: int

    @property
    def key(self) -> Path:
        return self.folder / "user"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def url(self) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}"


def keygen(path: Path, *options: str) -> None:
    subprocess.run(["ssh-keygen", "-q", "-N", "", "-f", str(path), *options], check=True, stdin=subprocess.DEVNULL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*lines: str, host_keys: tuple[str, ...] = ("ed25519",)) -> Iterator[Sshd]:
    """Starts sshd with extra configuration ``lines`` (the first of a keyword counts, so these win) and ends it."""
    assert SSHD
    port, user = free_port(), "scanner" if os.geteuid() == 0 else getpass.getuser()
    # Of our own and open to all: a user who logs in must reach their authorized_keys and home.
    folder = Path(tempfile.mkdtemp(prefix="sshd-"))
    folder.chmod(0o755)
    pinned = []
    for kind in host_keys:
        keygen(folder / f"host_{kind}", "-t", kind)
        pinned.append(f"[127.0.0.1]:{port} " + " ".join((folder / f"host_{kind}.pub").read_text().split()[:2]))
    (folder / "known_hosts").write_text("\n".join(pinned) + "\n")
    keygen(folder / "user", "-t", "ed25519")
    keygen(folder / "authority", "-t", "ed25519")
    shutil.copy(folder / "user.pub", folder / "authorized_keys")
    configuration = [
        *lines,
        "ListenAddress 127.0.0.1",
        f"Port {port}",
        *(f"HostKey {folder}/host_{kind}" for kind in host_keys),
        f"AuthorizedKeysFile {folder}/authorized_keys",
        f"TrustedUserCAKeys {folder}/authority.pub",
        f"PidFile {folder}/pid",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication yes",
        "LogLevel VERBOSE",
    ]
    (folder / "sshd_config").write_text("\n".join(configuration) + "\n")
    server = subprocess.Popen(_command(folder), stdin=subprocess.DEVNULL, stderr=(folder / "log").open("wb"))
    try:
        _await(server, port, folder)
        yield Sshd(folder, port, user, server.pid)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _command(folder: Path) -> list[str]:
    sshd = [str(SSHD), "-D", "-e", "-f", str(folder / "sshd_config")]
    if os.geteuid() != 0:
        return sshd
    Path("/run/sshd").mkdir(exist_ok=True)
    (folder / "home").mkdir()
    os.chown(folder / "home", 12_345, 12_345)
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, text=True, capture_output=True, check=True
    ).stdout.strip()
    for name, line in (
        ("passwd", f"scanner:x:12345:12345::{folder}/home:/bin/sh\n"),
        ("shadow", f"scanner:{hashed}:19000:0:99999:7:::\n"),
    ):
        (folder / name).write_text(Path("/etc", name).read_text() + line)
    (folder / "shadow").chmod(0o600)
    mounts = " && ".join(f"mount --bind {folder}/{name} /etc/{name}" for name in ("passwd", "shadow"))
    return ["unshare", "--mount", "--", "/bin/sh", "-c", f'{mounts} && exec "$0" "$@"', *sshd]


def _await(server: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("sshd did not start: " + (folder / "log").read_text(errors="replace"))
