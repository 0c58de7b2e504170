from __future__ import annotations

import pytest

from cmdb_server.answers.proof_file import pack, unpack
from tests.shop import Shop

PROOF = "/api/v1/impact/proof"


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


def test_a_proof_as_columns_goes_back_as_it_came(reader, shop: Shop) -> None:
    edits = [{"edit": "gate", "ci": shop.ids["lb"], "gate": {"kind": "at_least", "k": 2}}]
    now = reader.get("/api/v1/changes?since=0").json["items"][-1]["cause"]["recorded_at"]
    for more in ({}, {"not_impacted": [shop.ids["shop"]]}, {"edits": edits}, {"at": now, "known_at": now}):
        asked = {"failed": [shop.ids["web1"]], **more}
        made = reader.post(f"{PROOF}/columns", json=asked)
        assert made.status_code == 200 and made.content_type == "application/zip"
        told = reader.post(f"{PROOF}/columns/verdict", data=made.data, content_type="application/zip")
        assert told.status_code == 200, told.json
        assert told.json["holds"] and told.json["claims"] == len(reader.post(PROOF, json=asked).json["claims"])
    shop.need_both()
    told = reader.post(f"{PROOF}/columns/verdict", data=made.data, content_type="application/zip")
    assert told.json["holds"], "of a time that is over"


def test_what_is_no_file_is_refused(reader, shop: Shop) -> None:
    path = f"{PROOF}/columns/verdict"
    assert reader.post(path, data=b"PK", content_type="application/zip").status_code == 400
    assert reader.post(path, json={}).status_code == 415
    made = reader.post(f"{PROOF}/columns", json={"failed": [shop.ids["web1"]]}).data
    assert reader.post(path, data=made + b"x" * 300_000, content_type="application/zip").status_code == 413
    _, told = unpack(made)
    for question in ({}, {"failed": ["x"]}, {"failed": [shop.ids["web1"]], "else": 1}, [], None):
        refused = reader.post(path, data=pack(question, told), content_type="application/zip")
        assert refused.status_code == 400 and "question" in refused.json["detail"], question


def test_a_proof_in_words_may_be_larger_than_other_bodies(reader, shop: Shop) -> None:
    made = reader.post(PROOF, json={"failed": [shop.ids["db-host"]]}).json
    made["claims"] = [*made["claims"]] * 20
    told = reader.post(f"{PROOF}/verdict", json=made)
    assert told.status_code == 200 and not told.json["holds"]
    assert reader.post(PROOF, json={"failed": [shop.ids["db"]] * 600}).status_code == 413
