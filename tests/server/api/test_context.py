from __future__ import annotations

from flask import Flask

from cmdb_server.api.context import context, now_ms
from cmdb_server.settings import Settings
from cmdb_server.store.port import Store


def test_a_request_finds_what_its_app_was_made_with(app: Flask, store: Store, settings: Settings) -> None:
    with app.app_context():
        assert context().store is context().projections.store
        context().store.write(lambda tx: None)
        assert context().store.revision() == store.revision() == 1
        assert context().settings is settings


def test_the_clock_tells_milliseconds() -> None:
    assert 1_700_000_000_000 < now_ms() < 10_000_000_000_000
