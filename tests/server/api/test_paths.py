from __future__ import annotations

import pytest

from tests.shop import Shop


@pytest.fixture
def shop(store) -> Shop:
    return Shop(store)


def test_the_way_between_two(reader, shop: Shop) -> None:
    ends = {"from": shop.ids["web1"], "to": shop.ids["shop"]}
    answer = reader.get("/api/v1/paths", query_string=ends)
    assert answer.status_code == 200, answer.json
    assert [step["ci"]["name"] for step in answer.json["steps"]] == ["web1", "lb", "app", "shop"]
    assert (answer.json["from"]["name"], answer.json["to"]["name"]) == ("web1", "shop")
    assert reader.get("/api/v1/paths", query_string={"from": shop.ids["web1"]}).status_code == 422
    unknown = {**ends, "to": "00000000-0000-4000-8000-000000000000"}
    assert reader.get("/api/v1/paths", query_string=unknown).status_code == 404
