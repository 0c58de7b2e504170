"""From bytes to a report: what is refused names its place, and clocks are believed within bounds."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_schemas import report as wire
from cmdb_server.errors import Invalid, Malformed
from cmdb_server.ingest import decode
from tests.factories import START, host, report, rfc3339

MINUTE = 60_000
HOUR = 60 * MINUTE
GOOD = report("r1", START, [host("a", "10.0.0.1")])


def clocks(observed: int, sent: int) -> wire.Report:
    return decode.report(report("r", observed, [], sent=sent))


def test_a_report_is_read() -> None:
    told = decode.report(GOOD)
    assert (told.id, told.agent, told.site, told.source) == ("r1", "agent-1", "lab", "ssh")
    content = decode.content(bytes(told.content), GOOD)
    assert decode.observation(bytes(content.observations[0]), 0, GOOD) == host("a", "10.0.0.1")
    assert decode.stored_observation(bytes(content.observations[0])) == host("a", "10.0.0.1")


@given(st.integers(0, len(GOOD) - 1))
def test_cut_anywhere_it_is_malformed_at_a_byte(length: int) -> None:
    with pytest.raises(Malformed) as refused:
        decode.report(GOOD[:length])
    assert refused.value.extra["offset"] <= length


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_one_wrong_byte_never_does_worse_than_an_error(place: int, byte: int) -> None:
    body = GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]
    try:
        told = decode.report(body)
        for index, raw in enumerate(decode.content(bytes(told.content), body).observations):
            decode.observation(bytes(raw), index, body)
    except Malformed as refused:
        assert 0 <= refused.extra["offset"] <= len(body)
    except Invalid as refused:
        assert refused.extra["errors"]


@pytest.mark.parametrize("version", [0, 2, 99, -1])
def test_another_version_is_named_even_when_its_fields_are_others(version: int) -> None:
    for body in (b'{"version": %d, "all": "else"}' % version, GOOD.replace(b'"version":1', b'"version":%d' % version)):
        with pytest.raises(Invalid) as refused:
            decode.report(body)
        assert refused.value.extra["errors"][0]["path"] == "version"


@pytest.mark.parametrize("text", ["\\u0000", "\\\\\\u0000", "\\n\\u0000"])
def test_an_escaped_nul_is_found(text: str) -> None:
    body = GOOD.replace(b'"lab"', b'"' + text.encode() + b'"')
    with pytest.raises(Malformed, match="NUL") as refused:
        decode.report(body)
    assert body[refused.value.extra["offset"] :].lstrip(b"\\").startswith(b"u0000")


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    body = GOOD.replace(b'"lab"', rb'"\\u0000"')
    assert decode.report(body).site == "\\u0000"


def test_places_within_an_observation_count_from_the_start_of_the_body() -> None:
    body = GOOD.replace(b'"name":"a"', b'"name":"\xff"')
    raw = bytes(decode.content(bytes(_tolerant(body)), body).observations[0])
    with pytest.raises(Malformed) as refused:
        decode.observation(raw, 0, body)
    assert refused.value.extra["offset"] == body.index(b"\xff")


def _tolerant(body: bytes) -> bytes:
    start = body.index(b'"content":') + len(b'"content":')
    return body[start : body.index(b',"samples"')]


def test_a_wrong_field_of_an_observation_is_named_by_its_whole_path() -> None:
    with pytest.raises(Invalid) as refused:
        decode.observation(b'{"ref":"a","class":"server","components":[{"ref":5}]}', 3, b"")
    assert refused.value.extra["errors"][0]["path"] == "content.observations[3].components[0].ref"


# Clocks ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [0, 1, 4 * MINUTE, 5 * MINUTE, -5 * MINUTE])
def test_a_clock_within_tolerance_is_believed_but_never_beyond_now(skew: int) -> None:
    received = START + skew
    assert decode.observed_at(clocks(START, START), received) == min(START, received)


@pytest.mark.parametrize("skew", [5 * MINUTE + 1, 3 * HOUR, 400 * 24 * HOUR, -5 * MINUTE - 1, -23 * HOUR])
def test_a_clock_far_off_is_corrected_by_its_offset(skew: int) -> None:
    told = clocks(START - 10 * MINUTE, START)
    assert decode.observed_at(told, START + skew) == START - 10 * MINUTE + skew


def test_a_report_from_the_future_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        decode.observed_at(clocks(START, START), START - 24 * HOUR - 1)
    assert refused.value.extra["errors"][0]["path"] == "sent_at"
    assert decode.observed_at(clocks(START, START), START - 24 * HOUR) == START - 24 * HOUR


def test_what_is_observed_after_it_was_sent_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        decode.observed_at(clocks(START + 1, START), START)
    assert refused.value.extra["errors"][0]["path"] == "observed_at"


@given(st.integers(0, 10**9), st.integers(-(10**8), 10**9), st.integers(0, 10**6))
def test_nothing_is_observed_after_it_was_received(age: int, skew: int, more: int) -> None:
    told = clocks(START - age, START)
    if skew >= -24 * HOUR:
        at = decode.observed_at(told, START + skew)
        assert at <= START + skew
        assert decode.observed_at(clocks(START - age - more, START), START + skew) <= at, "order is kept"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2023-11-14T22:13:20Z", START), ("2023-11-14T22:13:20.000+00:00", START), ("2023-11-15T00:13:20+02:00", START),
        ("2023-11-14T22:13:20.123456Z", START + 123), ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.5Z", -500),
    ],
)  # fmt: skip
def test_a_time_is_read(text: str, ms: int) -> None:
    assert decode.milliseconds(text, "at") == ms


@pytest.mark.parametrize(
    "text", ["", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T25:00:00Z", "1700000000", "9999999-01-01T0:0Z"]
)
def test_what_is_no_time_with_an_offset_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode.milliseconds(text, "observed_at")
    assert refused.value.extra["errors"][0]["path"] == "observed_at"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_beyond_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        decode.milliseconds(text, "observed_at")


@given(st.integers(0, 4 * 10**12))
def test_times_come_back(ms: int) -> None:
    assert decode.milliseconds(rfc3339(ms), "at") == ms


def test_every_field_of_the_wire_is_held_to_its_type() -> None:
    """A number where a text is meant, for each text of the envelope."""
    good: dict[str, Any] = msgspec.json.decode(GOOD)
    for name in ("id", "agent", "site", "source", "observed_at", "sent_at"):
        for wrong in (5, None, [], "", "x" * 257):
            with pytest.raises(Invalid) as refused:
                decode.report(msgspec.json.encode({**good, name: wrong}))
            assert refused.value.extra["errors"][0]["path"] == name
