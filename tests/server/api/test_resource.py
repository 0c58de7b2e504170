from __future__ import annotations

import gzip
import json

import pytest


@pytest.mark.parametrize("media", ["text/plain", "application/xml", "", "application/x-www-form-urlencoded"])
def test_only_json_is_read(admin, media: str) -> None:
    answer = admin.post("/api/v1/tokens", data=b"{}", content_type=media)
    assert (answer.status_code, answer.content_type) == (415, "application/problem+json")


def test_a_resource_reads_gzip_within_its_limits(admin) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    good = gzip.compress(json.dumps({"subject": "ann", "role": "reader"}).encode())
    assert admin.post("/api/v1/tokens", data=good, headers=headers).status_code == 201
    assert admin.post("/api/v1/tokens", data=gzip.compress(b" " * 20_001), headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"null", 422),
        (b"{", 400),
        (b'{"subject": "\xff"}', 400),
        (b'{"subject": "\\ud800", "role": "reader"}', 422),
    ],
)
def test_bodies_that_are_no_object(admin, body: bytes, status: int) -> None:
    answer = admin.post("/api/v1/tokens", data=body, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


@pytest.mark.parametrize("query", ["q=x&q=y&unknown=1", "q=x&at=1", "q=%ff%00"])
def test_query_strings_are_held_to_their_description(reader, query: str) -> None:
    assert reader.get(f"/api/v1/search?{query}").status_code == 422


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/cis", {"class", "select", "at", "known_at", "cursor", "limit", "If-None-Match"}),
        ("/cis/{ci}", {"at", "known_at", "If-None-Match"}),
        ("/changes", {"since", "cursor", "limit", "If-None-Match"}),
    ],
)
def test_a_header_stands_beside_the_query_in_the_description(client, path: str, expected: set[str]) -> None:
    described = client.get("/openapi.json").json["paths"][f"/api/v1{path}"]["get"]["parameters"]
    assert expected <= {parameter["name"] for parameter in described}


def test_nothing_is_read_of_a_sender_who_is_not_known(client) -> None:
    answer = client.post("/api/v1/tokens", data=b"{" * 100, content_type="text/plain")
    assert answer.status_code == 401
