from __future__ import annotations

import pytest

from cmdb_server.errors import StoreUnavailable
from cmdb_server.store.port import Store


def test_alive_and_ready_without_a_token_and_from_anywhere(client, store: Store) -> None:
    for path in ("/health/live", "/health/ready"):
        assert client.get(path, environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200
    assert client.get("/health/ready").json == {"status": "ok", "revision": store.revision()}


@pytest.mark.parametrize("fault", [StoreUnavailable("gone"), OSError("/var/lib/cmdb: disk on fire")])
def test_a_store_that_fails_is_not_ready_but_alive(
    client, store: Store, monkeypatch: pytest.MonkeyPatch, fault
) -> None:
    def fail(*_: object) -> int:
        raise fault

    monkeypatch.setattr(type(store), "revision", fail)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert "fire" not in answer.text
    assert client.get("/health/live").status_code == 200
