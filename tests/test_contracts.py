"""Every import contract is proven by a violation planted in a copy of the tree: a contract that lets it pass is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = Path(sys.executable).with_name("lint-imports")

VIOLATIONS = [
    ("distributions", "agents/cmdb_agent/targets.py", "import cmdb_server.errors"),
    ("distributions", "cmdb_server/errors.py", "import cmdb_agent.errors"),
    ("distributions", "schemas/cmdb_schemas/units.py", "import cmdb_server.errors"),
    ("server", "cmdb_server/model/record.py", "import cmdb_server.store.port"),
    ("server", "cmdb_server/store/port.py", "import cmdb_server.projection"),
    ("server", "cmdb_server/ingest/decode.py", "import cmdb_server.analysis"),
    ("server", "cmdb_server/api/problem.py", "import cmdb_server.app"),
    ("server", "cmdb_server/stray.py", ""),
    ("agent", "agents/cmdb_agent/probe.py", "import cmdb_agent.transports"),
    ("agent", "agents/cmdb_agent/probes/os.py", "import cmdb_agent.transports.ssh"),
    ("agent", "agents/cmdb_agent/transports/ssh.py", "import cmdb_agent.probes.os"),
    ("agent", "agents/cmdb_agent/stray.py", ""),
    ("neo4j", "cmdb_server/ingest/decode.py", "import neo4j"),
    ("sqlite3", "cmdb_server/api/problem.py", "import sqlite3"),
    ("sqlite3", "agents/cmdb_agent/targets.py", "import sqlite3"),
    ("flask", "cmdb_server/ingest/decode.py", "import flask"),
    ("flask", "cmdb_server/model/record.py", "import werkzeug.exceptions"),
    ("collection", "agents/cmdb_agent/targets.py", "import paramiko"),
    ("collection", "agents/cmdb_agent/mibs/__init__.py", "import pysnmp.hlapi"),
    ("collection", "agents/cmdb_agent/probe.py", "import gufo.snmp"),
    ("pure", "agents/cmdb_agent/probes/os.py", "import subprocess"),
    ("pure", "agents/cmdb_agent/observation.py", "import socket"),
    ("pure", "agents/cmdb_agent/redact.py", "import asyncio"),
    ("pure", "cmdb_server/model/record.py", "import httpx"),
    ("pure", "cmdb_server/analysis/__init__.py", "import sqlite3"),
    ("pure", "schemas/cmdb_schemas/ci_class.py", "import http.client"),
    ("store", "cmdb_server/ingest/decode.py", "import cmdb_server.store.sqlite"),
    ("store", "cmdb_server/api/problem.py", "import cmdb_server.store.neo4j"),
    ("independent-probes", "agents/cmdb_agent/probes/os.py", "import cmdb_agent.probes.memory"),
    ("independent-mibs", "agents/cmdb_agent/mibs/if_mib.py", "import cmdb_agent.mibs.entity_mib"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product, kept importable before the installed one."""
    copy = tmp_path_factory.mktemp("contracts")
    for folder in ("schemas", "agents", "cmdb_server"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", copy)
    return copy


def lint(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(tree / folder) for folder in ("schemas", "agents", "."))
    return subprocess.run(
        [LINT, "--no-cache", *arguments],
        check=False,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
        capture_output=True,
    )


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    result = lint(tree)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("contract", "file", "line"), VIOLATIONS)
def test_a_planted_violation_is_found(tree: Path, contract: str, file: str, line: str) -> None:
    path = tree / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        result = lint(tree, "--contract", contract)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
    assert result.returncode == 1 and "BROKEN" in result.stdout, result.stdout + result.stderr


def test_every_contract_has_a_planted_violation() -> None:
    marker = "[importlinter:contract:"
    lines = (ROOT / ".importlinter").read_text(encoding="utf-8").splitlines()
    assert {line.removeprefix(marker).rstrip("]") for line in lines if line.startswith(marker)} == {
        contract for contract, _, _ in VIOLATIONS
    }
