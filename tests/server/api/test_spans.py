from __future__ import annotations

import pytest
from marshmallow import ValidationError

from cmdb_server.api.spans import SpanSchema, timed


def test_edges_are_told_as_times_and_nothing_else_is() -> None:
    told = {"start": 0, "spans": [{"start": 1000, "end": None}], "start_of": 0, "more": {"end": 2000}, "name": "start"}
    assert timed(told) == {
        "start": "1970-01-01T00:00:00.000Z",
        "spans": [{"start": "1970-01-01T00:00:01.000Z", "end": None}],
        "start_of": 0,
        "more": {"end": "1970-01-01T00:00:02.000Z"},
        "name": "start",
    }


def test_a_span_may_have_no_end() -> None:
    assert SpanSchema().load({"start": "1970-01-01T00:00:01Z"}) == {"start": 1000, "end": None}
    with pytest.raises(ValidationError):
        SpanSchema().load({"end": "1970-01-01T00:00:01Z"})
