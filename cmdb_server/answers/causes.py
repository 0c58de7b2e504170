"""Who or what caused a revision: the report that was taken in, the person who decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cmdb_server.ingest.entries import DECLARED
from cmdb_server.ingest.ruling import D
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row

P = {name: tables.REPORT.position(name) for name, _ in tables.REPORT.columns}


@dataclass(frozen=True, slots=True)
class Cause:
    """What a revision came from. ``recorded_at`` ms, None where the store keeps no word of it. ``source`` and
    ``agent`` of a report; ``subject``: the person who entered or decided; ``decision``: its id."""

    revision: int
    recorded_at: int | None = None
    source: str = ""
    agent: str = ""
    subject: str = ""
    report: str | None = None
    decision: str | None = None
    reason: str = ""


def causes(tx: Reading, revisions: Iterable[int]) -> dict[int, Cause]:
    """revision -> its cause, for each of them."""
    wanted = {(revision,) for revision in revisions}
    reports = {row[0]: row for row in tx.get(tables.REPORT, wanted).values()}
    decisions = {row[D["revision"]]: row for row in tx.find(tables.DECISION, ("revision",), wanted)}
    return {
        revision: _cause(revision, reports.get(revision), decisions.get(revision)) for (revision,) in sorted(wanted)
    }


def _cause(revision: int, report: Row | None, decision: Row | None) -> Cause:
    """A person's entry is a report and may be a decision at once."""
    told = (decision[D["id"]], decision[D["reason"]] or "") if decision is not None else (None, "")
    if report is None:
        if decision is None:
            return Cause(revision)
        return Cause(revision, decision[D["at"]], subject=decision[D["subject"]], decision=told[0], reason=told[1])
    person = report[P["source"]] == DECLARED
    return Cause(
        revision, report[P["received_at"]], report[P["source"]], "" if person else report[P["agent"]],
        report[P["agent"]] if person else "", report[P["id"]], *told,
    )  # fmt: skip
