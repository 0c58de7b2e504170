"""A server on an embedded store, and clients of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers

from cmdb_server.api import token
from cmdb_server.api.context import now_ms
from cmdb_server.app import create_app
from cmdb_server.ingest.caller import Grant
from cmdb_server.settings import Settings
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore


class Client(FlaskClient):
    """A client that bears a token."""

    token = ""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if self.token:
            headers = Headers(kwargs.pop("headers", None) or {})
            headers.setdefault("Authorization", f"Bearer {self.token}")
            kwargs["headers"] = headers
        return super().open(*args, **kwargs)


@pytest.fixture
def settings() -> Settings:
    return Settings(max_report=200_000, max_body=20_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    yield opened
    opened.close()


@pytest.fixture
def app(settings: Settings, store: Store) -> Flask:
    made = create_app(settings, store)
    made.test_client_class = Client
    return made


@pytest.fixture
def client(app: Flask) -> Client:
    """Without a token."""
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture
def as_role(app: Flask, store: Store) -> Callable[..., Client]:
    """A client with a token of this role."""

    def make(role: str, grant: Grant | None = None, subject: str = "") -> Client:
        made: Client = app.test_client()  # type: ignore[assignment]
        made.token, _ = token.create(store, subject or f"a {role}", role, grant, now_ms(), token.DAY_MS)
        return made

    return make


@pytest.fixture
def admin(as_role: Callable[..., Client]) -> Client:
    return as_role("admin")


@pytest.fixture
def reader(as_role: Callable[..., Client]) -> Client:
    return as_role("reader")


@pytest.fixture
def agent(as_role: Callable[..., Client]) -> Client:
    return as_role("agent", Grant("agent-1", ("lab",), ("ssh", "snmp"), ("10.0.0.0/8",)))
