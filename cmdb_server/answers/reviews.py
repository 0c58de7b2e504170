"""What waits for a person: the open tasks, the evidence side by side, and what each answer would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cmdb_server.answers.duplicates import Duplicate, duplicates_in
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import NotFound
from cmdb_server.ingest import decisions, ruling
from cmdb_server.ingest.decisions import Effect
from cmdb_server.model.replacements import ATTRIBUTE as REPLACES
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}
C = {name: tables.CI.position(name) for name, _ in tables.CI.columns}
T = {name: tables.TASK.position(name) for name, _ in tables.TASK.columns}

DUPLICATE = "duplicate-address"


@dataclass(frozen=True, slots=True)
class Task:
    """``kind``: ``review``, ``replaces``, ``distrusted`` or ``duplicate-address``. ``title``: one line for a list. ``cis``: id ->
    name, of those it is about. ``since``: the revision in which it took this form."""

    id: str
    kind: str
    title: str
    cis: Mapping[str, str]
    since: int


@dataclass(frozen=True, slots=True)
class Side:
    """One record of a review: where its word comes from, and all it bears. ``name``: its CI's."""

    record: str
    ci: str
    class_: str
    source: str
    site: str
    target: str
    first_at: int
    ended_at: int | None
    identifiers: Mapping[str, Sequence[str]]
    attributes: Mapping[str, Any]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One kind's part: points above 0 speak for one thing."""

    kind: str
    points: float
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A task in full. ``score``: the sum of ``evidence``, None where none was weighed."""

    task: Task
    subject: Mapping[str, Any]
    sides: tuple[Side, ...]
    evidence: tuple[Evidence, ...]
    score: float | None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A CI deleted by hand. ``sightings``: (record, source, last seen, ms) of those seen since."""

    decision: str
    ci: str
    at: int
    hold_back: bool
    sightings: tuple[tuple[str, str, int], ...]


def tasks(store: Store, viewer: Viewer, kind: str | None = None) -> list[Task]:
    """The open tasks, oldest first. Addresses in double use are found when they are asked for by their kind: they
    follow from what is there, and there is nothing to decide about them."""

    def work(tx: Reading) -> list[Task]:
        if kind == DUPLICATE:
            doubles = [_duplicate(tx, one) for one in duplicates_in(tx)]
            cis = _about(tx, doubles)
            return [_task(row, cis[row[0]]) for row in sorted(doubles, key=lambda row: (row[T["revision"]], row[0]))]
        rows = [row for row in tx.find(tables.TASK, ("state",), [("open",)]) if kind in (None, row[T["kind"]])]
        cis = _about(tx, rows)
        return [_task(row, cis[row[0]]) for row in sorted(rows, key=lambda row: (row[T["revision"]], row[0]))]

    return as_seen(store, viewer).read(work)


def asked(store: Store, viewer: Viewer, task: str) -> Asked:
    """One task with its records side by side. Raises NotFound."""

    def work(tx: Reading) -> Asked:
        row = tx.get(tables.TASK, [(task,)]).get((task,))
        row = row or next((_duplicate(tx, one) for one in duplicates_in(tx) if one.id == task), None)
        if row is None:
            raise NotFound(f"no task {task!r}")
        subject = row[T["subject"]]
        records = tx.get(tables.RECORD, [(id_,) for id_ in subject.get("records", ())])
        names = _about(tx, [row])[row[0]]
        sides = tuple(_side(records[(id_,)], names) for id_ in subject.get("records", ()) if (id_,) in records)
        evidence = tuple(Evidence(k, p, tuple(ours), tuple(theirs)) for k, p, ours, theirs in subject.get("terms", ()))
        return Asked(_task(row, names), subject, sides, evidence, subject.get("score"))

    return as_seen(store, viewer).read(work)


def effect(store: Store, viewer: Viewer, task: str, now_ms: int, *, accept: bool) -> Effect:
    """What an answer would change. Raises NotFound, or Invalid where there is nothing to refuse."""
    row = as_seen(store, viewer).read(lambda tx: tx.get(tables.TASK, [(task,)])).get((task,))
    if row is None:
        raise NotFound(f"no task {task!r}")
    verb, body = decisions.verdict(row, accept=accept)
    return decisions.effect(as_seen(store, viewer), verb, body, now_ms, viewer.kinds)


def deleted(store: Store, viewer: Viewer) -> list[Deleted]:
    """The tombstones in force, with what was seen of each CI since."""

    def work(tx: Reading) -> list[Deleted]:
        found = []
        for tombstone in sorted(ruling.in_transaction(tx).tombstones, key=lambda one: (one.at, one.id)):
            records = tx.get(tables.RECORD, [(id_,) for id_ in tombstone.records])
            for ci in sorted({row[R["ci"]] for row in records.values()}):
                since = tuple(_since(tx, ci, tombstone.at))
                found.append(Deleted(tombstone.id, ci, tombstone.at, tombstone.hold_back, since))
        return found

    return as_seen(store, viewer).read(work)


def _duplicate(tx: Reading, shared: Duplicate) -> Row:
    """An address in double use as a row of TASK, in its form since the newest of its holders is what it is."""
    rows = tx.get(tables.CI, [(ci,) for ci in shared.cis]).values()
    subject = {"site": shared.site, "address": shared.address, "records": shared.records, "cis": shared.cis}
    return (shared.id, DUPLICATE, subject, max((row[C["revision"]] for row in rows), default=0), "open")


def _since(tx: Reading, ci: str, at: int) -> Iterable[tuple[str, str, int]]:
    rows = [row for row in tx.find(tables.RECORD, ("ci",), [(ci,)]) if not row[R["parent"]]]
    lanes = tx.get(tables.LANE, {(row[R["scope"]], row[R["part"]]) for row in rows})
    observed = tables.LANE.position("observed_at")
    for row in rows:
        last = row[R["last_at"]]
        if last is None:
            last = lanes[(row[R["scope"]], row[R["part"]])][observed]
        if last > at:
            yield row[0], row[R["source"]], last


def _about(tx: Reading, rows: Sequence[Row]) -> dict[str, dict[str, str]]:
    """Task id -> CI id -> name, of what the tasks are about now."""
    named = {row[0]: _named(row[T["subject"]]) for row in rows}
    records = tx.get(tables.RECORD, {(id_,) for ids in named.values() for id_ in ids})
    cis = tx.get(tables.CI, {(row[R["ci"]],) for row in records.values()})
    return {
        task: {
            ci: cis[(ci,)][C["name"]]
            for ci in sorted({records[(id_,)][R["ci"]] for id_ in ids if (id_,) in records})
            if (ci,) in cis
        }
        for task, ids in named.items()
    }


def _named(subject: Mapping[str, Any]) -> list[str]:
    return [*subject.get("records", ()), *subject.get("cis", ())]


def _task(row: Row, cis: Mapping[str, str]) -> Task:
    return Task(row[0], row[T["kind"]], _title(row, cis), cis, row[T["revision"]])


def _title(row: Row, cis: Mapping[str, str]) -> str:
    subject, names = row[T["subject"]], " and ".join(cis.values())
    if row[T["kind"]] == "review":
        return f"Are {names} one thing?"
    if row[T["kind"]] == REPLACES:
        new, old = (_told(subject, cis, side) for side in (0, 1))
        return f"Does {new} replace {old}?"
    if row[T["kind"]] == "distrusted":
        kind, value = subject["value"]
        return f"The {kind} {value} is distrusted: {names} share it"
    address = subject.get("address") or subject.get("entry") or ""
    return f"The address {address} is held by {names}".replace("  ", " ")


def _told(subject: Mapping[str, Any], cis: Mapping[str, str], side: int) -> str:
    """One of two CIs by name, and by what tells it from the other."""
    terms = {kind: told for kind, _, *told in subject["terms"]}
    tell = next((kind for kind in ("serial", "uuid", "mac") if kind in terms), None)
    words = f" ({tell} {', '.join(terms[tell][side])})" if tell else ""
    return cis.get(subject["cis"][side], "a CI") + words


def _side(row: Row, names: Mapping[str, str]) -> Side:
    return Side(
        record=row[0], ci=row[R["ci"]], class_=row[R["class"]], source=row[R["source"]], site=row[R["site"]],
        target=row[R["target"]].partition("\x00")[0], first_at=row[R["first_at"]], ended_at=row[R["ended_at"]],
        identifiers=row[R["identifiers"]], attributes={name: entry[0] for name, entry in row[R["attributes"]].items()},
        name=names.get(row[R["ci"]], ""),
    )  # fmt: skip
