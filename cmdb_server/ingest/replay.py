"""What reports say on their own: records, claims and lanes, taken in anew from the log by what takes in late reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cmdb_server.ingest import late
from cmdb_server.ingest.batch import Batch, Lane
from cmdb_server.ingest.sighting import Origin
from cmdb_server.ingest.since import P
from cmdb_server.store import tables
from cmdb_server.store.draft import Draft
from cmdb_server.store.port import Reading, Row

LOGGED = frozenset((tables.CONTENT, tables.THING))
"""Rows that are named by their content, and the same at all times."""


def blank(tx: Reading, reports: Iterable[Row], revision: int) -> Draft:
    """A store that was told these reports and has made nothing of them yet."""
    draft = Draft(tx, revision, empty=[table for table in tables.TABLES if table not in LOGGED])
    draft.put(tables.REPORT, reports)
    return draft


def observe(batch: Batch, draft: Draft) -> None:
    """Records, claims and what they are found by, from the reports."""
    origins: dict[str, Origin] = {}
    for row in draft.rows(tables.REPORT):
        origin = Origin(*(row[P[name]] for name in ("source", "site", "target", "probe", "scope")))
        origins[origin.scope] = origin
        _advance(batch, row)
    neighbours: dict[tuple[str, str], dict[str, Origin]] = {}
    for scope, origin in origins.items():
        neighbours.setdefault((origin.source, origin.site), {})[scope] = origin
    for scopes in neighbours.values():
        _rebuild(batch, scopes)


def lane_of(row: Row) -> Lane:
    """The lane of a part whose newest report is ``row``."""
    return Lane(
        row[P["scope"]], row[P["part"]], row[P["source"]], row[P["site"]], row[P["target"]], row[P["probe"]],
        row[P["agent"]], row[P["parts"]], row[P["scan"]], row[P["digest"]], row[P["observed_at"]], row[P["revision"]],
        [], [], {},
    )  # fmt: skip


def _advance(batch: Batch, row: Row) -> None:
    """The lane of a part is its newest report's."""
    key = (row[P["scope"]], row[P["part"]])
    known = batch.lanes.get(key)
    if known is None or known.observed_at < row[P["observed_at"]]:
        batch.lanes[key] = lane_of(row)


def _rebuild(batch: Batch, scopes: Mapping[str, Origin]) -> None:
    """The records of one source at one site, which may drive one another from their addresses."""
    told = {scope: late.read_scope(batch, scope) for scope in scopes}
    things: dict[str, Any] = {}
    displacing: dict[str, list[tuple[int, str]]] = {}
    for scope, origin in scopes.items():
        own = late.things_of(batch, told[scope], told[scope].sightings, origin)
        for address, times in late.displacements({scope: told[scope]}, own).items():
            displacing.setdefault(address, []).extend(times)
        things |= own
    for scope, origin in scopes.items():
        for record in sorted(told[scope].sightings):
            late.Rebuilt(batch, origin, record, things[record], told[scope], displacing).write()
            batch.facts.clear()  # the history tells these already
            batch.claims.clear()
