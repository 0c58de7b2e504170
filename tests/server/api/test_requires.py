from __future__ import annotations

import pytest

from tests.shop import Shop


@pytest.fixture
def shop(store) -> Shop:
    return Shop(store)


def test_what_a_ci_stands_on(reader, shop: Shop) -> None:
    answer = reader.get(f"/api/v1/cis/{shop.ids['app']}/requires?limit=2")
    assert answer.status_code == 200, answer.json
    assert {one["ci"]["name"] for one in answer.json["items"]} == {"lb", "db"}
    assert answer.json["more"] == 4
    assert reader.get(f"/api/v1/cis/{shop.ids['app']}/requires?limit=0").status_code == 422
