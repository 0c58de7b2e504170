"""The whole server on a real Neo4j: reports in, CIs, search, impact and edits out, by the same API."""

from __future__ import annotations

from functools import partial

import pytest

from cmdb_server.api import token
from cmdb_server.api.context import now_ms
from cmdb_server.app import create_app
from cmdb_server.settings import Settings, StoreAddress
from tests.factories import host, report

pytestmark = pytest.mark.neo4j


@pytest.fixture
def client(neo4j_opener: partial):  # type: ignore[type-arg]
    store = neo4j_opener()
    app = create_app(Settings(store=StoreAddress("neo4j")), store)
    admin, _ = token.create(store, "tests", "admin", None, now_ms(), token.DAY_MS)
    found = app.test_client()
    found.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {admin}"
    yield found
    store.close()


def test_reports_become_answers(client) -> None:
    now = now_ms()
    seen = [
        host("db1", "10.0.0.1", listens=[5432], mac="3c:ec:ef:00:00:01"),
        host("app1", "10.0.0.2", listens=[80], uses=[("10.0.0.1", 5432)], mac="3c:ec:ef:00:00:02"),
    ]
    taken = client.post("/api/v1/reports", data=report("r1", now, seen), content_type="application/json")
    assert (taken.status_code, taken.json["observations"]) == (200, 2)
    assert taken.json["durable_revision"] >= taken.json["revision"]
    again = client.post("/api/v1/reports", data=report("r2", now + 1, seen), content_type="application/json")
    assert again.json["unchanged"]

    servers = client.get("/api/v1/cis", query_string={"class": "server"}).json["items"]
    found = {item["name"]: item["id"] for item in servers}
    assert found.keys() == {"db1", "app1"}
    hits = client.get("/api/v1/search", query_string={"q": "10.0.0.1"}).json["items"]
    assert [hit["ci"]["id"] for hit in hits][:1] == [found["db1"]]

    shop = client.post(
        "/api/v1/cis", json={"class": "application_service", "name": 'It\'s `shop` "<b>"', "attributes": {}}
    )
    assert shop.status_code == 201, shop.json
    answer = client.post("/api/v1/impact", json={"failed": [found["db1"]]})
    assert answer.status_code == 200, answer.json
    down = sorted(entry["ci"]["name"] for entry in answer.json["cis"] if entry["state"] == "down")
    assert down == ["app", "app", "eth0"]  # the database, what depends on it elsewhere, and its host's interface
    shown = client.get(f"/api/v1/cis/{shop.json['id']}").json
    assert shown["name"] == 'It\'s `shop` "<b>"'
