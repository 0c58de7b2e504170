from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cmdb_server.api.context import KEY
from cmdb_server.app import BLUEPRINTS, create_app, open_store
from cmdb_server.errors import SettingsError
from cmdb_server.settings import Settings, StoreAddress
from cmdb_server.store.sqlite import SqliteStore


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(store=StoreAddress("sqlite", tmp_path / "cmdb.db"))


def test_the_settings_choose_the_store(settings: Settings, tmp_path: Path) -> None:
    with closing(open_store(settings)) as opened:
        assert isinstance(opened, SqliteStore)
    app = create_app(settings)
    app.extensions[KEY].store.write(lambda tx: None)
    assert (tmp_path / "cmdb.db").exists()
    app.extensions[KEY].store.close()


def test_every_blueprint_is_served_and_described(settings: Settings) -> None:
    app = create_app(settings)
    described = app.test_client().get("/openapi.json").json
    assert described["openapi"] == "3.1.0"
    paths = {
        rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] in {b.name for b in BLUEPRINTS}
    }
    assert len(paths) == len(described["paths"]) > 15
    app.extensions[KEY].store.close()


def test_every_operation_says_who_may_ask_and_what_refusals_look_like(settings: Settings) -> None:
    app = create_app(settings)
    open_to_all = {"/health/live", "/health/ready", "/api/v1/enrol"}
    described = app.test_client().get("/openapi.json").json
    for path, operations in described["paths"].items():
        for method in set(operations) - {"parameters"}:
            operation = operations[method]
            assert operation["summary"], path
            assert ("security" in operation) == (path not in open_to_all), path
            if "security" in operation:
                assert {"401", "403", "429", "503"} <= set(operation["responses"]), path
    answers = described["components"]["responses"]
    assert all(
        list(answer["content"]) == ["application/problem+json"] for answer in answers.values() if "content" in answer
    )
    app.extensions[KEY].store.close()


def test_a_class_of_the_user_s_own_is_served(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "classes"
    folder.mkdir()
    (folder / "teapot.toml").write_text('title = "Teapot"\nparent = "hardware"\n')
    app = create_app(replace(settings, classes=(folder,)))
    assert app.extensions[KEY].kinds["teapot"].title == "Teapot"
    app.extensions[KEY].store.close()


def test_a_broken_class_is_told_at_the_start(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "teapot.toml").write_text('title = "Teapot"\nparent = "kitchen"\n')
    with pytest.raises(SettingsError, match="kitchen"):
        create_app(replace(settings, classes=(tmp_path,)))


def test_a_neo4j_store_needs_its_password_s_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMDB_NEO4J_PASSWORD", raising=False)
    with pytest.raises(SettingsError, match="CMDB_NEO4J_PASSWORD"):
        open_store(Settings(store=StoreAddress("neo4j", uri="neo4j://127.0.0.1:1")))


def test_processes_of_one_server_hide_alike(tmp_path: Path) -> None:
    def token(key: bytes | None) -> str:
        app = create_app(Settings(StoreAddress("sqlite", tmp_path / "cmdb.db")), key=key)
        sight = app.extensions[KEY].sights.of('name == "web"')
        app.extensions[KEY].store.close()
        return str(sight.token("an id"))

    assert token(b"k" * 32) == token(b"k" * 32) != token(b"l" * 32)
    assert token(None) != token(None)
