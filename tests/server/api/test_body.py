from __future__ import annotations

import gzip
import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.api.body import CHUNK, DRAIN, Limits, json_value, read_body, text_fault
from cmdb_server.errors import CmdbError, Invalid, Malformed, TooLarge, UnsupportedMediaType

LIMITS = Limits(size=4_000_000, ratio=100, depth=8)


class Endless(io.RawIOBase):
    """A sender that never stops; ``given`` counts what was taken from it."""

    given = 0

    def read(self, size: int = -1, /) -> bytes:
        self.given += size
        return b"x" * size


@given(st.binary(max_size=5000))
def test_a_body_arrives_as_it_was_sent(body: bytes) -> None:
    assert read_body(io.BytesIO(body), "", LIMITS) == body
    assert read_body(io.BytesIO(gzip.compress(body)), "gzip", LIMITS) == body


def test_the_limit_itself_is_allowed() -> None:
    limits = Limits(1000, 100, 8)
    assert len(read_body(io.BytesIO(b"x" * 1000), "", limits)) == 1000
    for encoding, body in (("", b"x" * 1001), ("gzip", gzip.compress(b"x" * 1001))):
        with pytest.raises(TooLarge) as refused:
            read_body(io.BytesIO(body), encoding, limits)
        assert refused.value.extra["limit"] == 1000


def test_a_declared_length_is_refused_before_it_is_read_and_still_drained() -> None:
    stream = io.BytesIO(b"x" * 9_000_000)
    with pytest.raises(TooLarge, match="9000000"):
        read_body(stream, "", LIMITS, declared=9_000_000)
    assert stream.read() == b""


def test_draining_ends() -> None:
    stream = Endless()
    with pytest.raises(TooLarge):
        read_body(stream, "", LIMITS)
    assert stream.given <= LIMITS.size + DRAIN + 200_000


def test_a_bomb_costs_no_memory() -> None:
    bomb = gzip.compress(b"\0" * 300_000_000, 9)
    tracemalloc.start()
    with pytest.raises(TooLarge, match="expands"):
        read_body(io.BytesIO(bomb), "gzip", Limits(1 << 40, 100, 8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * CHUNK * 100 + 2 * len(bomb)


def test_a_small_text_may_compress_well() -> None:
    body = b"[" + b"0," * 400_000 + b"0]"
    assert read_body(io.BytesIO(gzip.compress(body, 9)), "gzip", LIMITS) == body


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"no gzip at all", "not gzip"),
        (gzip.compress(b"x" * 10_000, mtime=0)[:-9], "cut off"),
        (gzip.compress(b"x", mtime=0) + b"more", "goes on"),
        (b"", "cut off"),
    ],
)
def test_broken_gzip_tells_where(body: bytes, what: str) -> None:
    with pytest.raises(Malformed, match=what) as refused:
        read_body(io.BytesIO(body), "gzip", LIMITS)
    assert 0 <= refused.value.extra["offset"] <= len(body)


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(UnsupportedMediaType, match="br"):
        read_body(io.BytesIO(b""), "br", LIMITS)


_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner),
    max_leaves=10,
)


@given(_JSON)
def test_json_is_read(value: object) -> None:
    assert json_value(json.dumps(value).encode(), 100) == value


@pytest.mark.parametrize(
    ("body", "offset"),
    [
        (b'{"a": ', 6),
        ('{"ä": nope}'.encode(), 7),
        (b'{"a": "\xff"}', 7),
        (b'"\xc3', 1),
        (b"[" * 9 + b"]" * 9, 8),
        (b'["[[[[[[[[[", ' + b"[" * 100_000, 21),
        (b'{"a": "x\x01"}', 8),
    ],
)
def test_malformed_json_names_the_byte(body: bytes, offset: int) -> None:
    with pytest.raises(Malformed) as refused:
        json_value(body, 8)
    assert refused.value.extra["offset"] == offset


@pytest.mark.parametrize("body", [b'{"a": 9223372036854775808}', b'{"a": -1e999}', b'{"a": 1e30}'])
def test_numbers_beyond_64_bits_name_the_field(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        json_value(body, 8)
    assert refused.value.extra["errors"] == [{"path": "a", "message": "is beyond 64 bits"}]


@pytest.mark.parametrize("body", [b"NaN", b"[Infinity]", b"1" * 10_000])
def test_what_is_not_a_json_number_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        json_value(body, 8)


@pytest.mark.parametrize(
    ("body", "path", "message"),
    [
        (b'{"a": [1, {"b": "x\\u0000"}]}', "a[1].b", "holds a NUL character"),
        (b'{"a": "\\ud800"}', "a", "holds a lone surrogate"),
        (b'{"\\udfff": 1}', "", "holds a lone surrogate"),
        (b'"\\u0000"', "", "holds a NUL character"),
    ],
)
def test_texts_that_cannot_be_stored_name_the_field(body: bytes, path: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        json_value(body, 8)
    assert refused.value.extra["errors"] == [{"path": path, "message": message}]


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert json_value(b'"\\ud83d\\ude00"', 8) == "\U0001f600"
    assert text_fault("\U0001f600") is None


@given(st.binary(max_size=300))
def test_any_bytes_end_as_a_value_or_a_refusal(body: bytes) -> None:
    try:
        json_value(body, 8)
    except CmdbError as refused:
        assert refused.status in (400, 422)
