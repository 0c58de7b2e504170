"""The layout that lets anybody find a test: each module has its mirror, each declared thing its case."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
MIRRORS = {"schemas/cmdb_schemas": "schemas", "agents/cmdb_agent": "agent", "cmdb_server": "server"}
WITHOUT_MIRROR = {
    "agents/cmdb_agent/observation.py": "plain values without behaviour",
    "agents/cmdb_agent/probe.py": "plain values without behaviour",
    "agents/cmdb_agent/errors.py": "exceptions without behaviour",
    "cmdb_server/store/port.py": "protocols; tests/store_contract.py holds both stores to them",
    "cmdb_server/store/tables.py": "declarations; tests/store_contract.py runs every table",
    "cmdb_server/answers/life.py": "a plain value without behaviour",
    "cmdb_server/answers/viewer.py": "a plain value without behaviour",
    "cmdb_server/answers/views.py": "shapes without behaviour",
    "cmdb_server/errors.py": "exceptions without behaviour; their problem documents are the API's",
}
SUITES = {
    "cmdb_server/store/neo4j/queries.py": ("store_contract.py", "Cypher that only a server can judge"),
    "cmdb_server/store/neo4j/relations.py": ("store_contract.py", "queries for one table of the contract"),
    "cmdb_server/store/neo4j/transaction.py": ("store_contract.py", "the port itself, on a server"),
}
"""Modules whose behaviour is a contract that others hold too: the suite that states it, and why no test could say more.
Each engine runs the suite in its ``test_engine.py``."""
CASES = {
    "probes": ("agents/cmdb_agent/probes", "py"),
    "mibs": ("agents/cmdb_agent/mibs", "py"),
    "profiles": ("agents/cmdb_agent/profiles", "toml"),
    "software": ("agents/cmdb_agent/software", "toml"),
    "classes": ("schemas/cmdb_schemas/classes", "toml"),
}


def modules() -> Iterator[str]:
    for package in MIRRORS:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not path.name.startswith("__"):
                yield path.relative_to(ROOT).as_posix()


def declared() -> Iterator[tuple[str, str]]:
    for kind, (folder, suffix) in CASES.items():
        for path in sorted((ROOT / folder).glob(f"*.{suffix}")):
            if not path.name.startswith("_"):
                yield kind, path.stem


def is_probe_or_mib(module: str) -> bool:
    """Their cases are their test."""
    return Path(module).parent.name in ("probes", "mibs")


@pytest.mark.parametrize("module", [module for module in modules() if not is_probe_or_mib(module)])
def test_each_module_has_its_mirror(module: str) -> None:
    package = next(package for package in MIRRORS if module.startswith(f"{package}/"))
    inner = Path(module).relative_to(package)
    mirror = TESTS / MIRRORS[package] / inner.with_name(f"test_{inner.name}")
    if module in WITHOUT_MIRROR:
        assert not mirror.exists(), f"{module} has a test now: take it off the list of exceptions"
    elif module in SUITES:
        assert not mirror.exists(), f"{module} has a test of its own now: take it off the table"
        suite = SUITES[module][0]
        runner = TESTS / MIRRORS[package] / inner.with_name("test_engine.py")
        assert (TESTS / suite).is_file() and Path(suite).stem in runner.read_text(encoding="utf-8")
    else:
        assert mirror.is_file(), f"{module} has no {mirror.relative_to(ROOT)}"


@pytest.mark.parametrize(("kind", "name"), list(declared()))
def test_each_declared_thing_has_its_case(kind: str, name: str) -> None:
    folder = TESTS / "cases" / kind
    found = [*folder.glob(f"{name}.json"), *folder.glob(f"{name}/*.json")]
    assert found, f"{kind}/{name} has no case: tests/cases/{kind}/{name}.json or a file in tests/cases/{kind}/{name}/"


@pytest.mark.parametrize("kind", CASES)
def test_no_case_outlives_what_it_was_for(kind: str) -> None:
    names = {name for declared_kind, name in declared() if declared_kind == kind}
    cases = {path.stem for path in (TESTS / "cases" / kind).glob("*") if not path.name.startswith(".")}
    assert cases <= names


def test_exceptions_exist() -> None:
    assert {*WITHOUT_MIRROR, *SUITES} <= set(modules())


def test_no_file_grows_beyond_reading() -> None:
    long = {module: len((ROOT / module).read_text(encoding="utf-8").splitlines()) for module in modules()}
    assert {module: lines for module, lines in long.items() if lines > 400} == {}
