"""Asks a server over its API, and turns every refusal into an exit code."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import quote

import httpx

from cmdb_server.cli.exits import ABSENT, DENIED, REFUSED, UNREACHABLE, USAGE, fail
from cmdb_server.errors import SettingsError
from cmdb_server.settings import LOOPBACK, secret

PREFIX = "/api/v1"
PAGE = 200


class Client:
    """One server and one token. ``token_ref``: ``env:NAME`` or ``file:/path``."""

    def __init__(self, server: str, token_ref: str, transport: httpx.BaseTransport | None = None) -> None:
        url = httpx.URL(server)
        if url.scheme == "http" and url.host not in LOOPBACK:
            fail(USAGE, f"{server}: a token travels over https alone, except to this machine")
        if url.scheme not in ("http", "https") or not url.host:
            fail(USAGE, f"{server}: write http://127.0.0.1:8460 or https://host")
        try:
            bearer = secret(token_ref)
        except SettingsError as error:
            fail(DENIED, f"no token: {error.detail} (--token-ref, or CMDB_TOKEN)")
        headers = {"Authorization": f"Bearer {bearer}", "User-Agent": "cmdb"}
        self._http = httpx.Client(base_url=server, headers=headers, timeout=60, transport=transport)

    def ask(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None, tag: str | None = None
    ) -> Any:
        """The JSON answer to a request below the API's prefix. Ends the command when it is refused. ``tag``: of what
        is edited, which must not have changed since."""
        return self._answer(method, path, query, body, {} if tag is None else {"If-Match": tag}).json()

    def tagged(self, path: str) -> tuple[Any, str]:
        """A thing and its ETag."""
        answer = self._answer("GET", path)
        return answer.json(), answer.headers["ETag"]

    def _answer(
        self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:  # fmt: skip
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._http.request(method, PREFIX + path, params=given, json=body, headers=headers)
        except httpx.TransportError as error:
            fail(UNREACHABLE, f"{self._http.base_url}: {error}")
        return answer if answer.is_success else _refuse(answer)

    @contextmanager
    def stream(
        self, method: str, path: str, query: dict[str, Any], body: bytes | None = None, **headers: str
    ) -> Iterator[httpx.Response]:
        """The answer to a request, to be read piece by piece. Ends the command when it is refused."""
        given = {name: value for name, value in query.items() if value is not None}
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with self._http.stream(
                method, PREFIX + path, params=given, content=body, headers=told, timeout=600
            ) as answer:
                if not answer.is_success:
                    answer.read()
                    _refuse(answer)
                yield answer
        except httpx.TransportError as error:
            fail(UNREACHABLE, f"{self._http.base_url}: {error}")

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("GET", path, query)

    def find(self, path: str) -> Any:
        """What there is; None where there is nothing, or can be nothing."""
        try:
            answer = self._http.get(PREFIX + path)
        except httpx.TransportError as error:
            fail(UNREACHABLE, f"{self._http.base_url}: {error}")
        if answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY):
            return None
        return answer.json() if answer.is_success else _refuse(answer)

    def every(self, path: str, most: int, **query: Any) -> list[Any]:
        """Up to ``most`` items of a paged list."""
        items: list[Any] = []
        cursor = None
        while len(items) < most:
            page = self.get(path, cursor=cursor, limit=min(PAGE, most - len(items)), **query)
            items += page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                break
        return items

    def identify(self, text: str) -> str:
        """The id of the CI meant: an id, or a name that one CI alone has; where none has, one that was deleted."""
        try:
            return str(uuid.UUID(text))
        except ValueError:
            pass
        found = self.get("/cis", name=text, limit=10)["items"]
        found = found or self.get("/cis", name=text, limit=10, life="retired")["items"]
        if len(found) == 1:
            return str(found[0]["id"])
        if not found:
            fail(ABSENT, f"no CI is named {text!r}; cmdb search finds parts of names")
        return _several(text, found)


def _several(text: str, found: list[Any]) -> NoReturn:
    held = ", ".join(f"{ci['id']} ({ci['class']})" for ci in found)
    fail(ABSENT, f"several CIs are named {text!r}: {held}")


def segment(text: str) -> str:
    """A text as one segment of a path."""
    return quote(text, safe="")


def _refuse(answer: httpx.Response) -> NoReturn:
    try:
        told = answer.json()
        detail = f"{told['title']}: {told['detail']}"
    except (ValueError, KeyError, TypeError):
        detail = f"{answer.status_code} {answer.reason_phrase}"
    code = {401: DENIED, 403: DENIED, 404: ABSENT}.get(answer.status_code, REFUSED)
    fail(code, detail)
