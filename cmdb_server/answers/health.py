"""How well the CMDB tells of the estate: what is incomplete, wrong, stale or never looked at, with the CIs behind it.

Everything is found in one pass over the present graph; its cost is that of the graph.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cmdb_schemas.ci_class import CIClass
from cmdb_server.answers.deleted import is_deleted
from cmdb_server.answers.duplicates import duplicates_in
from cmdb_server.answers.lives import UNKNOWN, Lives, Sought
from cmdb_server.answers.past_state import past_of
from cmdb_server.answers.ranges_seen import BEARERS, ranges_in
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid
from cmdb_server.ingest.tasks import OPEN
from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Reading, Row, Store

CHECKS: Mapping[str, tuple[str, str]] = {
    "missing-attribute": ("completeness", "lacks an attribute that its class is expected to have"),
    "no-owner": ("completeness", "nobody is told to own or support it"),
    "contradiction": ("correctness", "an open task says that what is told of it contradicts itself"),
    "duplicate-name": ("correctness", "another CI of its class has the same name"),
    "duplicate-address": ("correctness", "another CI holds the same address"),
    "orphan": ("correctness", "no relation ties it to anything"),
    "unresolved-end": ("correctness", "it speaks of something that is not known, or could be several"),
    "ageing": ("freshness", "not confirmed lately"),
    "missing": ("freshness", "not confirmed for long, or seen to be gone"),
    "retired": ("freshness", "gone for so long that it counts as retired"),
    "never-identified": ("coverage", "seen by others or on the network, and never identified by a scan"),
    "never-scanned": ("coverage", "speaks of an address that no scan has reached"),
    "range-never-scanned": ("coverage", "a range in which somebody was seen, and that no scan ever set out for"),
    "range-partly-scanned": ("coverage", "a range in which somebody was seen where no scan ever looked"),
}
"""check -> (dimension, what it means of a CI)."""

RANGES = ("range-never-scanned", "range-partly-scanned")
OF_TASKS = frozenset({"contradiction"})
"""Checks that follow from tasks, of which only the present is kept."""
C = {name: tables.CI.position(name) for name, _ in tables.CI.columns}
R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}
T = {name: tables.TIE.position(name) for name, _ in tables.TIE.columns}
BATCH = 2000
RESPONSIBLE = ("owned_by", "supported_by")
AT = "address:"
STAGES = ("ageing", "missing", "retired")


@dataclass(frozen=True, slots=True)
class Finding:
    """One CI that fails a check. ``detail``: the attribute, address, task or name that it fails by."""

    check: str
    ci: str
    class_: str
    name: str
    owner: str
    detail: str


@dataclass(frozen=True, slots=True)
class Figure:
    """How many CIs of a class and owner (``""``: nobody's) fail a check, of how many."""

    dimension: str
    check: str
    class_: str
    owner: str
    failing: int
    of: int


@dataclass(frozen=True, slots=True)
class Health:
    figures: tuple[Figure, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class Findings:
    """Some of the CIs that fail a check, in order of id. ``cursor`` continues; None at the end."""

    items: tuple[Finding, ...]
    cursor: str | None
    revision: int


def health(store: Store, viewer: Viewer, *, now_ms: int, at: int | None = None, known_at: int | None = None) -> Health:
    """The figures of every check, by class and owner; those without a failing CI too, so that a ratio can be told.
    ``at``, ``known_at`` (ms): as things were then; which tasks were open then is not known. Raises Forgotten."""

    def work(reading: Reading) -> Health:
        past = past_of(reading, viewer, at, known_at, now_ms)
        checks = set(CHECKS) if past.tx is reading else set(CHECKS) - OF_TASKS
        estate = _Estate.read(past.tx, viewer.kinds, past.now)
        failing = Counter({key: len(cis) for key, cis in _failing(_findings(past.tx, estate)).items()})
        figures = [
            Figure(CHECKS[check][0], check, class_, owner, failing[(check, class_, owner)], of)
            for check in CHECKS
            if check in checks
            for (class_, owner), of in sorted(estate.sizes(check).items())
        ]
        return Health(tuple(figures), reading.revision)

    return as_seen(store, viewer).read(work)


def findings(
    store: Store, viewer: Viewer, check: str, class_: str | None = None, owner: str | None = None,
    cursor: str | None = None, limit: int = 100, *, now_ms: int, at: int | None = None, known_at: int | None = None,
) -> Findings:  # fmt: skip
    """The CIs behind a figure. ``class_`` and ``owner`` as the figure tells them. Raises Invalid for what is not known of
    the past, and Forgotten."""
    if check in OF_TASKS and (at, known_at) != (None, None):
        fault = "which tasks were open then is not known"
        raise Invalid(f"check: {fault}", errors=[{"path": "check", "message": fault}])

    def work(tx: Reading) -> Findings:
        past = past_of(tx, viewer, at, known_at, now_ms)
        estate = _Estate.read(past.tx, viewer.kinds, past.now)
        found = sorted(
            (one for one in _findings(past.tx, estate)
             if one.check == check and class_ in (None, one.class_) and owner in (None, one.owner)),
            key=lambda one: (one.ci, one.detail),
        )  # fmt: skip
        start = int(cursor) if cursor is not None and cursor.isdigit() else 0
        page = tuple(found[start : start + limit])
        more = start + limit < len(found)
        return Findings(page, str(start + limit) if more else None, tx.revision)

    return as_seen(store, viewer).read(work)


def _failing(found: Iterable[Finding]) -> Mapping[tuple[str, str, str], set[str]]:
    """A CI that fails a check twice counts once."""
    failing: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for one in found:
        failing[(one.check, one.class_, one.owner)].add(one.ci)
    return failing


# The estate as the checks see it ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expected:
    """What CIs of a class are expected to have."""

    attributes: tuple[str, ...] = ()
    responsible: bool = False


@cache
def expectations() -> Mapping[str, Mapping[str, Any]]:
    """The file, by class."""
    return tomllib.loads(Path(__file__).with_name("completeness.toml").read_text(encoding="utf-8"))


def expected(class_: CIClass) -> Expected:
    """What the file says of a class and its ancestors."""
    told = [expectations().get(name, {}) for name in (class_.name, *class_.ancestors)]
    names = {name: None for one in reversed(told) for name in one.get("attributes", ())}
    return Expected(tuple(names), any(one.get("responsible") for one in told))


@dataclass(slots=True)
class _Estate:
    """All CIs but those that people deleted, with what has to be known of others to judge one."""

    kinds: Mapping[str, CIClass]
    rows: dict[str, Row] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    related: set[str] = field(default_factory=set)
    sought: dict[str, Sought] = field(default_factory=dict)

    @classmethod
    def read(cls, tx: Reading, kinds: Mapping[str, CIClass], now_ms: int) -> _Estate:
        estate = cls(kinds)
        gone = set()
        for row in pages(tx, tables.CI):
            if is_deleted(row):
                gone.add(row[0])
            else:
                estate.rows[row[0]] = row
        estate._age(tx, now_ms)
        for row in pages(tx, tables.RELATION):
            if row[0] not in gone and row[2] not in gone:
                estate.related.update((row[0], row[2]))
            if row[1] in RESPONSIBLE and row[2] in estate.rows:
                estate.owners.setdefault(row[0], estate.rows[row[2]][C["name"]])
        for id_, row in estate.rows.items():
            told = row[C["attributes"]]
            if named := told.get("owned_by") or told.get("support_group") or told.get("managed_by_group"):
                estate.owners[id_] = str(named)
        return estate

    def _age(self, tx: Reading, now_ms: int) -> None:
        ids = list(self.rows)
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            lives = Lives(tx, now_ms, self.kinds)
            lives.load(some)
            self.stages.update({id_: lives.of(self.rows[id_]).stage for id_ in some})
            self.sought.update({id_: lives.sought(id_) for id_ in some if not self.rows[id_][C["parent"]]})

    def owner(self, id_: str) -> str:
        """Whose the CI is: its own owner, or that of what it is a component of."""
        while id_ in self.rows:
            if id_ in self.owners:
                return self.owners[id_]
            id_ = self.rows[id_][C["parent"]]
        return ""

    def living(self) -> Iterator[Row]:
        """What is not retired: nothing but its age is held against what is."""
        return (row for id_, row in self.rows.items() if self.stages[id_] != "retired")

    def sizes(self, check: str) -> Counter[tuple[str, str]]:
        """(class, owner) -> how many CIs the check is about."""
        rows = self.rows.values() if CHECKS[check][0] == "freshness" else self.living()
        return Counter((row[C["class"]], self.owner(row[0])) for row in rows if self._concerns(check, row))

    def _concerns(self, check: str, row: Row) -> bool:
        class_ = self.kinds[row[C["class"]]]
        if check == "missing-attribute":
            return bool(expected(class_).attributes)
        if check == "no-owner":
            return expected(class_).responsible
        if check in ("duplicate-name", "never-identified"):
            return class_.identity == "evidence" and not row[C["parent"]]
        if check in RANGES:
            return class_.name in BEARERS
        if check == "orphan":
            return not row[C["parent"]]
        return True

    def finding(self, check: str, ci: str, detail: str) -> Finding:
        row = self.rows[ci]
        return Finding(check, ci, row[C["class"]], row[C["name"]], self.owner(ci), detail)


# The checks ------------------------------------------------------------------------------------------------------------


def _findings(tx: Reading, estate: _Estate) -> Iterator[Finding]:
    for id_, stage in estate.stages.items():
        if stage in STAGES:
            yield estate.finding(stage, id_, "")
    for row in estate.living():
        yield from _of_row(estate, row)
    yield from _same_names(estate)
    ends = list(_open_ends(tx))
    for check, ci, detail in (
        *_contradictions(tx),
        *_shared_addresses(tx),
        *_of_ends(ends),
        *_ranges(tx, estate, ends),
    ):
        if estate.stages.get(ci, "retired") != "retired":
            yield estate.finding(check, ci, detail)


def _of_row(estate: _Estate, row: Row) -> Iterator[Finding]:
    class_, told = estate.kinds[row[C["class"]]], row[C["attributes"]]
    wanted = expected(class_)
    for name in wanted.attributes:
        if name not in told and not (name == "name" and row[C["name"]]):
            yield estate.finding("missing-attribute", row[0], name)
    if wanted.responsible and not estate.owner(row[0]):
        yield estate.finding("no-owner", row[0], "")
    if not row[C["parent"]] and row[0] not in estate.related:
        yield estate.finding("orphan", row[0], "")
    if class_.name == UNKNOWN:
        yield estate.finding("never-identified", row[0], str(told.get("ip_address") or told.get("mac_address") or ""))


def _same_names(estate: _Estate) -> Iterator[Finding]:
    named: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in estate.living():
        if row[C["name"]] and not row[C["parent"]] and estate.kinds[row[C["class"]]].identity == "evidence":
            named[(row[C["class"]], row[C["name"]].lower())].append(row[0])
    for (_, name), cis in named.items():
        if len(cis) > 1:
            yield from (estate.finding("duplicate-name", ci, name) for ci in cis)


def _contradictions(tx: Reading) -> Iterator[tuple[str, str, str]]:
    tasks = [row for row in tx.find(tables.TASK, ("state",), [(OPEN,)]) if row[1] in ("review", "distrusted")]
    records = {row[0]: row[2].get("records", ()) for row in tasks}
    held = tx.get(tables.RECORD, {(id_,) for ids in records.values() for id_ in ids})
    for task, ids in records.items():
        for ci in {held[(id_,)][R["ci"]] for id_ in ids if (id_,) in held}:
            yield "contradiction", ci, task


def _shared_addresses(tx: Reading) -> Iterator[tuple[str, str, str]]:
    for shared in duplicates_in(tx):
        for ci in shared.cis:
            yield "duplicate-address", ci, shared.address


def _open_ends(tx: Reading) -> Iterator[tuple[str, str, str]]:
    """(near CI, type, far end in canonical text) of the claims without a known far end."""
    for row in pages(tx, tables.TIE):
        near, far = row[T["from_ci"]], row[T["to_ci"]]
        if (near is None) != (far is None):
            yield near or far, row[T["type"]], row[T["far"]]


def _of_ends(ends: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    """Among the ends that are not known are the addresses that nothing was found at."""
    for ci, type_, far in ends:
        yield "unresolved-end", ci, f"{type_} {far}"
        if far.startswith(AT):
            yield "never-scanned", ci, far.rpartition("|")[2]


def _ranges(tx: Reading, estate: _Estate, ends: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    spoken = ((ci, far.removeprefix(AT)) for ci, _, far in ends if far.startswith(AT))
    for one in ranges_in(tx, list(estate.living()), estate.rows, estate.sought, spoken):
        yield RANGES[one.entered], one.ci, one.told()
