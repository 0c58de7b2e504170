"""The product as its own processes: a server on a free loopback port, and the commands a user would type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
START_S = 60


class DemoError(Exception):
    """Why the demo cannot go on."""


def command(program: str, *arguments: str, environment: dict[str, str]) -> str:
    """What a command of the product printed. Raises ``DemoError`` with what it complained of."""
    done = subprocess.run(
        [BIN / program, *arguments],
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        raise DemoError(f"{program} {' '.join(arguments)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server over the store in ``folder``: its address and process. It is ended when the block is left."""
    address, log = folder / "address", folder / "server.log"
    address.unlink(missing_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [BIN / "cmdb", "serve", "--bind", "127.0.0.1:0", "--address-file", address],
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends the server in order
        )
    try:
        yield _awaited(address, process, log), process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _awaited(address: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if address.exists():
            return address.read_text(encoding="utf-8").strip()
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise DemoError(f"the server did not start; {log} ends with:\n{log.read_text(encoding='utf-8')[-2000:]}")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The settings of the demo's server and agent, without any that the user has set for others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CMDB_")}
    return {
        **inherited,
        "CMDB_STORE": f"sqlite:///{folder / 'cmdb.db'}",
        "CMDB_AGENT_AGENT": "demo",
        "CMDB_AGENT_SITE": "demo",
        "CMDB_AGENT_SPOOL": str(folder / "spool.sqlite"),
        "CMDB_AGENT_TOKEN": f"file:{folder / 'agent.token'}",
        **more,
    }


def enrol(folder: Path, server: str) -> None:
    """Makes the first administrator's token, and one for the agent, bought with a one-time code."""
    admin = folder / "admin.token"
    if not admin.exists():
        command("cmdb", "token", "bootstrap", "--to", str(admin), environment=environment(folder))
    if not (folder / "agent.token").exists():
        asking = environment(folder, CMDB_SERVER=server)
        told = command("cmdb", "enrol-code", "demo", "--token-ref", f"file:{admin}", "--json", environment=asking)
        code: dict[str, Any] = json.loads(told)
        command(
            "cmdb-agent", "enrol", "--server", server, "--code", code["code"],
            "--token-file", str(folder / "agent.token"), environment=asking,
        )  # fmt: skip
