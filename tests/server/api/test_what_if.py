from __future__ import annotations

import pytest
from marshmallow import ValidationError

from cmdb_server.answers.what_if import Edit
from cmdb_server.api.what_if import SupposedEditSchema

ID = "00000000-0000-4000-8000-000000000001"


def test_an_edit_is_read_as_the_answers_take_it() -> None:
    told = {"edit": "relate", "from": ID, "relation": "depends_on", "to": ID, "group": "g", "weight": 2}
    assert SupposedEditSchema().load(told) == Edit(
        "relate", from_=ID, relation="depends_on", to=ID, group="g", weight=2
    )  # fmt: skip
    assert SupposedEditSchema().load({"edit": "gate", "ci": ID, "gate": None}) == Edit("gate", ID)


@pytest.mark.parametrize("told", [{}, {"edit": "paint"}, {"edit": "remove", "ci": "x"}, {"edit": "gate", "gate": 1}])
def test_what_is_no_edit_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SupposedEditSchema().load(told)


def test_questions_suppose_things(as_role, reader) -> None:
    operator = as_role("operator")

    def enter(name: str, *on: str) -> str:
        relations = [{"type": "depends_on", "ci": ci} for ci in on]
        body = {"class": "application_service", "name": name, "relations": relations}
        return str(operator.post("/api/v1/cis", json=body).json["id"])

    base = enter("base")
    top = enter("top", base)
    gone = [{"edit": "unrelate", "from": top, "relation": "depends_on", "to": base}]
    answer = reader.post("/api/v1/impact", json={"failed": [base], "edits": gone}).json
    hit = [one["affected"]["ci"]["name"] for one in answer["services"]]
    assert (hit, answer["supposed"][0]["to"]["name"]) == (["base"], "base"), "itself alone"
    assert reader.post(f"/api/v1/cis/{top}/requires", json={"edits": gone}).json["items"] == []
    assert reader.post(f"/api/v1/cis/{top}/single-points", json={"edits": gone}).json["items"] == []
    assert len(reader.post(f"/api/v1/cis/{top}/single-points", json={}).json["items"]) == 1
    refused = reader.post("/api/v1/impact", json={"failed": [base], "edits": [{"edit": "remove"}]})
    assert (refused.status_code, refused.json["errors"][0]["path"]) == (422, "edits[0].ci")
