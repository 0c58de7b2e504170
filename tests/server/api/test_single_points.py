from __future__ import annotations

import pytest

from tests.shop import Shop


@pytest.fixture
def shop(store) -> Shop:
    return Shop(store)


def test_single_points_and_pairs(reader, shop: Shop) -> None:
    address = f"/api/v1/cis/{shop.ids['shop']}/single-points"
    alone = reader.get(address)
    assert alone.status_code == 200, alone.json
    assert "db" in {one["name"] for one in alone.json["items"]}
    assert alone.json["pairs"] is None
    (pair,) = reader.get(address, query_string={"pairs": "true"}).json["pairs"]
    assert {ci["name"] for ci in (*pair["one"], *pair["other"])} == {"web1", "web2"}
