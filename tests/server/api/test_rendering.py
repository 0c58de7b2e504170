"""The same answer in every format, through the API."""

from __future__ import annotations

import io
from typing import Any

import html5lib
import networkx as nx
import pytest
from markdown_it import MarkdownIt

from cmdb_server.answers.render.media import FORMATS, MEDIA, REPORTS, SUFFIX
from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import rfc3339

EVIL = 'a"|<b>`[x](http://evil)\n--> &\\'


@pytest.fixture
def pair(as_role) -> dict[str, str]:
    """A service on one server, both with names that would do harm."""
    operator = as_role("operator")

    def enter(class_: str, name: str, *relations: dict[str, Any]) -> str:
        answer = operator.post("/api/v1/cis", json={"class": class_, "name": name, "relations": list(relations)})
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    server = enter("server", EVIL)
    service = enter("business_service", f"{EVIL} shop", {"type": "depends_on", "ci": server})
    return {"server": server, "service": service}


def questions(pair: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Address -> the formats it offers."""
    server, service = pair["server"], pair["service"]
    return {
        f"/api/v1/impact?failed={server}": FORMATS,
        f"/api/v1/cis/{service}/requires?limit=10": FORMATS,
        f"/api/v1/cis/{server}/services?limit=10": FORMATS,
        f"/api/v1/paths?from={server}&to={service}": FORMATS,
        f"/api/v1/cis/{service}/single-points?pairs=true": REPORTS,
        "/api/v1/diff?from=2020-01-01T00:00:00Z&from_known_at=2020-01-01T00:00:00Z": REPORTS,
    }


@pytest.mark.parametrize("format_", FORMATS)
def test_each_question_is_answered_in_each_format_it_offers(reader, pair: dict[str, str], format_: str) -> None:
    for address, offered in questions(pair).items():
        answer = reader.get(f"{address}&format={format_}")
        if format_ not in offered:
            assert answer.status_code == 422, address
            continue
        assert answer.status_code == 200, answer.data
        assert answer.mimetype == MEDIA[format_]
        told = answer.headers["Content-Disposition"]
        assert told.startswith("attachment; filename=") and told.endswith(f'.{SUFFIX[format_]}"')
        text = answer.get_data(as_text=True)
        assert "shop" in text and (format_ == "dot" or "<b>" not in text)


def test_accept_is_heard_where_no_format_is_named(reader, pair: dict[str, str]) -> None:
    address = f"/api/v1/impact?failed={pair['server']}"
    for accept, media in (
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/markdown", "text/markdown"),
        ("application/graphml+xml", "application/graphml+xml"),
        ("*/*", "application/json"),
        ("image/png", "application/json"),
    ):
        answer = reader.get(address, headers={"Accept": accept})
        assert (answer.status_code, answer.mimetype) == (200, media), accept
        assert "Accept" in answer.headers["Vary"]
    named = reader.get(f"{address}&format=json", headers={"Accept": "text/html"})
    assert named.mimetype == "application/json" and "Content-Disposition" not in named.headers


def test_a_body_names_the_format_too(reader, pair: dict[str, str]) -> None:
    answer = reader.post("/api/v1/impact", json={"failed": [pair["server"]], "format": "markdown"})
    assert answer.mimetype == "text/markdown"
    kinds = {token.type for token in MarkdownIt("commonmark").enable("table").parse(answer.get_data(as_text=True))}
    assert "table_open" in kinds and "html_block" not in kinds
    assert reader.post("/api/v1/impact", json={"failed": [pair["server"]], "format": "pdf"}).status_code == 422


def test_html_stands_under_its_own_policy(reader, pair: dict[str, str]) -> None:
    answer = reader.get(f"/api/v1/impact?failed={pair['server']}&format=html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "script" not in policy
    html5lib.HTMLParser(strict=True).parse(answer.get_data(as_text=True))


def test_an_entity_tag_is_of_the_format(reader, pair: dict[str, str]) -> None:
    address = f"/api/v1/impact?failed={pair['server']}"
    tags = {format_: reader.get(f"{address}&format={format_}").headers["ETag"] for format_ in ("json", *FORMATS)}
    assert len(set(tags.values())) == len(tags)
    assert reader.get(f"{address}&format=dot", headers={"If-None-Match": tags["dot"]}).status_code == 304


def test_graphml_names_the_cis_by_id(reader, pair: dict[str, str]) -> None:
    answer = reader.get(f"/api/v1/cis/{pair['service']}/requires?format=graphml")
    graph = nx.read_graphml(io.BytesIO(answer.data))
    assert set(graph.edges()) == {(pair["server"], pair["service"])}


def test_comparisons_times_and_assessments_are_reports_too(as_role, reader, pair: dict[str, str]) -> None:
    failed = {"failed": [pair["server"]], "before": {}, "after": {}, "format": "html"}
    assert reader.post("/api/v1/impact/compare", json=failed).mimetype == "text/html"
    day = {"start": "2030-01-01T00:00:00Z", "end": "2030-01-02T00:00:00Z"}
    over = {**day, "failures": [{"cis": [pair["server"]], "spans": [day]}], "format": "markdown"}
    assert "1440 minutes" in reader.post("/api/v1/impact/intervals", json=over).get_data(as_text=True)
    soon = {"start": rfc3339(now_ms() + 3_600_000), "end": rfc3339(now_ms() + 7_200_000)}
    told = {"body": {"summary": EVIL, "windows": [soon]}, "cis": {"changed": [pair["server"]]}}
    made = as_role("operator").post("/api/v1/kept/change", json=told)
    assert made.status_code == 201, made.json
    answer = reader.get(f"/api/v1/kept/change/{made.json['number']}/assessment?format=html")
    assert answer.status_code == 200 and answer.headers["Content-Disposition"].endswith('assessment-CHG0000001.html"')
    html5lib.HTMLParser(strict=True).parse(answer.get_data(as_text=True))


def test_what_is_supposed_is_said(reader, pair: dict[str, str]) -> None:
    edits = [{"edit": "unrelate", "from": pair["service"], "relation": "depends_on", "to": pair["server"]}]
    told = {"failed": [pair["server"]], "edits": edits, "format": "markdown"}
    text = reader.post("/api/v1/impact", json=told).get_data(as_text=True)
    assert "## Supposed, though it is not so" in text and "unrelate" in text


def test_the_description_tells_of_the_formats(client) -> None:
    paths = client.get("/openapi.json").json["paths"]
    assert set(paths["/api/v1/impact"]["get"]["responses"]["200"]["content"]) == {
        "application/json",
        *(MEDIA[format_] for format_ in FORMATS),
    }
    assert len(paths["/api/v1/diff"]["get"]["responses"]["200"]["content"]) == 1 + len(REPORTS)


def test_the_drift_from_a_baseline_is_a_report_too(as_role, reader, pair: dict[str, str]) -> None:
    operator = as_role("operator")
    assert operator.post("/api/v1/baselines", json={"name": "yesterday"}).status_code == 201
    assert reader.get("/api/v1/baselines/yesterday/drift?format=html").mimetype == "text/html"
