"""A report that may be taken in, and what the server adds to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cmdb_schemas import report as wire
from cmdb_server.errors import Invalid
from cmdb_server.ingest import decode
from cmdb_server.ingest.caller import Caller, check_scope
from cmdb_server.ingest.sighting import Origin


@dataclass(frozen=True, slots=True)
class Accepted:
    """A report that may be taken in: its envelope, where it is from and when it was observed, by the server's clock."""

    report: wire.Report
    origin: Origin
    at: int
    received: int
    body: bytes
    digest: str
    caller: Caller


def admitted(body: bytes, caller: Caller, now_ms: int) -> Accepted:
    """A report that may be taken in. Raises Malformed, Invalid or Forbidden."""
    report = decode.report(body)
    check_scope(caller, report)
    if report.scan.part > report.scan.parts:
        raise invalid("scan.part", f"part {report.scan.part} of {report.scan.parts}")
    return accept(report, body, caller, now_ms)


def accept(report: wire.Report, body: bytes, caller: Caller, now_ms: int) -> Accepted:
    """The report with what the server adds: its scope, its time by the server's clock, its content's digest."""
    origin = Origin.of(report)
    mark = _content_digest(origin, bytes(report.content))
    return Accepted(report, origin, decode.observed_at(report, now_ms), now_ms, body, mark, caller)


def _content_digest(origin: Origin, raw: bytes) -> str:
    """Stands for a content in its scope: the same bytes elsewhere speak of other records."""
    return hashlib.blake2b(raw, digest_size=16, key=origin.scope.encode()).hexdigest()


def invalid(path: str, message: str) -> Invalid:
    """The error for one field."""
    return Invalid(f"{path}: {message}", errors=[{"path": path, "message": message}])
