from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import rfc3339

IMPACT = "/api/v1/impact"


@pytest.fixture
def shop(as_role) -> dict[str, str]:
    """A service on a database and on a pool of two web servers of which one suffices: name -> id."""
    operator = as_role("operator")

    def enter(class_: str, name: str, *relations: dict[str, Any]) -> str:
        answer = operator.post("/api/v1/cis", json={"class": class_, "name": name, "relations": list(relations)})
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    ids = {name: enter("server", name) for name in ("web-1", "web-2", "db-1")}
    ids["pool"] = enter("cluster", "pool")
    for name in ("web-1", "web-2"):
        answer = operator.patch(
            f"/api/v1/cis/{ids[name]}",
            json={"relations": [{"type": "member_of", "ci": ids["pool"]}]},
            headers={"If-Match": "*"},
        )
        assert answer.status_code == 200, answer.json
    on = [{"type": "depends_on", "ci": ids[name]} for name in ("pool", "db-1")]
    ids["shop"] = enter("application_service", "shop", *on)
    return ids


def test_a_single_provider_brings_its_consumer_down_with_path_and_arithmetic(reader, shop: dict[str, str]) -> None:
    answer = reader.get(IMPACT, query_string={"failed": shop["db-1"]})
    assert answer.status_code == 200, answer.json
    (service,) = answer.json["services"]
    assert (service["affected"]["ci"]["name"], service["affected"]["state"]) == ("shop", "down")
    path = service["affected"]["path"]
    assert [step["ci"]["name"] for step in path] == ["db-1", "shop"]
    assert path[0]["gate"] is None and "serving" in path[1]["gate"]["text"]


def test_redundancy_is_lost_before_it_is_down(reader, shop: dict[str, str]) -> None:
    one = reader.post(IMPACT, json={"failed": [shop["web-1"]]}).json
    assert one["services"] == [] and one["cis"] == []
    assert [(lost["ci"]["name"], lost["gate"]["lost"]) for lost in one["redundancy_lost"]] == [("pool", 1)]
    both = reader.post(IMPACT, json={"failed": [shop["web-1"], shop["web-2"]]}).json
    assert [service["affected"]["state"] for service in both["services"]] == ["down"]


def test_the_answer_is_never_older_than_the_last_write(as_role, reader, shop: dict[str, str]) -> None:
    operator = as_role("operator")
    before = reader.get(IMPACT, query_string={"failed": shop["db-1"]}).json
    made = operator.post(
        "/api/v1/cis",
        json={
            "class": "application_service",
            "name": "archive",
            "relations": [{"type": "depends_on", "ci": shop["db-1"]}],
        },
    )
    after = reader.get(IMPACT, query_string={"failed": shop["db-1"]}).json
    assert after["revision"] >= made.json["revision"] > before["revision"]
    assert {service["affected"]["ci"]["name"] for service in after["services"]} == {"shop", "archive"}


def test_who_is_held_to_stay_up_stops_it(reader, shop: dict[str, str]) -> None:
    answer = reader.post(IMPACT, json={"failed": [shop["db-1"]], "not_impacted": [shop["shop"]]}).json
    assert answer["services"] == answer["cis"] == []


def test_the_past_can_be_asked(reader, shop: dict[str, str]) -> None:
    now = rfc3339(now_ms() + 1000)
    answer = reader.post(IMPACT, json={"failed": [shop["db-1"]], "at": now, "known_at": now})
    assert answer.status_code == 200, answer.json
    assert (answer.json["at"], answer.json["known_at"]) == (now, now)
    assert [service["affected"]["ci"]["name"] for service in answer.json["services"]] == ["shop"]
    assert reader.post(IMPACT, json={"failed": [shop["db-1"]], "at": "2001-01-01T00:00:00Z"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({}, 422, "failed"),
        ({"failed": []}, 422, "failed"),
        ({"failed": ["x"]}, 422, "failed[0]"),
        ({"failed": ["00000000-0000-0000-0000-000000000000"]}, 404, "failed[0]"),
        ({"failed": "self", "depth": 0}, 422, "depth"),
        ({"failed": "self", "limit": 10**9}, 422, "limit"),
        ({"failed": "self", "at": "now"}, 422, "at"),
        ({"failed": "self", "why": "because"}, 422, "why"),
    ],
)
def test_bad_questions_name_the_field(reader, shop: dict[str, str], body: Any, status: int, path: str) -> None:
    told = {**body, "failed": [shop["db-1"]]} if body.get("failed") == "self" else body
    answer = reader.post(IMPACT, json=told)
    assert answer.status_code == status, answer.json
    assert path in {fault["path"] for fault in answer.json["errors"]}


def test_failed_and_held_to_stay_up_at_once_is_refused(reader, shop: dict[str, str]) -> None:
    assert reader.post(IMPACT, json={"failed": [shop["db-1"]], "not_impacted": [shop["db-1"]]}).status_code == 422


def test_depth_bounds_what_is_listed_not_what_is_computed(reader, shop: dict[str, str]) -> None:
    asked = {"failed": [shop["web-1"], shop["web-2"]], "depth": 1}
    answer = reader.post(IMPACT, json=asked).json
    assert [one["ci"]["name"] for one in answer["cis"]] == ["pool"]
    assert answer["services"] == [] and answer["more"]["services"] == 1
