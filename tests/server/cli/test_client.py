from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cmdb_server.cli import exits
from cmdb_server.cli.client import Client, segment
from cmdb_server.cli.exits import CommandError


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Client]:
    """A client of a server that answers as told (a made one: the real one is asked in test_commands)."""
    monkeypatch.setenv("TOKEN", "cmdb_x_y")

    def make(answer: Callable[[httpx.Request], httpx.Response], server: str = "http://127.0.0.1:1") -> Client:
        return Client(server, "env:TOKEN", httpx.MockTransport(answer))

    return make


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, exits.DENIED), (403, exits.DENIED), (404, exits.ABSENT), (422, exits.REFUSED), (500, exits.REFUSED)],
)
def test_refusals_end_with_their_code_and_the_server_s_words(client: Any, status: int, code: int) -> None:
    told = {"title": "Not valid", "detail": "at: no such time"}
    with pytest.raises(CommandError, match="Not valid: at: no such time") as ended:
        client(lambda _: httpx.Response(status, json=told)).get("/x")
    assert ended.value.code == code


def test_an_answer_that_is_no_problem_document_is_told_by_its_status(client: Any) -> None:
    with pytest.raises(CommandError, match="502 Bad Gateway"):
        client(lambda _: httpx.Response(502, text="<html>")).get("/x")


def test_the_token_is_sent_and_options_not_given_are_not(client: Any) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    client(answer).get("/x", at=None, q="a b", attribute=["a=1", "b=2"])
    assert seen[0].headers["Authorization"] == "Bearer cmdb_x_y"
    assert str(seen[0].url) == "http://127.0.0.1:1/api/v1/x?q=a+b&attribute=a%3D1&attribute=b%3D2"


def test_pages_are_read_until_enough_or_the_end(client: Any) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params.get("cursor", 0))
        end = min(start + int(request.url.params["limit"]), 450)
        return httpx.Response(
            200, json={"items": list(range(start, end)), "next_cursor": str(end) if end < 450 else None}
        )

    asked = client(answer)
    assert asked.every("/x", 1000) == list(range(450))
    assert asked.every("/x", 250) == list(range(250))


def test_a_name_is_one_ci_or_none(client: Any) -> None:
    def holding(*cis: dict[str, str]) -> Any:
        return client(lambda _: httpx.Response(200, json={"items": list(cis)}))

    assert holding({"id": "i", "class": "server"}).identify("web") == "i"
    id_ = "00000000-0000-0000-0000-000000000001"
    assert holding().identify(id_) == id_
    for found in ((), ({"id": "i", "class": "a"}, {"id": "j", "class": "b"})):
        with pytest.raises(CommandError) as ended:
            holding(*found).identify("web")
        assert ended.value.code == exits.ABSENT


@pytest.mark.parametrize("server", ["http://cmdb.example", "ftp://127.0.0.1", "127.0.0.1:8460"])
def test_a_token_does_not_travel_in_the_clear(client: Any, server: str) -> None:
    with pytest.raises(CommandError) as ended:
        client(lambda _: httpx.Response(200), server)
    assert ended.value.code == exits.USAGE


def test_a_segment_holds_no_path() -> None:
    assert segment("../a?b#c") == "..%2Fa%3Fb%23c"
