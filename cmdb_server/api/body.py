"""A request's body, from the socket to bytes and from bytes to a JSON value, with a limit at every step.

Nothing here knows of HTTP frameworks: a stream, its encoding and the limits come in, bytes or a refusal go out.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import Any, Protocol

from cmdb_server.errors import Invalid, Malformed, TooLarge, UnsupportedMediaType

CHUNK = 64 * 1024
LARGEST = 2**63 - 1
DRAIN = 128 * 1024 * 1024
"""How much of a refused body is still read, in bytes, so that its sender can hear the refusal."""
PLAIN, GZIP = ("", "identity"), ("gzip", "x-gzip")
RATIO_GRACE = 1024 * 1024
"""Bytes a body may always expand to: small texts of repeated values compress far better than any honest large one."""


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """``size``: bytes after decompression; ``ratio``: bytes after ÷ before; ``depth``: nested arrays and objects."""

    size: int
    ratio: int
    depth: int


def read_body(stream: Stream, encoding: str, limits: Limits, declared: int | None = None) -> bytes:
    """The whole body, decompressed. ``declared``: its Content-Length. Raises TooLarge, Malformed (``offset``) or
    UnsupportedMediaType; a refused body is read on to its end, up to ``DRAIN`` bytes, and thrown away."""
    try:
        _check_declared(encoding, limits, declared)
        return _plain(stream, limits) if encoding in PLAIN else _gunzip(stream, limits)
    except (TooLarge, Malformed, UnsupportedMediaType):
        _drain(stream)
        raise


def _check_declared(encoding: str, limits: Limits, declared: int | None) -> None:
    if encoding not in PLAIN and encoding not in GZIP:
        raise UnsupportedMediaType(f"Content-Encoding {encoding!r} is not read; gzip is")
    if declared is not None and declared > limits.size:
        raise TooLarge(f"the body has {declared} bytes, at most {limits.size} are read", limit=limits.size)


def _plain(stream: Stream, limits: Limits) -> bytes:
    body = bytearray()
    while chunk := stream.read(CHUNK):
        body += chunk
        if len(body) > limits.size:
            raise _too_long(limits)
    return bytes(body)


def _gunzip(stream: Stream, limits: Limits) -> bytes:
    body, taken = bytearray(), 0
    inflate = zlib.decompressobj(wbits=31)
    while chunk := stream.read(CHUNK):
        taken += len(chunk)
        while chunk and not inflate.eof:
            body += _inflated(inflate, chunk, taken)
            _check_expansion(len(body), taken, limits)
            chunk = inflate.unconsumed_tail
        if inflate.eof and (inflate.unused_data or chunk):
            raise Malformed("the gzip body goes on after its end", offset=taken - len(inflate.unused_data or chunk))
    if not inflate.eof:
        raise Malformed(f"the gzip body is cut off after {taken} bytes", offset=taken)
    return bytes(body)


def _inflated(inflate: zlib._Decompress, chunk: bytes, taken: int) -> bytes:
    try:
        return inflate.decompress(chunk, CHUNK)
    except zlib.error as error:
        raise Malformed(f"the body is not gzip: {error}", offset=taken - len(chunk)) from None


def _check_expansion(size: int, taken: int, limits: Limits) -> None:
    if size > limits.size:
        raise _too_long(limits)
    if size > RATIO_GRACE and size > taken * limits.ratio:
        raise TooLarge(f"the body expands more than {limits.ratio} times", ratio=limits.ratio)


def _too_long(limits: Limits) -> TooLarge:
    return TooLarge(f"the body has more than {limits.size} bytes", limit=limits.size)


def _drain(stream: Stream) -> None:
    left = DRAIN
    while left > 0 and (chunk := stream.read(CHUNK)):
        left -= len(chunk)


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


def json_value(body: bytes, depth: int) -> Any:
    """The JSON value of a body. Raises Malformed with the byte ``offset``, or Invalid with the field's path where a
    text holds what cannot be stored (NUL, lone surrogates)."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"invalid UTF-8 at byte {error.start}: {error.reason}", offset=error.start) from None
    _check_depth(text, depth)
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        offset = len(text[: error.pos].encode())
        raise Malformed(f"{error.msg} at byte {offset}", offset=offset) from None
    except ValueError as error:
        raise Malformed(str(error)) from None
    check_values(value, "")
    return value


def _check_depth(text: str, limit: int) -> None:
    depth = 0
    for found in _BRACKETS.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth > limit:
                offset = len(text[: found.start()].encode())
                raise Malformed(f"nested more than {limit} deep at byte {offset}", offset=offset)
        elif found[0] in "]}":
            depth -= 1


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def check_values(value: Any, path: str) -> None:
    """Raise Invalid for the first value that no store keeps, naming its path: a text with NUL or a lone surrogate, a
    number beyond 64 bits."""
    if isinstance(value, str):
        _refuse_if(text_fault(value), path)
    elif isinstance(value, int | float):
        _refuse_if(None if abs(value) <= LARGEST else "is beyond 64 bits", path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_values(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            check_values(key, path)
            check_values(item, f"{path}.{key}" if path else key)


def _refuse_if(fault: str | None, path: str) -> None:
    if fault is not None:
        raise Invalid(f"{path or 'the body'}: {fault}", errors=[{"path": path, "message": fault}])


def text_fault(text: str) -> str | None:
    """What keeps a text from being stored, in words; None when nothing does."""
    if "\0" in text:
        return "holds a NUL character"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "holds a lone surrogate"
    return None
