from __future__ import annotations

import pytest

from tests.shop import Shop


@pytest.fixture
def shop(store) -> Shop:
    return Shop(store)


def test_a_proof_goes_back_as_it_came(reader, shop: Shop) -> None:
    edit = {"edit": "gate", "ci": shop.ids["lb"], "gate": {"kind": "at_least", "k": 2}}
    for edits in (
        [],
        [edit],
        [{**edit, "gate": None}],
        [{"edit": "unrelate", "from": shop.ids["app"], "relation": "depends_on", "to": shop.ids["db"]}],
    ):
        asked = {"failed": [shop.ids["web1"]], "not_impacted": [shop.ids["shop"]], "edits": edits}
        made = reader.post("/api/v1/impact/proof", json=asked)
        assert made.status_code == 200, made.json
        assert made.json["edits"] == edits
        told = reader.post("/api/v1/impact/proof/verdict", json=made.json)
        assert told.status_code == 200, told.json
        assert told.json["holds"] and told.json["problems"] == [] and told.json["claims"] == len(made.json["claims"])


def test_one_that_was_changed_does_not_hold(reader, shop: Shop) -> None:
    made = reader.post("/api/v1/impact/proof", json={"failed": [shop.ids["db-host"]]}).json
    made["claims"] = [one for one in made["claims"] if one["ci"] != shop.ids["shop"]]
    told = reader.post("/api/v1/impact/proof/verdict", json=made).json
    assert not told["holds"] and shop.ids["shop"] in told["problems"][0]


def test_what_is_no_proof_is_refused(reader, shop: Shop) -> None:
    told = reader.post("/api/v1/impact/proof/verdict", json={"failed": [shop.ids["db"]]})
    assert told.status_code == 422 and {"claims", "held", "cut", "revision"} <= {
        one["path"].split(".")[-1] for one in told.json["errors"]
    }
