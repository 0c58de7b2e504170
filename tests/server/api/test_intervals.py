from __future__ import annotations

from typing import Any

import pytest

INTERVALS = "/api/v1/impact/intervals"
DAY = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"}


@pytest.fixture
def base(as_role) -> str:
    """What a service stands on."""
    operator, ids = as_role("operator"), []
    for name in ("base", "top"):
        body = {
            "class": "application_service",
            "name": name,
            "relations": [{"type": "depends_on", "ci": i} for i in ids],
        }
        ids.append(operator.post("/api/v1/cis", json=body).json["id"])
    return str(ids[0])


def test_services_with_their_times(reader, base: str) -> None:
    spans = [{"start": "2026-03-01T02:00:00+01:00", "end": "2026-03-01T02:00:00Z"}, {"start": "2026-03-01T23:00:00Z"}]
    answer = reader.post(INTERVALS, json={**DAY, "failures": [{"cis": [base], "spans": spans}]})
    assert answer.status_code == 200, answer.json
    (service,) = answer.json["services"]
    assert service["affected"]["down"] == [
        {"start": "2026-03-01T01:00:00.000Z", "end": "2026-03-01T02:00:00.000Z"},
        {"start": "2026-03-01T23:00:00.000Z", "end": "2026-03-02T00:00:00.000Z"},
    ]
    assert service["affected"]["down_ms"] == 7_200_000
    assert [one["start"] for one in answer.json["pieces"]][:2] == [
        "2026-03-01T00:00:00.000Z", "2026-03-01T01:00:00.000Z",
    ]  # fmt: skip


def test_what_is_expected_counts(reader, base: str) -> None:
    body = {
        "start": DAY["start"], "failures": [{"cis": [base], "spans": [{"start": DAY["start"]}]}],
        "expected": [{"at": DAY["end"], "edits": [{"edit": "remove", "ci": base}]}],
    }  # fmt: skip
    answer = reader.post(INTERVALS, json=body).json
    assert answer["end"] is None
    assert answer["services"][0]["affected"]["down"] == [
        {"start": "2026-03-01T00:00:00.000Z", "end": "2026-03-02T00:00:00.000Z"}
    ]


@pytest.mark.parametrize(
    ("change", "status", "path"),
    [
        ({"start": None}, 422, "start"),
        ({"end": "2026-02-01T00:00:00Z"}, 422, "window"),
        ({"failures": []}, 422, "failures"),
        ({"failures": [{"cis": ["00000000-0000-0000-0000-000000000000"], "spans": [DAY]}]}, 404, "failures[0].cis[0]"),
        ({"expected": [{"edits": []}]}, 422, "expected[0].at"),
    ],
)
def test_bad_questions_name_the_field(reader, base: str, change: dict[str, Any], status: int, path: str) -> None:
    answer = reader.post(INTERVALS, json={**DAY, "failures": [{"cis": [base], "spans": [DAY]}], **change})
    assert answer.status_code == status, answer.json
    assert path in {fault["path"] for fault in answer.json["errors"]}
