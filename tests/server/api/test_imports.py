from __future__ import annotations

import json
from typing import Any

import pytest

IMPORTS = "/api/v1/imports"
TABLE = "class,name,os_name\nserver,web-1,Debian\n"


@pytest.fixture
def operator(as_role) -> Any:
    return as_role("operator", subject="ann")


def bring(client: Any, text: str | bytes = TABLE, media: str = "text/csv", headers: Any = None, **query: Any) -> Any:
    asked = {"name": "cmdb", "format": "csv", **query}
    return client.post(IMPORTS, query_string=asked, data=text, content_type=media, headers=headers)


def test_a_file_is_previewed_and_then_taken_in(operator, reader) -> None:
    preview = bring(operator, dry_run="true").json
    (row,) = preview.pop("preview")
    assert {name: row[name] for name in ("row", "does", "class", "name", "values", "by")} == {
        "row": 2, "does": "create", "class": "server", "name": "web-1", "values": {}, "by": {},
    }  # fmt: skip
    assert preview == {
        "applied": False, "revision": None, "rows": 1, "new": 1, "changed": 0, "unchanged": 0, "ended": 0, "faults": [],
    }  # fmt: skip
    taken = bring(operator).json
    assert taken["applied"] and taken["preview"] == []
    changed = bring(operator, TABLE.replace("Debian", "AIX"), dry_run="true").json["preview"]
    assert [(one["does"], one["values"]) for one in changed] == [("change", {"os_name": ["Debian", "AIX"]})]
    assert reader.get("/api/v1/cis").json["items"][0]["name"] == "web-1"


def test_faults_have_rows_in_the_preview_and_in_the_refusal(operator) -> None:
    text = TABLE + "servr,x,\n"
    fault = {"row": 3, "column": "class", "message": "unknown class 'servr'"}
    assert bring(operator, text, dry_run="true").json["faults"] == [fault]
    refused = bring(operator, text)
    assert refused.status_code == 422
    assert refused.json["errors"] == [{"path": "row 3, class", "message": "unknown class 'servr'"}]


def test_progress_comes_line_by_line(operator) -> None:
    answer = bring(operator, headers={"Accept": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line.get("stage") for line in lines] == ["checking", "applying", None] and lines[-1]["applied"]


@pytest.mark.parametrize(
    ("text", "media", "query", "status"),
    [
        (b"\xff", "text/csv", {}, 400), (b"\0", "text/csv", {}, 400), (TABLE, "image/png", {}, 415),
        (TABLE, "text/csv", {"format": "xls"}, 422), (TABLE, "text/csv", {"name": "A b"}, 422),
        (b"x" * 300_000, "text/csv", {}, 413),
    ],
)  # fmt: skip
def test_refusals(operator, text: bytes, media: str, query: dict[str, str], status: int) -> None:
    assert bring(operator, text, media, **query).status_code == status


def test_only_those_who_may_declare_import(reader, agent, client) -> None:
    assert bring(reader).status_code == bring(agent).status_code == 403
    assert bring(client).status_code == 401
