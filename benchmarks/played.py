"""A simulated estate's reports, delivered to the product's own ingest, and what the store makes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from cmdb_schemas.ci_class import Life, classes
from cmdb_schemas.report import (
    Component,
    Content,
    Coverage,
    End,
    Observation,
    Relation,
    Report,
    Scan,
    Scope,
    encode_content,
)
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.deadlines import notice
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.model import presence
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading, Row, Store

BEGAN = 1_700_000_000
"""When the estate begins, in seconds since 1970: the simulation counts from there."""
CALLER = Caller("benchmark", "admin")
R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}


def body(told: Mapping[str, Any]) -> bytes:
    """A report of the estate as an agent would send it: ``told`` as in estate.py."""
    content = Content(
        [Coverage("scope", told["coverage"])], [_observation(told["source"], one) for one in told["things"]]
    )
    return msgspec.json.encode(
        Report(
            version=1, id=told["report"], agent=told["source"], site="main", source=told["source"],
            scope=Scope(told["scope"]), scan=Scan(told["report"]), observed_at=_time(told["observed_at"]),
            sent_at=_time(told["delivered_at"]), content=msgspec.Raw(encode_content(content)),
        )
    )  # fmt: skip


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(BEGAN + seconds, UTC).isoformat()


def _observation(source: str, told: Mapping[str, Any]) -> Observation:
    """One thing, whose ref stays from scan to scan. What a hypervisor calls a machine is a label that people gave it."""
    identifiers = dict(told["identifiers"])
    if source == "hypervisor":
        identifiers["label"] = identifiers.pop("name", [])
    return Observation(
        ref=told["key"] or told["address"], class_=told["class"], address=told["address"], native_key=told["key"], identifiers=identifiers,
        attributes=told["attributes"],
        components=[
            Component(c["local_key"], c["class"], c["local_key"], attributes={"mac_address": c["mac"]})
            for c in told["children"]
        ],
        relations=[Relation(r["type"], End(native_key=r["to"])) for r in told["relations"]],
    )  # fmt: skip


class Played:
    """A store being played to, in order of delivery."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sightings: dict[str, list[str]] = {}
        self.now = 0

    def deliver(self, told: Mapping[str, Any]) -> None:
        """One report, at the time of its delivery."""
        self.sightings[told["report"]] = [thing["id"] for thing in told["things"]]
        self.now = max(self.now, (BEGAN + told["observed_at"]) * 1000)
        ingest(self.store, body(told), CALLER, (BEGAN + told["delivered_at"]) * 1000)

    def placed(self) -> Iterator[dict[str, Any]]:
        """Each observation with the CI that its record belongs to now."""
        ci_of = self.store.read(lambda tx: {row[0]: row[R["ci"]] for row in pages(tx, tables.RECORD)})
        for report, records in self.store.read(records_of_reports):
            for sighting, record in zip(self.sightings[report], records, strict=True):
                yield {"observation": sighting, "ci": ci_of[record]}

    def current(self, life: Life) -> Iterator[dict[str, Any]]:
        """The things that are not retired by ``life``, with their attributes."""
        while notice(self.store, classes(), self.now):
            pass
        runs, rows = self.store.read(lambda tx: (_runs(tx), list(pages(tx, tables.CI))))
        for row in rows:
            if row[0] in runs and presence.stage(runs[row[0]], life, self.now).stage != "retired":
                yield {"current": row[0], "attributes": row[tables.CI.position("attributes")]}

    def reviews(self) -> Iterator[list[str]]:
        """The CIs of each open review."""
        for row in self.store.read(lambda tx: tx.find(tables.TASK, ("state",), [("open",)])):
            if row[1] in ("review", "replaces"):
                yield row[2]["cis"]


def records_of_reports(tx: Reading) -> list[tuple[str, list[str]]]:
    """Report -> the records of its observations, in order."""
    contents = {row[0]: row[2] for row in pages(tx, tables.CONTENT)}
    return [(row[1], _members(contents[row[tables.REPORT.position("digest")]])) for row in pages(tx, tables.REPORT)]


def _members(packed: bytes) -> list[str]:
    ids = [packed[at : at + 16].hex() for at in range(0, len(packed), 32)]
    return [f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in ids]


def _runs(tx: Reading) -> dict[str, list[presence.Run]]:
    """CI -> the last run of each of the things it is made of."""
    lanes: dict[tuple[str, int], Row] = {(row[0], row[1]): row for row in pages(tx, tables.LANE)}
    observed = tables.LANE.position("observed_at")
    found: dict[str, list[presence.Run]] = defaultdict(list)
    for row in pages(tx, tables.RECORD):
        if row[R["parent"]]:
            continue
        last = row[R["last_at"]]
        if last is None:
            last = lanes[(row[R["scope"]], row[R["part"]])][observed]
        found[row[R["ci"]]].append(presence.Run(row[R["first_at"]], last, row[R["ended_at"]]))
    return found
