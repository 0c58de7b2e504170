from __future__ import annotations

import pytest

from tests.shop import Shop


@pytest.fixture
def shop(store) -> Shop:
    return Shop(store)


def test_services_of_a_ci(reader, shop: Shop) -> None:
    answer = reader.get(f"/api/v1/cis/{shop.ids['web1']}/services")
    assert answer.status_code == 200, answer.json
    assert {(one["ci"]["name"], one["criticality"]) for one in answer.json["items"]} == {
        ("shop", "most_critical"),
        ("wiki", "not_critical"),
    }
