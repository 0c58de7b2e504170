from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from cmdb_server.api import token
from cmdb_server.api.auth import PERMITTED
from cmdb_server.api.context import now_ms
from cmdb_server.app import create_app
from cmdb_server.settings import Settings
from cmdb_server.store.port import Store

Clients = Callable[..., "object"]
ACTIONS = {
    "read": ("GET", "/api/v1/classes"),
    "report": ("POST", "/api/v1/reports"),
    "administer": ("GET", "/api/v1/tokens"),
    "observe": ("GET", "/api/v1/metrics"),
}


@pytest.mark.parametrize("role", sorted(PERMITTED))
@pytest.mark.parametrize("action", ACTIONS)
def test_a_role_may_do_what_the_table_says_and_nothing_else(as_role, role: str, action: str) -> None:
    method, path = ACTIONS[action]
    answer = as_role(role).open(path, method=method, json={} if method == "POST" else None)
    assert (answer.status_code == 403) == (action not in PERMITTED[role]), answer.json
    assert answer.status_code != 401


def test_only_agents_cannot_read_and_only_admins_administer() -> None:
    assert [role for role in PERMITTED if "read" not in PERMITTED[role]] == ["agent"]
    assert [role for role in PERMITTED if "administer" in PERMITTED[role]] == ["admin"]


@pytest.mark.parametrize(
    "header", [None, "", "Basic eDp5", "Bearer", "Bearer ", "Bearer x", "Bearer cmdb_00000000_00", "bearer a b"]
)
def test_without_a_valid_token_there_is_a_challenge(client, header: str | None) -> None:
    answer = client.get("/api/v1/classes", headers={"Authorization": header} if header is not None else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json["type"].endswith("#unauthenticated")


def test_an_unknown_role_in_the_store_permits_nothing(as_role) -> None:
    assert as_role("emperor").get("/api/v1/classes").status_code == 403


def test_expired_and_revoked_tokens_are_refused_by_every_process(app: Flask, store: Store, admin) -> None:
    text, made = token.create(store, "ann", "reader", None, now_ms(), token.DAY_MS)
    other_process = create_app(Settings(), store).test_client()
    bearer = {"Authorization": f"Bearer {text}"}
    assert other_process.get("/api/v1/classes", headers=bearer).status_code == 200
    assert admin.delete(f"/api/v1/tokens/{made.id}").status_code == 200
    assert other_process.get("/api/v1/classes", headers=bearer).status_code == 401
    expired, _ = token.create(store, "ann", "reader", None, 0, 1)
    assert other_process.get("/api/v1/classes", headers={"Authorization": f"Bearer {expired}"}).status_code == 401


@pytest.mark.parametrize(("address", "status"), [("127.0.0.1", 200), ("::1", 200), ("10.0.0.9", 403), ("", 403)])
def test_plain_http_is_served_to_loopback_alone(reader, address: str, status: int) -> None:
    answer = reader.get("/api/v1/classes", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == status, answer.json


def test_https_is_served_to_all(reader) -> None:
    answer = reader.get("/api/v1/classes", environ_base={"REMOTE_ADDR": "10.0.0.9"}, base_url="https://cmdb")
    assert answer.status_code == 200
    assert "Strict-Transport-Security" in answer.headers


def test_a_forwarded_header_counts_only_behind_a_declared_proxy(settings: Settings, store: Store, reader) -> None:
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.9", "Authorization": f"Bearer {reader.token}"}
    outside = {"REMOTE_ADDR": "10.0.0.2"}
    assert reader.get("/api/v1/classes", headers=told, environ_base=outside).status_code == 403
    behind = create_app(replace(settings, proxies=1), store).test_client()
    assert behind.get("/api/v1/classes", headers=told, environ_base=outside).status_code == 200
    plain = told | {"X-Forwarded-Proto": "http"}
    assert behind.get("/api/v1/classes", headers=plain, environ_base=outside).status_code == 403


def test_the_quota_of_requests(settings: Settings, store: Store) -> None:
    limited = create_app(replace(settings, requests_per_minute=3), store).test_client()
    text, _ = token.create(store, "ann", "reader", None, now_ms(), token.DAY_MS)
    other, _ = token.create(store, "ann", "reader", None, now_ms(), token.DAY_MS)
    bearer = {"Authorization": f"Bearer {text}"}
    answers = [limited.get("/api/v1/classes", headers=bearer) for _ in range(7)]
    # The window may end once in between.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused and all(answer.status_code in (200, 429) for answer in answers)
    assert 1 <= int(refused[-1].headers["Retry-After"]) <= 60
    assert limited.get("/api/v1/classes", headers={"Authorization": f"Bearer {other}"}).status_code == 200


def test_the_quota_of_bytes(settings: Settings, store: Store) -> None:
    limited = create_app(replace(settings, bytes_per_minute=5000), store).test_client()
    text, _ = token.create(store, "ann", "operator", None, now_ms(), token.DAY_MS)
    sent = [
        limited.post(
            "/api/v1/reports",
            data=b" " * 2000,
            content_type="application/json",
            headers={"Authorization": f"Bearer {text}"},
        ).status_code
        for _ in range(6)
    ]
    assert set(sent) == {400, 429}


def test_enrolment_is_limited_by_address(settings: Settings, store: Store) -> None:
    limited = create_app(replace(settings, requests_per_minute=3), store).test_client()
    tried = [limited.post("/api/v1/enrol", json={"code": f"enrol_{n}"}).status_code for n in range(8)]
    assert set(tried) == {401, 429}
