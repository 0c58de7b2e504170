from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cmdb_server.cli import exits, main
from cmdb_server.cli import main as run
from cmdb_server.cli.exits import MEANING
from cmdb_server.cli.main import DEFAULT_SERVER, parser


def commands(found: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return {
        name: sub
        for action in found._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, sub in action.choices.items()
    }


def test_the_help_tells_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == exits.OK
    told = " ".join(capsys.readouterr().out.split())
    for code, meaning in MEANING.items():
        assert f"{code} {meaning}" in told
    for name in commands(parser()):
        assert name in told


def questions(found: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that is complete, by all of its words."""
    if not (inner := commands(found)):
        yield name, found
    for word, command in inner.items():
        yield from questions(command, f"{name} {word}".strip())


def test_every_question_can_be_answered_as_json() -> None:
    silent = {"serve", "dump", "load", "token bootstrap", "webhooks", "jobs"}
    for name, command in questions(parser()):
        options = {option for action in command._actions for option in action.option_strings}
        assert ("--json" in options) == (name not in silent), name


def test_a_wrong_setting_is_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CMDB_PROXIES", "many")
    assert run(["dump", "x"]) == exits.USAGE
    assert "CMDB_PROXIES" in capsys.readouterr().err


def test_an_empty_server_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMDB_SERVER", "")
    assert parser().parse_args(["search", "x"]).server == DEFAULT_SERVER
    monkeypatch.setenv("CMDB_SERVER", "https://cmdb.example.net")
    assert parser().parse_args(["search", "x"]).server == "https://cmdb.example.net"


def test_an_interruption_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cmdb_server.cli.commands.search", interrupt)
    assert run(["search", "x"]) == 130


def test_who_only_asks_loads_no_server() -> None:
    script = "import sys, cmdb_server.cli.main; print(*sorted(set(sys.argv[1:]) & set(sys.modules)))"
    heavy = ["numpy", "flask", "neo4j", "sqlite3", "marshmallow", "jinja2", "dateutil"]
    told = subprocess.run([sys.executable, "-c", script, *heavy], text=True, capture_output=True, check=True)
    assert told.stdout.split() == []
