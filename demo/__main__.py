"""``make demo``: scan this machine and a small recorded estate, ask what breaks, and serve until Ctrl-C.

``ONCE=1`` ends instead of serving; ``KEEP=1`` keeps the data of the last time; ``DEMO=folder`` is where they are, else
``.demo``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from cmdb_agent import settings
from cmdb_agent.delivery import Delivery, Spool
from cmdb_agent.scan import scan_one
from cmdb_server.cli.client import Client
from cmdb_server.cli.exits import CommandError
from demo import shown
from demo.recording import estate
from demo.server import DemoError, command, enrol, environment, served
from demo.services import declare

FOLDER = Path(os.environ.get("DEMO") or Path(__file__).parents[1] / ".demo").absolute()


def main() -> int:
    console = Console(highlight=False)
    # A terminal that closes or a supervisor that stops the demo must not leave its server behind.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(ending, _interrupt)
    if not os.environ.get("KEEP"):
        _forget()
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with served(FOLDER) as (server, process):
            _fill(server, console)
            client = Client(server, f"file:{FOLDER / 'admin.token'}")
            shown.estate(console, client)
            shown.machine(console, client, urlsplit(server).port or 0)
            shown.questions(console, client)
            shown.addresses(console, server, FOLDER / "admin.token")
            if not os.environ.get("ONCE"):
                _wait(process)
    except (DemoError, CommandError) as error:
        console.print(f"[bold red]The demo ends:[/] {error}", markup=True)
        return 1
    except KeyboardInterrupt:
        console.print(f"\nEnded. The data are in {FOLDER}; KEEP=1 keeps them for the next time.")
    return 0


def _interrupt(*_: object) -> None:
    """Ends the demo as Ctrl-C does, also where Ctrl-C itself is ignored: in the background of a script."""
    raise KeyboardInterrupt


def _forget() -> None:
    """Removes what the last demo left, and nothing else: somebody may have named a folder of their own."""
    for pattern in ("cmdb.db*", "spool.sqlite*", "*.token", "address", "server.log"):
        for path in FOLDER.glob(pattern):
            path.unlink()


def _fill(server: str, console: Console) -> None:
    """Scans this machine as a user would, plays in the recorded estate, and declares the services."""
    with console.status("Enrolling the agent"):
        enrol(FOLDER, server)
    with console.status("Scanning this machine"):
        started = time.monotonic()
        command("cmdb-agent", "scan", "local", "--server", server, environment=environment(FOLDER))
    console.print(f"Scanned this machine in {time.monotonic() - started:.1f} s and delivered what was found.")
    with console.status("Playing in the recorded estate"):
        count = _play(server)
    console.print(f"Played {count} recorded hosts and switches through the same probes.")
    declare(Client(server, f"file:{FOLDER / 'admin.token'}"))


def _play(server: str) -> int:
    """Scans every recorded target and delivers the reports. Raises ``DemoError`` when one is not taken."""
    config = settings.load(environ=environment(FOLDER))
    targets, reach = estate()
    spool = Spool(Path(config.spool), config.spool_bytes)
    delivery = Delivery(spool, server, config.token)
    try:
        for target in targets:
            spool.put(scan_one(target, config, reach))
        outcome = delivery.flush()
    finally:
        delivery.close()
        spool.close()
    if outcome.delivered != len(targets):
        refused = [entry.reason for entry in outcome.quarantined]
        raise DemoError(f"{outcome.delivered} of {len(targets)} reports were taken: {refused or outcome.problem}")
    return len(targets)


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Until Ctrl-C, or until the server ends by itself."""
    code = process.wait()
    raise DemoError(f"the server ended with {code}; see {FOLDER / 'server.log'}")


if __name__ == "__main__":
    sys.exit(main())
