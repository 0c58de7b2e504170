from __future__ import annotations

import json
from typing import Any

import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import rfc3339
from tests.factories import host, report

CIS = "/api/v1/cis"
HOSTILE = (
    "'; DROP TABLE ci; --",
    'x"}) DETACH DELETE n //',
    "<script>alert(1)</script>",
    "{{7*7}}",
    "%s%n",
    "[bold]not markup[/bold]",
    "\u202eright to left",
    "line\nbreak",
)


@pytest.fixture
def operator(as_role) -> Any:
    return as_role("operator", subject="ann")


@pytest.fixture
def estate(agent) -> None:
    """Two web servers and a database, one day apart from nothing."""
    hosts = [
        host("web-1", "10.0.0.1", listens=[80], uses=[("10.0.0.3", 5432)], os_name="Debian"),
        host("web-2", "10.0.0.2", listens=[80], uses=[("10.0.0.3", 5432)], os_name="Debian"),
        host("db-1", "10.0.0.3", listens=[5432], os_name="Rocky"),
    ]
    answer = agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    assert answer.status_code == 200, answer.json


def items(client: Any, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(CIS, query_string=query)
    assert answer.status_code == 200, answer.json
    return answer.json["items"]


def names(client: Any, **query: Any) -> list[str]:
    return sorted(item["name"] for item in items(client, **query))


@pytest.mark.usefixtures("estate")
def test_filters_must_all_hold(reader) -> None:
    assert names(reader, **{"class": "computer"}) == ["db-1", "web-1", "web-2"]
    assert names(reader, **{"class": "computer", "attribute": "os_name=Debian"}) == ["web-1", "web-2"]
    assert names(reader, attribute=["os_name=Debian", "name=web-2"]) == ["web-2"]
    assert names(reader, name="db-1") == ["db-1"]
    assert names(reader, name="db") == []
    assert len(names(reader, site="lab", life="current")) == 9
    assert names(reader, site="elsewhere") == names(reader, life="missing") == []


@pytest.mark.usefixtures("estate")
def test_a_selector_narrows_and_its_faults_have_columns(reader) -> None:
    assert names(reader, select='class == "server" && os_name == "Debian"') == ["web-1", "web-2"]
    assert names(reader, select='isa("computer")', name="db-1") == ["db-1"]
    refused = reader.get(CIS, query_string={"select": "os_name = 1"})
    assert refused.status_code == 422
    assert refused.json["errors"] == [{"path": "select", "message": "'=' means nothing here; write ==", "column": 9}]


@pytest.mark.usefixtures("estate")
def test_pages_hold_everything_once(reader) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(20):
        page = reader.get(CIS, query_string={"limit": 2, **cursor}).json
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == len(set(seen)) == 9


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"clas": "server"}, "clas"),
        ({"class": "teapot"}, "class"),
        ({"limit": 0}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "never given out!"}, "cursor"),
        ({"life": "undead"}, "life"),
        ({"attribute": "os_name"}, "attribute[0]"),
        ({"at": "yesterday"}, "at"),
        ({"known_at": "2026-01-01"}, "known_at"),
        ({"name": "a\0b"}, "name"),
    ],
)
def test_bad_questions_name_the_parameter(reader, query: dict[str, Any], path: str) -> None:
    answer = reader.get(CIS, query_string=query)
    assert answer.status_code == 422
    assert [fault["path"] for fault in answer.json["errors"]] == [path]


@pytest.mark.usefixtures("estate")
def test_one_ci_comes_with_all_that_belongs_to_it(reader) -> None:
    (web,) = items(reader, name="web-1")
    shown = reader.get(f"{CIS}/{web['id']}").json
    assert {one["class"] for one in shown["components"]} == {"network_interface", "web_server"}
    assert ("runs", "app") in {(one["label"], one["other_name"]) for one in shown["relations"]}
    assert [(one["source"], one["site"], one["agent"]) for one in shown["sources"]] == [("ssh", "lab", "agent-1")]
    for link in ("self", "explain", "relations"):
        assert reader.get(shown["links"][link]).status_code == 200


@pytest.mark.usefixtures("estate")
def test_what_is_known_already_is_304(reader) -> None:
    (web,) = items(reader, name="web-1")
    for path in (f"{CIS}/{web['id']}", CIS, f"{CIS}/{web['id']}/relations"):
        tag = reader.get(path).headers["ETag"]
        again = reader.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.data) == (304, b"")
        assert reader.get(path, headers={"If-None-Match": '"0-0000000000000000"'}).status_code == 200


def test_unknown_ids_are_404(reader) -> None:
    for path in ("00000000-0000-0000-0000-000000000000", "no-uuid", "..%2f..%2fetc%2fpasswd"):
        assert reader.get(f"{CIS}/{path}").status_code == 404


def test_a_ci_is_entered_shown_and_found(operator, reader) -> None:
    made = operator.post(CIS, json={"class": "server", "name": "hand-made", "attributes": {"os_name": "Plan 9"}})
    assert made.status_code == 201, made.json
    shown = reader.get(made.headers["Location"])
    assert shown.json["attributes"] == {"name": "hand-made", "os_name": "Plan 9"}
    assert shown.headers["ETag"] == made.headers["ETag"]
    assert shown.json["sources"][0]["agent"] == "ann"


def test_relations_are_entered_both_ways(operator) -> None:
    database = operator.post(CIS, json={"class": "server", "name": "db"}).json["id"]
    relations = [{"type": "depends_on", "ci": database, "group": "databases"}]
    service = operator.post(CIS, json={"class": "application_service", "name": "shop", "relations": relations}).json
    assert [(one["label"], one["other"], one["group"]) for one in service["relations"]] == [
        ("depends_on", database, "databases")
    ]
    seen = operator.get(f"{CIS}/{database}/relations").json["items"]
    assert [(one["type"], one["incoming"], one["other_name"]) for one in seen] == [("depends_on", True, "shop")]
    assert operator.get(f"{CIS}/{database}/relations?type=runs_on").json["items"] == []


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({"name": "x"}, 422, "class"),
        ({"class": "server"}, 422, "name"),
        ({"class": "teapot", "name": "x"}, 422, "class"),
        ({"class": "server", "name": "x", "color": "red"}, 422, "color"),
        ({"class": "server", "name": "x", "attributes": {"colour": "red"}}, 422, "attributes.colour"),
        ({"class": "server", "name": "x", "attributes": {"os_name": 5}}, 422, "attributes.os_name"),
        ({"class": "server", "name": "x", "attributes": {"ip_address": "not-an-ip"}}, 422, "attributes.ip_address"),
        ({"class": "server", "name": "x", "attributes": {"mac_addresses": ["eth0"]}}, 422, "attributes.mac_addresses"),
        ({"class": "server", "name": "x", "attributes": {"name": "y"}}, 422, "attributes.name"),
        ({"class": "server", "name": "x", "attributes": {"os_name": 2**64}}, 422, "attributes.os_name"),
        ({"class": "server", "name": "x\0"}, 422, "name"),
        ({"class": "server", "name": ""}, 422, "name"),
        ({"class": "server", "name": "x", "relations": [{"type": "depends_on"}]}, 422, "relations[0].ci"),
        (
            {
                "class": "server",
                "name": "x",
                "relations": [{"type": "eats", "ci": "0" * 8 + "-0000-0000-0000-" + "0" * 12}],
            },
            422,
            "relations[0].type",
        ),
    ],
)
def test_bad_entries_name_the_field(operator, body: dict[str, Any], status: int, path: str) -> None:
    answer = operator.post(CIS, json=body)
    assert answer.status_code == status, answer.json
    assert path in {fault["path"] for fault in answer.json["errors"]}
    assert items(operator) == []


def test_a_body_that_is_no_object_or_too_deep(operator) -> None:
    assert operator.post(CIS, json=[1]).status_code == 422
    assert operator.post(CIS, data=b"[" * 9000, content_type="application/json").status_code == 400
    assert operator.post(CIS, data=b" " * 20_001, content_type="application/json").status_code == 413


def test_an_edit_needs_the_tag_of_what_it_edits(operator) -> None:
    made = operator.post(CIS, json={"class": "server", "name": "x"})
    path, tag = made.headers["Location"], made.headers["ETag"]
    change = {"attributes": {"asset_tag": "A-1"}}
    assert operator.patch(path, json=change).status_code == 428
    assert operator.patch(path, json=change, headers={"If-Match": '"unknown"'}).status_code == 412
    done = operator.patch(path, json=change, headers={"If-Match": tag})
    assert done.status_code == 200, done.json
    assert done.json["attributes"]["asset_tag"] == "A-1"
    assert operator.patch(path, json=change, headers={"If-Match": tag}).status_code == 412
    assert operator.patch(path, json={"name": "y"}, headers={"If-Match": "*"}).json["name"] == "y"


def test_null_takes_a_word_back(operator) -> None:
    path = operator.post(CIS, json={"class": "server", "name": "x", "attributes": {"asset_tag": "A-1"}}).headers[
        "Location"
    ]
    done = operator.patch(path, json={"attributes": {"asset_tag": None}}, headers={"If-Match": "*"})
    assert done.json["attributes"] == {"name": "x"}


@pytest.mark.usefixtures("estate")
def test_a_sighting_alone_is_no_obstacle_to_an_edit(operator, agent) -> None:
    (web,) = items(operator, name="web-1")
    path = f"{CIS}/{web['id']}"
    tag = operator.get(path).headers["ETag"]
    hosts = [
        host("web-1", "10.0.0.1", listens=[80], uses=[("10.0.0.3", 5432)], os_name="Debian"),
        host("web-2", "10.0.0.2", listens=[80], uses=[("10.0.0.3", 5432)], os_name="Debian"),
        host("db-1", "10.0.0.3", listens=[5432], os_name="Rocky"),
    ]
    assert (
        agent.post("/api/v1/reports", data=report("r2", now_ms(), hosts), content_type="application/json").status_code
        == 200
    )
    assert operator.get(path).headers["ETag"] != tag
    done = operator.patch(path, json={"attributes": {"asset_tag": "A-1"}}, headers={"If-Match": tag})
    assert done.status_code == 200, done.json


@pytest.mark.usefixtures("estate")
def test_a_reader_cannot_edit_and_an_agent_cannot_read(reader, agent) -> None:
    (web,) = items(reader, name="web-1")
    assert reader.patch(f"{CIS}/{web['id']}", json={}, headers={"If-Match": "*"}).status_code == 403
    assert reader.post(CIS, json={"class": "server", "name": "x"}).status_code == 403
    assert agent.get(CIS).status_code == 403


@pytest.mark.usefixtures("estate")
def test_an_alias_answers_with_the_canonical_id(operator) -> None:
    (web,) = items(operator, name="web-1")
    operator.patch(f"{CIS}/{web['id']}", json={"attributes": {"asset_tag": "A-1"}}, headers={"If-Match": "*"})
    (web,) = items(operator, name="web-1")
    records = {one["record"] for one in operator.get(f"{CIS}/{web['id']}").json["sources"]}
    (alias,) = records - {web["id"]}
    answer = operator.get(f"{CIS}/{alias}")
    assert (answer.status_code, answer.json["id"]) == (200, web["id"])
    assert answer.headers["Content-Location"] == f"{CIS}/{web['id']}"
    assert "Content-Location" not in operator.get(f"{CIS}/{web['id']}").headers
    edited = operator.patch(f"{CIS}/{alias}", json={"attributes": {"asset_tag": "A-2"}}, headers={"If-Match": "*"})
    assert (edited.json["id"], edited.json["attributes"]["asset_tag"]) == (web["id"], "A-2")
    assert edited.headers["Content-Location"] == f"{CIS}/{web['id']}"


@pytest.mark.usefixtures("estate")
def test_the_past_is_asked_with_at_and_known_at(reader) -> None:
    before = "2001-01-01T00:00:00Z"
    later = rfc3339(now_ms() + 60_000)
    assert items(reader, at=before) == items(reader, known_at=before) == []
    assert len(items(reader, at=later)) == len(items(reader, known_at=later)) == 9
    (web,) = items(reader, name="web-1")
    assert reader.get(f"{CIS}/{web['id']}", query_string={"at": before}).status_code == 404
    assert reader.get(f"{CIS}/{web['id']}", query_string={"at": later}).json["name"] == "web-1"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_data(operator, text: str) -> None:
    made = operator.post(CIS, json={"class": "server", "name": text, "attributes": {"os_name": text}})
    assert made.status_code == 201, made.json
    assert made.json["name"] == made.json["attributes"]["os_name"] == text
    assert names(operator, name=text) == [text]
    assert names(operator, attribute=f"os_name={text}") == [text]
    hits = operator.get("/api/v1/search", query_string={"q": text}).json["items"]
    assert [hit["ci"]["name"] for hit in hits] == [text]
    assert operator.get(CIS).content_type == "application/json"
    assert len(json.loads(operator.get(CIS).data)["items"]) == 1
