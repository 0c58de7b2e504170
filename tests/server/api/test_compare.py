from __future__ import annotations

import pytest

from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import rfc3339

COMPARE = "/api/v1/impact/compare"


@pytest.fixture
def pair(as_role) -> dict[str, str]:
    """A service on one other."""
    operator, ids = as_role("operator"), {}
    for name, on in (("base", ()), ("top", ("base",))):
        relations = [{"type": "depends_on", "ci": ids[one]} for one in on]
        body = {"class": "application_service", "name": name, "relations": relations}
        ids[name] = operator.post("/api/v1/cis", json=body).json["id"]
    return ids


def test_with_and_without_edits(reader, pair: dict[str, str]) -> None:
    gone = [{"edit": "unrelate", "from": pair["top"], "relation": "depends_on", "to": pair["base"]}]
    answer = reader.post(COMPARE, json={"failed": [pair["base"]], "after": {"edits": gone}})
    assert answer.status_code == 200, answer.json
    (service,) = answer.json["services"]
    assert (service["changed"]["ci"]["name"], service["changed"]["change"]) == ("top", "ceased")
    assert answer.json["gates"][0]["after"] is None
    assert answer.json["after"]["supposed"][0]["edit"] == "unrelate"


def test_times_are_told_as_they_were_asked(reader, pair: dict[str, str]) -> None:
    now = rfc3339(now_ms() + 1000)
    answer = reader.post(COMPARE, json={"failed": [pair["base"]], "before": {"at": now, "known_at": now}}).json
    assert (answer["before"]["at"], answer["before"]["known_at"], answer["after"]["at"]) == (now, now, None)
    assert answer["counts"] == {}


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({}, 422, "failed"),
        ({"failed": ["00000000-0000-0000-0000-000000000000"]}, 404, "failed[0]"),
        ({"failed": "base", "before": {"at": "now"}}, 422, "before.at"),
        ({"failed": "base", "before": {"edits": [{"edit": "remove"}]}}, 422, "before.edits[0].ci"),
        ({"failed": "base", "between": {}}, 422, "between"),
    ],
)
def test_bad_questions_name_the_field(reader, pair: dict[str, str], body, status: int, path: str) -> None:
    told = {**body, "failed": [pair["base"]]} if body.get("failed") == "base" else body
    answer = reader.post(COMPARE, json=told)
    assert answer.status_code == status, answer.json
    assert path in {fault["path"] for fault in answer.json["errors"]}
