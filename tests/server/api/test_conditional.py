from __future__ import annotations

import pytest
from flask import Flask

from cmdb_server.api.conditional import expected_revision, tagged
from cmdb_server.errors import PreconditionFailed, PreconditionRequired


def test_a_tag_names_revision_and_content(app: Flask) -> None:
    with app.test_request_context():
        first, same, other, newer = (tagged(*given).get_etag()[0] for given in (("a", 5), ("a", 5), ("b", 5), ("a", 6)))
    assert first == same and len({first, other, newer}) == 3
    assert first is not None and first.startswith("5-")


def test_only_a_plain_answer_becomes_304(app: Flask) -> None:
    with app.test_request_context():
        tag = tagged("a", 5).headers["ETag"]
    with app.test_request_context(headers={"If-None-Match": f'"x", {tag}'}):
        assert tagged("a", 5).status_code == 304
        assert tagged("b", 5).status_code == 200
        assert tagged("a", 5, 201).status_code == 201


@pytest.mark.parametrize(
    ("header", "revision"),
    [
        ('"7-0123456789abcdef"', 7),
        ('"3-0123456789abcdef", "9-0123456789abcdef"', 9),
        ('"3-0123456789abcdef"', 3),
        ("*", 9),
    ],
)
def test_the_revision_that_is_meant(app: Flask, header: str, revision: int) -> None:
    with app.test_request_context(headers={"If-Match": header}):
        assert expected_revision(9) == revision


@pytest.mark.parametrize(
    "header", ['"9"', '"-1-0123456789abcdef"', "9-0123456789abcde", '"' + "9" * 40 + '-0123456789abcdef"', ""]
)
def test_tags_of_nobody(app: Flask, header: str) -> None:
    with app.test_request_context(headers={"If-Match": header}), pytest.raises(PreconditionFailed):
        expected_revision(9)


def test_no_tag_at_all(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(PreconditionRequired):
        expected_revision(9)
