from __future__ import annotations

import pytest

from cmdb_server.api.context import now_ms
from tests.factories import host, report


@pytest.fixture
def estate(agent) -> None:
    hosts = [host("web-1", "10.0.0.1", serial="CZ1234"), host("web-2", "10.0.0.2", os_name="Debian")]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")


@pytest.mark.usefixtures("estate")
@pytest.mark.parametrize(
    ("text", "name", "matched"),
    [
        ("web-1", "web-1", "name"),
        ("CZ1234", "web-1", "serial"),
        ("3c:ec:ef:00:00:02", "web-2", "mac"),
        ("10.0.0.2", "web-2", "address"),
        ("debia", "web-2", "attribute:os_name"),
    ],
)
def test_found_by_any_text_of_its_own(reader, text: str, name: str, matched: str) -> None:
    hits = reader.get("/api/v1/search", query_string={"q": text}).json["items"]
    assert (hits[0]["ci"]["name"], hits[0]["matched"]) == (name, matched)


@pytest.mark.usefixtures("estate")
def test_limits_and_nothing(reader) -> None:
    assert len(reader.get("/api/v1/search?q=web&limit=1").json["items"]) == 1
    assert reader.get("/api/v1/search?q=nowhere").json["items"] == []
    for query in ("", "?q=", "?q=%20", "?q=x&limit=0", "?q=x&limit=1e3", "?q=a%00"):
        assert reader.get(f"/api/v1/search{query}").status_code == 422, query


@pytest.mark.usefixtures("estate")
def test_counts_by_class(reader) -> None:
    told = {one["class"]: one["count"] for one in reader.get("/api/v1/counts").json["items"]}
    assert told == {"server": 2, "network_interface": 2}


@pytest.mark.usefixtures("estate")
def test_counts_of_the_past(reader) -> None:
    for asked in ("at", "known_at"):
        assert reader.get(f"/api/v1/counts?{asked}=2020-01-01T00:00:00Z").json["items"] == [], asked
    now = {"at": "2999-01-01T00:00:00Z"}
    assert reader.get("/api/v1/counts", query_string=now).json["items"] == reader.get("/api/v1/counts").json["items"]
