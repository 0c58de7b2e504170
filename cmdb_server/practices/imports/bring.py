"""An import from its file to the graph: read, check, look what it would change, and hand it in as one report.

What is imported is a source like any other, ``import:NAME``: the same file again changes nothing, and rows that a
complete import of that name no longer has end as they would for a scan.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.report import Content, Coverage, Observation, Report, Scan, Scope, encode_content
from cmdb_server.errors import Invalid
from cmdb_server.ingest.accepted import admitted
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import Ack, take_in
from cmdb_server.ingest.sighting import Origin, digest, read
from cmdb_server.practices.imports.entry import Entry, Fault, Options
from cmdb_server.practices.imports.formats import formats
from cmdb_server.practices.imports.observations import Checked, observations
from cmdb_server.practices.imports.preview import RowPreview, preview
from cmdb_server.practices.imports.subject import subject as subject_of
from cmdb_server.practices.imports.ties import tie, ties
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store, Writing

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
SITE = "*"
STEP = 1000
"""Rows between two words about the progress."""
MOST_FAULTS = 1000
R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}


@dataclass(frozen=True, slots=True)
class Import:
    """``name``: what this source is called; ``complete``: the file holds all there is of it; ``skip_faults``: what has
    none is imported all the same."""

    name: str
    format: str
    text: str
    complete: bool = False
    host: str = ""
    skip_faults: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """``stage``: reading, checking or applying; ``done`` rows of it so far."""

    stage: str
    done: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """``new``, ``changed``, ``unchanged`` and ``ended`` count things with all their components. ``faults`` keep
    anything from being applied, or what has them where that is asked for; ``revision`` is None where nothing was.
    ``preview``: what would become of each row, where nothing is to be applied."""

    rows: int
    new: int
    changed: int
    unchanged: int
    ended: int
    faults: tuple[Fault, ...]
    revision: int | None = None
    preview: tuple[RowPreview, ...] = ()

    @property
    def applied(self) -> bool:
        return self.revision is not None


def bring(
    store: Store, asked: Import, subject: str, kinds: Mapping[str, CIClass], now_ms: int, *, dry_run: bool
) -> Iterator[Progress | Outcome]:
    """Import a file, telling the progress and at last the outcome. Raises Invalid for an unknown format or name."""
    if asked.format not in formats():
        raise _invalid("format", f"unknown; known are {', '.join(sorted(formats()))}")
    if NAME.fullmatch(asked.name) is None:
        raise _invalid("name", "must be lower-case letters, digits, dots, hyphens and underscores")
    if asked.skip_faults and asked.complete:
        raise _invalid("skip_faults", "what a complete file has and cannot be read would end")
    return _stages(store, asked, subject, kinds, now_ms, dry_run=dry_run)


def _stages(
    store: Store, asked: Import, subject: str, kinds: Mapping[str, CIClass], now_ms: int, *, dry_run: bool
) -> Iterator[Progress | Outcome]:
    told: list[Entry | Fault] = []
    format_ = formats()[asked.format]
    of_subject = format_.of_subject and asked.host
    about = store.read(lambda tx: subject_of(tx, asked.host, kinds)) if of_subject else None
    if isinstance(about, Fault):
        yield Outcome(0, 0, 0, 0, 0, (about,))
        return
    for one in format_.read(asked.text, Options(kinds, asked.host, about)):
        told.append(one)
        if len(told) % STEP == 0:
            yield Progress("reading", len(told))
    yield Progress("checking", len(told))
    checked = observations(told, kinds)
    if not told:
        checked.faults.append(Fault(0, "", "there are no rows"))
    origin = Origin.of(_report(asked, checked, subject, now_ms))
    new, changed, unchanged, ended = store.read(lambda tx: _compared(tx, origin, checked, asked, kinds))
    told_so = store.read(lambda tx: ties(tx, checked, origin, kinds, about))
    report = _report(asked, checked, subject, now_ms)
    ack: Ack | None = None
    rows: tuple[RowPreview, ...] = ()
    caller = Caller(subject, "operator")

    def take(tx: Writing) -> Ack:
        accepted = admitted(msgspec.json.encode(report), caller, now_ms)
        tie(tx, told_so, accepted)
        return take_in(tx, accepted, kinds)

    if dry_run and checked.observations:
        yield Progress("trying", len(checked.observations))
        rows = preview(store, take, _rows(checked, origin, kinds))
    elif checked.observations and (asked.skip_faults or not checked.faults):
        yield Progress("applying", len(checked.observations))
        ack = store.write(take)
    faults = tuple(checked.faults[:MOST_FAULTS])
    revision = ack.revision if ack is not None else None
    yield Outcome(len(told), new, changed, unchanged, ended, faults, revision, rows)


def _rows(checked: Checked, origin: Origin, kinds: Mapping[str, CIClass]) -> dict[str, int]:
    """The record that each row would be, or is -> its number."""
    found: dict[str, int] = {}
    for seen in checked.observations:
        sighting = read(seen, origin, kinds, b"", seen.ref)
        refs = (seen.ref, *(part.ref for part in seen.components))
        records = (sighting.thing.record, *(part.record for part in sighting.components))
        found.update(zip(records, map(checked.rows.__getitem__, refs), strict=True))
    return found


def _report(asked: Import, checked: Checked, subject: str, now_ms: int) -> Report:
    coverage = [Coverage("scope", "complete" if asked.complete else "partial")]
    content = Content(coverage=coverage, observations=checked.observations)
    now = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    id_ = str(uuid.uuid4())
    return Report(
        version=1, id=id_, agent=subject, site=SITE, source=f"import:{asked.name}", scope=Scope(asked.name, "import"),
        scan=Scan(id_), observed_at=now, sent_at=now, content=msgspec.Raw(encode_content(content)),
    )  # fmt: skip


def _compared(
    tx: Reading, origin: Origin, checked: Checked, asked: Import, kinds: Mapping[str, CIClass]
) -> tuple[int, int, int, int]:
    """How many things would be new, change, stay and end. What cannot be read is left out, with its fault."""
    marks, left = {}, []
    for seen in checked.observations:
        try:
            record, mark = _record(seen, origin, kinds)
        except Invalid as error:
            checked.faults.append(Fault(checked.rows.get(seen.ref, 0), "", error.detail))
            continue
        marks[record] = mark
        left.append(seen)
    checked.observations = left
    held = tx.get(tables.RECORD, [(record,) for record in marks])
    there = {key[0]: row for key, row in held.items() if row[R["ended_at"]] is None}
    unchanged = sum(row[R["evidence"]] == marks[id_] for id_, row in there.items())
    ended = sum(_ends(row, marks) for row in tx.find(tables.RECORD, ("scope",), [(origin.scope,)]))
    return len(marks) - len(there), len(there) - unchanged, unchanged, ended if asked.complete else 0


def _record(seen: Observation, origin: Origin, kinds: Mapping[str, CIClass]) -> tuple[str, str]:
    """(the record that the observation is, the digest of its bytes)."""
    mark = digest(msgspec.json.encode(seen))
    return read(seen, origin, kinds, mark, seen.ref).thing.record, mark.hex()


def _ends(row: Row, marks: Mapping[str, str]) -> bool:
    return not row[R["parent"]] and row[R["ended_at"]] is None and row[0] not in marks


def _invalid(path: str, message: str) -> Invalid:
    return Invalid(f"{path}: {message}", errors=[{"path": path, "message": message}])
