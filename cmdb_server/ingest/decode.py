"""From bytes to a report: every malformed body ends as an error that names the place.

The envelope is decoded at once; the observations stay bytes until one of them is found to have changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from cmdb_schemas import report as wire
from cmdb_server.errors import Invalid, Malformed
from cmdb_server.ingest.faults import fault_of

T = TypeVar("T")

CLOCK_TOLERANCE_MS = 5 * 60_000
"""An agent's clock is corrected only when it is further off than this."""
CLOCK_LIMIT_MS = 24 * 3_600_000
"""A clock further off than this is an error to be mended, not a skew to be corrected."""

_REPORT = msgspec.json.Decoder(wire.Report)
_CONTENT = msgspec.json.Decoder(wire.RawContent)
_OBSERVATION = msgspec.json.Decoder(wire.Observation)
_ESCAPED_NUL = rb"\u0000"
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_BYTE = re.compile(r"^(?P<what>.*?) \(byte (?P<byte>\d+)\)$", re.DOTALL)


def report(body: bytes) -> wire.Report:
    """The envelope of a report. Raises Malformed (with ``offset``) or Invalid (with ``errors`` by path)."""
    # The plain search is much the faster, and reports without the escape are the rule.
    if _ESCAPED_NUL in body and (nul := _NUL.search(body)) is not None:
        raise Malformed(f"a NUL character at byte {nul.start()}", offset=nul.start())
    try:
        decoded = _decode(_REPORT.decode, body, "", body)
    except Invalid:
        # The fields of another version need not fit this one: what is wrong then is the version.
        _check_version(_decode(_VERSIONED.decode, body, "", body).version)
        raise
    _check_version(decoded.version)
    return decoded


def _check_version(version: int) -> None:
    if not wire.OLDEST_SERVED <= version <= wire.VERSION:
        message = f"not within {wire.OLDEST_SERVED} to {wire.VERSION}"
        raise Invalid(f"version {version} of the report is {message}", errors=[{"path": "version", "message": message}])


class _Versioned(msgspec.Struct):
    version: int


_VERSIONED = msgspec.json.Decoder(_Versioned)


def content(raw: bytes, body: bytes) -> wire.RawContent:
    """A report's content with its observations left as bytes."""
    return _decode(_CONTENT.decode, raw, "content", body)


def observation(raw: bytes, index: int, body: bytes) -> wire.Observation:
    """The observation at ``index`` of a report."""
    return _decode(_OBSERVATION.decode, raw, f"content.observations[{index}]", body)


def stored_observation(raw: bytes) -> wire.Observation:
    """An observation that was accepted before."""
    return _OBSERVATION.decode(raw)


def _decode(decoder: Callable[[bytes], T], raw: bytes, path: str, body: bytes) -> T:
    """Decode a part of a body. Where in the body it stands is looked for only when something is wrong with it."""
    try:
        return decoder(raw)
    except msgspec.ValidationError as fault:
        within, what = fault_of(fault, raw, decoder)
        where = (path + within).lstrip(".")
        raise Invalid(f"{where or 'the report'}: {what}", errors=[{"path": where, "message": what}]) from None
    except msgspec.DecodeError as fault:
        offset, what = len(raw), str(fault)
        if (found := _BYTE.match(what)) is not None:
            offset, what = int(found["byte"]), found["what"]
        offset += max(0, body.find(raw))
        raise Malformed(f"{what} at byte {offset}", offset=offset) from None
    except UnicodeDecodeError as fault:
        offset = max(0, body.find(raw)) + _invalid_utf8(raw)
        raise Malformed(f"invalid UTF-8 at byte {offset}: {fault.reason}", offset=offset) from None
    except RecursionError:
        raise Malformed(f"{path or 'the report'}: nested too deeply", offset=max(0, body.find(raw))) from None


def _invalid_utf8(raw: bytes) -> int:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        return fault.start
    return 0


def milliseconds(text: str, path: str) -> int:
    """An RFC 3339 time as milliseconds since 1970, UTC. Raises Invalid naming ``path``."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None or len(text) < 20:
        raise Invalid(
            f"{path}: {text!r} is not an RFC 3339 time with an offset",
            errors=[{"path": path, "message": "not an RFC 3339 time with an offset"}],
        )
    delta = moment - _EPOCH
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def observed_at(decoded: wire.Report, received_ms: int) -> int:
    """When the report was observed, by the server's clock: the agent's skew is taken out where it is large, and
    nothing is ever observed later than it was received."""
    observed, sent = milliseconds(decoded.observed_at, "observed_at"), milliseconds(decoded.sent_at, "sent_at")
    if observed > sent:
        raise Invalid(
            f"observed_at {decoded.observed_at} is later than sent_at {decoded.sent_at}: a report from the future",
            errors=[{"path": "observed_at", "message": "later than sent_at"}],
        )
    offset = received_ms - sent
    if offset < -CLOCK_LIMIT_MS:
        raise Invalid(
            f"sent_at {decoded.sent_at} is {-offset // 3_600_000} hours ahead of the server: set the agent's clock",
            errors=[{"path": "sent_at", "message": "from the future"}],
        )
    if abs(offset) > CLOCK_TOLERANCE_MS:
        observed += offset
    return min(observed, received_ms)
