"""A served store, an admin token and a way to run the command, as a user would: another process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.serving import Served, served

COMMAND = (sys.executable, "-c", "import sys; from cmdb_server.cli import main; sys.exit(main())")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def cmdb(server: Served, tmp_path: Path) -> Run:
    """Run ``cmdb`` with the server and token of the tests; ``environment`` replaces parts of it."""

    def run(*arguments: str, **environment: str) -> Ran:
        told = {
            "PATH": os.environ["PATH"],
            "CMDB_SERVER": server.url,
            "CMDB_TOKEN": server.token,
            "CMDB_STORE": f"sqlite://{tmp_path}/own.db",
            **environment,
        }
        done = subprocess.run(
            [*COMMAND, *arguments], check=False, capture_output=True, text=True, env=told, cwd=tmp_path, timeout=60
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
