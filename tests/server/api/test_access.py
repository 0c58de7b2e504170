from __future__ import annotations

import json
import logging

import pytest
from flask import Flask

from cmdb_server.api.access import CONTENT_SECURITY_POLICY, JsonFormatter
from cmdb_server.api.context import KEY


def test_every_answer_bears_the_security_headers(client) -> None:
    for path in ("/health/live", "/docs", "/openapi.json", "/nowhere", "/api/v1/classes"):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert (headers["Cache-Control"] and "public" not in headers["Cache-Control"]) or path.startswith("/docs")


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY and "http" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")


def test_a_request_id_is_taken_over_when_it_is_one(client) -> None:
    given = client.get("/health/live", headers={"X-Request-Id": "0af7651916cd43dd"}).headers["X-Request-Id"]
    assert given == "0af7651916cd43dd"
    for forged in ("short", 'a"b\\c<script>', "x" * 65, ""):
        assert client.get("/health/live", headers={"X-Request-Id": forged}).headers["X-Request-Id"] != forged


def test_the_log_is_json_with_the_request_and_without_the_token(reader, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(JsonFormatter())
    with caplog.at_level(logging.INFO, "cmdb.access"):
        answer = reader.get("/api/v1/classes/no-such", headers={"X-Request-Id": "0af7651916cd43dd"})
    assert answer.status_code == 404
    (line,) = [json.loads(text) for text in caplog.text.splitlines()]
    assert line["request_id"] == "0af7651916cd43dd"
    assert (line["route"], line["status"], line["subject"]) == ("/api/v1/classes/<string:name>", 404, "a reader")
    assert reader.token.rpartition("_")[2] not in caplog.text


def test_a_line_break_in_a_message_stays_in_its_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 1, "one\ntwo \u2028 %s", ("three",), None)
    assert len(JsonFormatter().format(record).splitlines()) == 1


def test_what_cannot_be_a_route_is_not_a_label(app: Flask, client) -> None:
    client.get("/made/up/teapot")
    client.open("/health/live", method="BREW")
    told = app.extensions[KEY].metrics.exposition([]).decode()
    assert "teapot" not in told and "BREW" not in told
    assert 'method="other"' in told
