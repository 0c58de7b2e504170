from __future__ import annotations

import json
import logging
from http import HTTPStatus

import pytest
from flask import Flask, abort, redirect

from cmdb_server.api.problem import MEDIA_TYPE, field_errors, problem_of_error, subclasses
from cmdb_server.errors import CmdbError, SettingsError, TooManyRequests


def test_every_error_of_the_server_is_a_problem(app: Flask) -> None:
    for kind in subclasses(CmdbError):
        if kind.__init__ is not CmdbError.__init__:
            continue  # makes its own words, and is told as its base is
        with app.test_request_context():
            answer = problem_of_error(kind("what and where", offset=7))
        body = json.loads(answer.data)
        assert answer.status_code == kind.status == body["status"]
        assert answer.content_type == MEDIA_TYPE
        if kind.status != 500:
            assert body["detail"] == "what and where"
            assert (body["type"], body["title"], body["offset"]) == (f"/docs/problems#{kind.slug}", kind.title, 7)


def test_internal_errors_tell_the_log_and_not_the_caller(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with app.test_request_context():
        answer = problem_of_error(SettingsError("the path /etc/secret"))
    assert b"/etc/secret" not in answer.data
    assert "/etc/secret" in caplog.text


def test_headers_of_an_error_are_sent_as_headers(app: Flask) -> None:
    with app.test_request_context():
        answer = problem_of_error(TooManyRequests("later", headers={"Retry-After": "7"}))
    assert answer.headers["Retry-After"] == "7"
    assert b"headers" not in answer.data


@pytest.mark.parametrize("status", [s.value for s in HTTPStatus if s.value in (400, 404, 408, 413, 414, 431, 500, 503)])
def test_what_the_framework_refuses_is_a_problem(app: Flask, status: int) -> None:
    app.add_url_rule("/refuse", view_func=lambda: abort(status))
    answer = app.test_client().get("/refuse")
    assert (answer.status_code, answer.content_type) == (status, MEDIA_TYPE)
    assert answer.json is not None and answer.json["status"] == status
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


def test_nothing_there_is_told_by_its_path(app: Flask) -> None:
    answer = app.test_client().get("/api/v1/nowhere/1")
    assert answer.json is not None and answer.json["detail"] == "there is nothing at /api/v1/nowhere/1"


def test_redirections_are_no_problem(app: Flask) -> None:
    app.add_url_rule("/moved", view_func=lambda: redirect("/docs", 308))
    assert app.test_client().get("/moved").status_code == 308


def test_an_unforeseen_fault_tells_nothing_but_its_request(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> str:
        raise RuntimeError("secret inside")

    app.add_url_rule("/fail", view_func=fail)
    with caplog.at_level(logging.ERROR):
        answer = app.test_client().get("/fail")
    assert (answer.status_code, answer.content_type) == (500, MEDIA_TYPE)
    assert b"secret" not in answer.data and b"Traceback" not in answer.data
    assert "secret inside" in caplog.text


def test_the_wrong_method_names_the_right_ones(app: Flask) -> None:
    answer = app.test_client().delete("/health/live")
    assert (answer.status_code, answer.content_type) == (405, MEDIA_TYPE)
    assert "GET" in answer.headers["Allow"]


def test_paths_of_nested_fields() -> None:
    told = {"json": {"relations": {0: {"type": ["Unknown."]}}, "_schema": ["whole"], "a": {"b": ["x", "y"]}}}
    assert list(field_errors(told)) == [
        {"path": "relations[0].type", "message": "Unknown."},
        {"path": "", "message": "whole"},
        {"path": "a.b", "message": "x"},
        {"path": "a.b", "message": "y"},
    ]


def test_a_lone_surrogate_in_a_detail_can_be_sent(app: Flask) -> None:
    with app.test_request_context():
        answer = problem_of_error(CmdbError.__subclasses__()[0]("\ud800"))
    assert json.loads(answer.data)["detail"] == "\\ud800"
