"""Scans as ``tests.observed`` tells them, delivered to the product's own ingest, and what the store makes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from benchmarks.played import records_of_reports
from cmdb_schemas.report import Observation
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest, pages
from cmdb_server.store.port import Reading, Store
from tests.factories import START, report
from tests.observed import Scan, Thing

NOW = START + 400 * 86_400_000
CALLER = Caller("tests", "admin")


def bodies(scans: Sequence[Scan]) -> list[bytes]:
    """A report for each scan."""
    return [
        report(
            f"r{n}", START + scan.at, [_observation(thing) for thing in scan.things], target=scan.scope, site="main",
            source=scan.source, sent=NOW, coverage={"scope": "complete" if scan.complete else "partial"},
        )
        for n, scan in enumerate(scans)
    ]  # fmt: skip


def _observation(thing: Thing) -> Observation:
    return Observation(
        ref=thing.id, class_=thing.class_, address=thing.address, native_key=thing.key,
        identifiers={kind: list(values) for kind, values in thing.identifiers.items()},
        attributes=dict(thing.attributes),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a store says: ``ci_of`` by record, the subjects of the open tasks by kind, and the graph's digest."""

    ci_of: dict[str, str]
    tasks: dict[str, list[object]]
    digest: str


def deliver(store: Store, told: Iterable[bytes]) -> Outcome:
    """Take reports in, one after the other."""
    for body in told:
        ingest(store, body, CALLER, NOW)
    return store.read(outcome)


def outcome(tx: Reading) -> Outcome:
    at, parent = tables.RECORD.position("ci"), tables.RECORD.position("parent")
    ci_of = {row[0]: row[at] for row in pages(tx, tables.RECORD) if not row[parent]}
    open_: dict[str, list[object]] = defaultdict(list)
    for row in sorted(tx.find(tables.TASK, ("state",), [("open",)])):
        open_[row[1]].append(row[2])
    return Outcome(ci_of, dict(open_), graph_digest(tx))


def recorded(store: Store, told: Sequence[bytes], scans: Sequence[Scan]) -> dict[str, str]:
    """Sighting -> its record. ``told``: the bodies of ``scans``."""
    records = dict(store.read(records_of_reports))
    ids = [msgspec.json.decode(body)["id"] for body in told]
    return {
        thing.id: record
        for id_, scan in zip(ids, scans, strict=True)
        for thing, record in zip(scan.things, records[id_], strict=True)
    }


def sighted(store: Store, told: Sequence[bytes], scans: Sequence[Scan]) -> dict[str, str]:
    """Sighting -> the CI that its record belongs to now."""
    ci_of = store.read(outcome).ci_of
    return {sighting: ci_of[record] for sighting, record in recorded(store, told, scans).items()}
