"""Answers in all formats, asked for as users do, and how they reach files and terminals."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import networkx as nx
import pytest
from rich.text import Text

from cmdb_server.answers.render.media import FORMATS, REPORTS
from cmdb_server.cli import main
from cmdb_server.cli.client import Client
from cmdb_server.cli.exits import CommandError
from cmdb_server.cli.presenting import Question, options, present
from tests.serving import Served


@pytest.fixture(scope="module")
def pair(server: Served) -> None:
    """A service on a server."""
    bearer = {"Authorization": f"Bearer {server.token}"}
    ids: list[dict[str, str]] = []
    for class_, name in (("server", "stove"), ("business_service", "kitchen")):
        relations = [{"type": "depends_on", "ci": one["id"]} for one in ids]
        body = {"class": class_, "name": name, "relations": relations}
        answer = httpx.post(f"{server.url}/api/v1/cis", json=body, headers=bearer)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json())


@pytest.fixture
def here(server: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The command within this process: many questions, no time for as many processes."""
    monkeypatch.setenv("CMDB_TOKEN", server.token)

    def run(*arguments: str) -> str:
        code = main([*arguments, "--server", server.url])
        told = capsys.readouterr()
        assert code == 0, told.err
        return told.out

    return run


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("format_", ["table", "tree", "json", *FORMATS])
def test_each_question_in_each_format_it_has(here: Callable[..., str], format_: str) -> None:
    for question, far in (
        (("impact", "stove"), "kitchen"), (("requires", "kitchen"), "stove"), (("services", "stove"), "kitchen"),
        (("path", "stove", "kitchen"), "kitchen"),
    ):  # fmt: skip
        assert far in here(*question, "--format", format_)


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("format_", ["table", "json", *REPORTS])
def test_single_points_and_differences_are_reports_alone(here: Callable[..., str], format_: str) -> None:
    begun = "2020-01-01T00:00:00Z"
    for question in (("spof", "kitchen"), ("diff", begun, "--from-known-at", begun)):
        assert "stove" in here(*question, "--format", format_)
    with pytest.raises(SystemExit):
        here("spof", "kitchen", "--format", "dot")


@pytest.mark.usefixtures("pair")
def test_json_is_json_by_either_name(here: Callable[..., str]) -> None:
    assert json.loads(here("services", "stove", "--json")) == json.loads(here("services", "stove", "--format", "json"))


@pytest.mark.usefixtures("pair")
def test_an_answer_goes_to_a_file(cmdb, tmp_path: Path) -> None:
    told = cmdb("impact", "stove", "--format", "graphml", "--output", "impact.graphml")
    assert (told.code, told.out) == (0, ""), told.err
    graph = nx.read_graphml(tmp_path / "impact.graphml")
    assert sorted(name for _, name in graph.nodes(data="name")) == ["kitchen", "stove"]
    assert cmdb("impact", "stove", "--output", "tree.txt").code == 0
    assert "kitchen" in (tmp_path / "tree.txt").read_text()
    assert [path.name for path in tmp_path.glob("*.part")] == []


def refuse(_: httpx.Request) -> httpx.Response:
    return httpx.Response(422, json={"title": "Not valid", "detail": "no"})


@pytest.fixture
def told(tmp_path: Path) -> argparse.Namespace:
    parsed = options("tree").parse_args(["--format", "dot", "--output", str(tmp_path / "out")])
    parsed.json = False
    return parsed


@pytest.fixture
def bearer(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TOKEN", "cmdb_x_y")
    return "env:TOKEN"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_question_leaves_the_file_as_it_was(
    told: argparse.Namespace, bearer: str, tmp_path: Path, method: str
) -> None:
    (tmp_path / "out").write_text("before")
    client = Client("http://127.0.0.1:1", bearer, httpx.MockTransport(refuse))
    with pytest.raises(CommandError):
        present(told, client, Question(method, "/impact", {}), {"tree": lambda _: Text("")})
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (tmp_path / "out").read_text() == "before"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_in_an_answer_steers_a_terminal(
    told: argparse.Namespace, bearer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A made server: the real one lets such characters through in GraphML alone."""
    shown: Any = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    told.output = None
    client = Client("http://127.0.0.1:1", bearer, httpx.MockTransport(lambda _: httpx.Response(200, text="a\x9b2J\nb")))
    present(told, client, Question("GET", "/x", {}), {"tree": lambda _: Text("")})
    assert shown.getvalue() == "a\\x9b2J\nb"
