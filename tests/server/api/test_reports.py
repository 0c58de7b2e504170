from __future__ import annotations

import gzip
import json
from typing import Any

import msgspec
import pytest
from flask import Flask

from cmdb_schemas import report as wire
from cmdb_server.api.context import KEY, now_ms
from cmdb_server.errors import StoreUnavailable
from cmdb_server.store import tables
from cmdb_server.store.port import Store
from tests.factories import host, report

PATH = "/api/v1/reports"
JSON = "application/json"
GRAPH = (tables.REPORT, tables.CONTENT, tables.THING, tables.RECORD, tables.CI, tables.RELATION, tables.FACT)


def body_of(**changes: Any) -> dict[str, Any]:
    """A good report with some members changed."""
    told: dict[str, Any] = json.loads(report("r1", now_ms(), [host("web-1", "10.0.0.1", listens=[80])]))
    return {**told, **changes}


def rows(store: Store) -> dict[str, int]:
    return store.read(lambda tx: {table.name: tx.count(table) for table in GRAPH})


def test_a_report_is_acknowledged_with_its_revision(agent, store: Store) -> None:
    answer = agent.post(PATH, data=report("r1", now_ms(), [host("web-1", "10.0.0.1")]), content_type=JSON)
    assert answer.status_code == 200, answer.json
    assert answer.json["revision"] == answer.json["durable_revision"] == store.revision()
    assert (answer.json["report"], answer.json["observations"], answer.json["duplicate"]) == ("r1", 1, False)
    assert rows(store)["ci"] == 2


def test_the_same_report_again_changes_nothing(agent, store: Store) -> None:
    body = report("r1", now_ms(), [host("web-1", "10.0.0.1")])
    first = agent.post(PATH, data=body, content_type=JSON).json
    before = rows(store)
    again = agent.post(PATH, data=gzip.compress(body), content_type=JSON, headers={"Content-Encoding": "gzip"}).json
    assert again["duplicate"] and again["revision"] == first["revision"]
    assert rows(store) == before


def test_what_is_not_durable_yet_is_202(agent, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(store), "durable_revision", lambda self: 0)
    answer = agent.post(PATH, data=report("r1", now_ms(), [host("web-1", "10.0.0.1")]), content_type=JSON)
    assert answer.status_code == 202
    assert answer.json["durable_revision"] < answer.json["revision"]


def changed(**changes: Any) -> bytes:
    return json.dumps(body_of(**changes)).encode()


def observed(**changes: Any) -> bytes:
    told = body_of()
    told["content"]["observations"][0] |= changes
    return json.dumps(told).encode()


Bad = dict[str, tuple[bytes, int, str]]
"""name -> (body, status, member of the problem that tells where)."""


def of_another_shape() -> Bad:
    return {
        "an array": (b"[]", 422, "errors"),
        "wrong version": (changed(version=99), 422, "version"),
        "version of another shape": (b'{"version": 2, "entirely": "different"}', 422, "version"),
        "unknown member": (changed(surprise=1), 422, "errors"),
        "missing member": (b'{"version": 1}', 422, "errors"),
        "wrong type": (changed(site=5), 422, "site"),
        "wrong type deep inside": (observed(components=[{"ref": 5}]), 422, "content.observations[0].components[0]"),
        "unknown class": (observed(**{"class": "teapot"}), 422, "content.observations[0].class"),
        "from the future": (
            changed(observed_at="2999-01-01T00:00:00Z", sent_at="2999-01-01T00:00:00Z"),
            422,
            "sent_at",
        ),
        "observed after sent": (changed(sent_at="2020-01-01T00:00:00Z"), 422, "observed_at"),
        "no time": (changed(observed_at="yesterday"), 422, "observed_at"),
        "time without offset": (changed(observed_at="2026-01-01T00:00:00"), 422, "observed_at"),
        "part beyond parts": (changed(scan={"id": "s", "part": 3, "parts": 2}), 422, "scan.part"),
    }


def unreadable() -> Bad:
    good = json.dumps(body_of()).encode()
    return {
        "empty": (b"", 400, "offset"),
        "truncated": (good[: len(good) // 2], 400, "offset"),
        "no JSON": (b"<report/>", 400, "offset"),
        "NUL escaped": (good.replace(b"web-1", b"web\\u00001"), 400, "offset"),
        "NUL raw": (good.replace(b"web-1", b"web\x001"), 400, "offset"),
        "invalid UTF-8": (good.replace(b"web-1", b"web\xff1"), 400, "offset"),
        "overlong UTF-8": (good.replace(b"web-1", b"web\xc0\x801"), 400, "offset"),
        "lone surrogate": (good.replace(b"web-1", b"web\\ud8001"), 400, "offset"),
        "surrogate as bytes": (good.replace(b"web-1", b"web\xed\xa0\x801"), 400, "offset"),
        "deep nesting": (b'{"content": ' + b"[" * 90_000, 400, "offset"),
        "deep nesting inside": (
            good.replace(b'"observations": [', b'"observations": [' + b"[" * 40_000 + b"]" * 40_000 + b","),
            400,
            "offset",
        ),
        "too large": (b" " * 200_001, 413, "limit"),
        "50 MB": (b" " * 50_000_000, 413, "limit"),
    }


def beyond_the_grant() -> Bad:
    return {
        "a foreign agent": (changed(agent="agent-2"), 403, "agent"),
        "a foreign site": (changed(site="elsewhere"), 403, "site"),
        "a foreign source": (changed(source="vcenter:prod"), 403, "source"),
        "a foreign network": (changed(scope={"target": "192.168.0.0/24"}), 403, "scope.target"),
        "a wider network": (changed(scope={"target": "0.0.0.0/0"}), 403, "scope.target"),
        "another's own host": (changed(scope={"target": "local:agent-2"}), 403, "scope.target"),
        "a foreign address": (observed(address="192.168.7.7"), 403, "content.observations[0].address"),
    }


BAD = of_another_shape() | unreadable() | beyond_the_grant()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_report_is_refused_with_its_place_and_stores_nothing(agent, store: Store, name: str) -> None:
    body, status, place = BAD[name]
    answer = agent.post(PATH, data=body, content_type=JSON)
    assert answer.status_code == status, answer.json
    assert answer.content_type == "application/problem+json"
    assert place in answer.json or place in answer.json["detail"], answer.json
    if "offset" in answer.json:
        assert 0 <= answer.json["offset"] <= len(body)
    assert not any(rows(store).values())
    assert agent.post(PATH, data=json.dumps(body_of()), content_type=JSON).status_code == 200


def test_a_gzip_bomb_is_refused(agent, store: Store) -> None:
    bomb = gzip.compress(b" " * 100_000_000, 9)
    answer = agent.post(PATH, data=bomb, content_type=JSON, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert not any(rows(store).values())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "br"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 400),
    ],
)
def test_a_body_that_is_not_what_it_says(agent, headers: dict[str, str], status: int) -> None:
    assert agent.post(PATH, data=b"{}", headers=headers).status_code == status


def test_a_store_that_does_not_answer_is_503(agent, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr(type(store), "write", fail)
    answer = agent.post(PATH, data=json.dumps(body_of()), content_type=JSON)
    assert (answer.status_code, answer.json["type"]) == (503, "/docs/problems#store-unavailable")


def test_outcomes_are_counted(agent, app: Flask) -> None:
    agent.post(PATH, data=report("r1", now_ms(), []), content_type=JSON)
    agent.post(PATH, data=b"{", content_type=JSON)
    told = app.extensions[KEY].metrics.exposition([]).decode()
    assert 'cmdb_reports_total{outcome="changed"} 1.0' in told
    assert 'route="/api/v1/reports",status="400"} 1.0' in told


def test_the_description_has_every_member_that_is_decoded(client) -> None:
    described = client.get("/openapi.json").json["components"]["schemas"]
    for kind in (wire.Report, wire.Content, wire.Observation, wire.Component, wire.Relation, wire.End, wire.Sample):
        fields = {field.encode_name: field.required for field in msgspec.structs.fields(kind)}
        assert set(described[kind.__name__]["properties"]) == set(fields)
        assert set(described[kind.__name__].get("required", ())) == {name for name, needed in fields.items() if needed}
        assert described[kind.__name__]["additionalProperties"] is False


def test_a_dry_run_tells_what_it_would_do_and_stores_nothing(agent, reader) -> None:
    body = report("r1", now_ms(), [host("web-1", "10.0.0.1")])
    told = agent.post("/api/v1/reports?dry_run=true", data=body, content_type="application/json")
    assert told.status_code == 200 and told.json["counts"] == {"create": 2}
    assert {(one["change"], one["class"]) for one in told.json["cis"]} == {
        ("create", "server"),
        ("create", "network_interface"),
    }
    assert reader.get("/api/v1/cis").json["items"] == []
    assert agent.post("/api/v1/reports?dry_run=maybe", data=body, content_type="application/json").status_code == 422
