"""The three distributions hold what they need, and an agent's host gets nothing of the server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"cmdb_schemas": ROOT / "schemas", "cmdb_agent": ROOT / "agents", "cmdb_server": ROOT}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, zipfile.ZipFile]:
    """The built wheels by import name."""
    out = tmp_path_factory.mktemp("wheels")
    # Nothing is fetched, and the constraints are named relative to the repository.
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    for folder in FOLDERS.values():
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", out, folder],
            check=True,
            capture_output=True,
            cwd=out,
            env=environment,
        )
    return {name: zipfile.ZipFile(next(out.glob(f"{name}-*.whl"))) for name in FOLDERS}


@pytest.mark.parametrize("name", FOLDERS)
def test_every_file_of_the_package_is_in_the_wheel(wheels: dict[str, zipfile.ZipFile], name: str) -> None:
    source = FOLDERS[name] / name
    wanted = {
        path.relative_to(FOLDERS[name]).as_posix()
        for path in source.rglob("*")
        if path.suffix in (".py", ".toml", ".html", ".css", ".js", ".sql") and "__pycache__" not in path.parts
    }
    packed = set(wheels[name].namelist())
    assert wanted <= packed, sorted(wanted - packed)
    assert {entry.split("/")[0].split("-")[0] for entry in packed} == {name}


def requirements(wheel: zipfile.ZipFile) -> set[str]:
    """The names that an installation without extras brings."""
    path = next(entry for entry in wheel.namelist() if entry.endswith(".dist-info/METADATA"))
    told = Parser().parsestr(wheel.read(path).decode()).get_all("Requires-Dist", [])
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower() for line in told if "extra ==" not in line}


def test_an_agent_brings_nothing_of_the_server(wheels: dict[str, zipfile.ZipFile]) -> None:
    assert requirements(wheels["cmdb_agent"]) == {"cmdb-schemas", "httpx", "rich"}
    assert requirements(wheels["cmdb_schemas"]) == {"msgspec"}
    assert not {"neo4j", "paramiko", "pysnmp"} & requirements(wheels["cmdb_server"])


WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import {module}
"""


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("cmdb_agent.cli", ["cmdb_server", "flask", "numpy", "neo4j", "gunicorn", "paramiko", "pysnmp", "gufo"]),
        ("cmdb_server.cli", ["cmdb_agent", "neo4j", "paramiko", "pysnmp", "gufo"]),
        ("cmdb_server.app", ["cmdb_agent", "neo4j", "paramiko", "pysnmp", "gufo"]),
    ],
)
def test_each_side_runs_without_the_other_and_without_extras(module: str, absent: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(absent=absent, module=module)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_pinned_is_what_the_projects_ask_for() -> None:
    """A dependency without a pin would be whatever is newest on the day of the installation."""
    pinned = {
        normal(line.partition("==")[0])
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    for folder in FOLDERS.values():
        names = {normal(re.split(r"[^A-Za-z0-9._-]", told)[0]) for told in asked(folder)}
        assert {name for name in names if not name.startswith("cmdb-")} <= pinned


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked(folder: Path) -> list[str]:
    """All requirements of a project, those of its extras and of its build included."""
    told = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    extras = told["project"].get("optional-dependencies", {}).values()
    return [
        *told["project"]["dependencies"],
        *told["build-system"]["requires"],
        *(one for extra in extras for one in extra),
    ]
