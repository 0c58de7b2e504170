"""Dropping the past before a horizon: the present, and all that can be asked from the horizon on, stays as it is.

What goes: of the history what a later word from before the horizon replaced, of the log the reports that nothing needs,
contents nobody refers to, the change feed, samples by resolution. What stays for good: decisions, when things were
there, what people keep. A baseline holds the horizon back, and who still follows the feed holds back the feed.

The horizon is written first, and each step can be done again: a run that was ended goes on with the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from cmdb_schemas.ci_class import CIClass
from cmdb_server.errors import Invalid
from cmdb_server.ingest import reduction
from cmdb_server.ingest.reach import LATE_MS, revision_at
from cmdb_server.practices import baselines, series, webhooks
from cmdb_server.store import tables
from cmdb_server.store.bounds import HISTORY, Bound, advance, begun, bound
from cmdb_server.store.digest import pages
from cmdb_server.store.port import Key, Reading, Row, Store, Writing
from cmdb_server.store.tables import Table

BATCH = 5000
"""Rows removed in one transaction."""
Progress = Callable[[str, int, int], None]
"""Told the step, how far it is and how far it goes."""
SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class Horizon:
    """``at`` (ms) and ``revision``: from when on the past is kept; ``feed``: after which revision the change feed is.
    ``held_by``: what keeps them from being nearer."""

    at: int
    revision: int
    feed: int
    held_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """``dropped``: table -> rows that went, or would go. ``whole``: neighbourhoods of scopes whose reports all stay,
    since without some of them the state could not be told again."""

    horizon: Horizon
    dropped: Mapping[str, int]
    whole: int
    applied: bool


def horizon(
    tx: Reading, asked: int, followed: Iterable[webhooks.Webhook], named: Iterable[baselines.Baseline]
) -> Horizon:
    """Where the past is cut when it is to be cut at ``asked`` (ms). It never moves back."""
    before, first = bound(tx, HISTORY), begun(tx)
    held = [one for one in named if one.at < asked]
    wanted = min([asked, *(one.at for one in held)])
    at = wanted if first is None else max(wanted, first)
    revision = max(revision_at(tx, at), before.revision)
    lagging = [one for one in followed if one.since < revision]
    feed = max(min([revision, *(one.since for one in lagging)]), int(before.told.get("feed", 0)))
    names = (*(f"baseline {one.name}" for one in held), *(f"webhook {one.id}" for one in lagging))
    return Horizon(at, revision, feed, names)


def reaching(store: Store) -> Horizon | None:
    """How far back the history reaches; None while nothing was dropped."""

    def work(tx: Reading) -> Horizon | None:
        found = bound(tx, HISTORY)
        if begun(tx) is None:
            return None
        return Horizon(found.at, found.revision, int(found.told.get("feed", 0)), ())

    return store.read(work)


def retain(
    store: Store, kinds: Mapping[str, CIClass], asked: int, sample_days: Mapping[str, int], subject: str, *,
    now_ms: int, apply: bool, progress: Progress = lambda *_: None,
) -> Outcome:  # fmt: skip
    """Drop what is before ``asked`` (ms), or only tell what would go. Raises Invalid for a time less than a day ago."""
    if asked > now_ms - LATE_MS:
        raise Invalid(
            "before: is less than a day ago", errors=[{"path": "before", "message": "is less than a day ago"}]
        )
    followed, named = webhooks.every(store), baselines.every(store)
    cut = store.read(lambda tx: horizon(tx, asked, followed, named))
    if apply:
        told = {"feed": cut.feed, "subject": subject, "at": now_ms}
        store.write(lambda tx: advance(tx, Bound(HISTORY, cut.at, cut.revision, told)))
    run = _Run(store, cut, apply, progress)
    run.samples(sample_days, now_ms)
    whole = run.reports(kinds)
    run.history(tables.FACT)
    run.history(tables.CLAIM)
    run.memberships()
    run.feed()
    run.contents()
    return Outcome(cut, dict(run.dropped), whole, apply)


@dataclass(slots=True)
class _Run:
    """One run. ``gone``: the reports that went, or would go; ``waiting``: keys still to be removed."""

    store: Store
    cut: Horizon
    apply: bool
    progress: Progress
    dropped: Counter[str] = field(default_factory=Counter)
    gone: set[Key] = field(default_factory=set)
    waiting: list[Key] = field(default_factory=list)

    def samples(self, days: Mapping[str, int], now_ms: int) -> None:
        if self.apply:
            while series.fold(self.store):
                pass
            self.dropped[SAMPLES] += series.thin(self.store, days, now_ms)
        else:
            self.dropped[SAMPLES] += self.store.read(lambda tx: series.thinnable(tx, days, now_ms))
        self.progress(SAMPLES, 1, 1)

    def reports(self, kinds: Mapping[str, CIClass]) -> int:
        """Neighbourhood by neighbourhood; gives how many stay whole."""
        whole, found = 0, self.store.read(reduction.neighbourhoods)
        for done, scopes in enumerate(found, 1):
            spared = self._spared(scopes, kinds)
            self.gone.update(spared.reports)
            whole += spared.whole
            self._forget(tables.REPORT, spared.reports)
            self.progress("report", done, len(found))
        return whole

    def _spared(self, scopes: Sequence[str], kinds: Mapping[str, CIClass]) -> reduction.Spared:
        return self.store.read(lambda tx: reduction.superfluous(tx, scopes, self.cut.at, self.cut.revision, kinds))

    def history(self, table: Table) -> None:
        """Rows of a record and attribute, or claim, that a later one from before the horizon replaced."""
        for (_, name), some in groupby(self._paged(table), key=lambda row: row[:2]):
            if not structural(table, name):
                self._collect(table, replaced(list(some), self.cut))
        self._rest(table)

    def memberships(self) -> None:
        """All before the last that was known at the horizon."""
        for _, some in groupby(self._paged(tables.MEMBERSHIP), key=lambda row: row[0]):
            old = [row[:2] for row in some if row[1] <= self.cut.revision]
            self._collect(tables.MEMBERSHIP, old[:-1])
        self._rest(tables.MEMBERSHIP)

    def feed(self) -> None:
        """What changed until the horizon."""

        def work(tx: Writing) -> int:
            rows = islice(tx.between(tables.FEED, "revision", -1, self.cut.feed), BATCH)
            keys = [row[:3] for row in rows]
            tx.delete(tables.FEED, keys)
            return len(keys)

        if not self.apply:
            told = self.store.read(lambda tx: sum(1 for _ in tx.between(tables.FEED, "revision", -1, self.cut.feed)))
            self.dropped[tables.FEED.name] += told
        elif self.cut.feed:
            while count := self.store.write(work):
                self.dropped[tables.FEED.name] += count
        self.progress(tables.FEED.name, 1, 1)

    def contents(self) -> None:
        """Contents that no report tells of any more, and observations that no content holds."""
        revision, kept = self.store.read(self._referred)
        marks: set[bytes] = set()
        orphans: list[tuple[str, set[bytes]]] = []
        for row in self._paged(tables.CONTENT):
            held = {row[2][at + 16 : at + 32] for at in range(0, len(row[2]), 32)}
            if row[0] in kept:
                marks |= held
            else:
                orphans.append((row[0], held))
        bodies = {mark for _, held in orphans for mark in held} - marks
        self._sweep(tables.CONTENT, [(digest,) for digest, _ in orphans], revision, lambda key, new: key[0] in new[0])
        self._sweep(
            tables.THING, [(mark.hex(),) for mark in sorted(bodies)], revision, lambda key, new: key[0] in new[1]
        )

    def _referred(self, tx: Reading) -> tuple[int, set[str]]:
        digest, content = tables.REPORT.position("digest"), tables.SAMPLED.position("content")
        found = {
            row[digest] for row in tx.between(tables.REPORT, "revision", -1, tx.revision) if row[:1] not in self.gone
        }
        found |= {row[content] for row in tx.between(tables.SAMPLED, "revision", -1, tx.revision)}
        found |= {row[tables.LANE.position("digest")] for row in pages(tx, tables.LANE)}
        return tx.revision, found

    def _sweep(
        self, table: Table, keys: Sequence[Key], since: int, taken: Callable[[Key, tuple[set[str], set[str]]], bool]
    ) -> None:
        """Remove these rows, but for those that were referred to again meanwhile."""

        def work(tx: Writing, some: Sequence[Key]) -> int:
            new = _told_since(tx, since)
            free = [key for key in some if not taken(key, new)]
            tx.forget_forever(table, free)
            return len(free)

        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            done = self.store.write(lambda tx, some=some: work(tx, some)) if self.apply else len(some)  # type: ignore[misc]
            self.dropped[table.name] += done
            self.progress(table.name, start + len(some), len(keys))

    # Removing by the batch -------------------------------------------------------------------------------------------

    def _paged(self, table: Table) -> Iterator[Row]:
        """All rows in key order, a page a read: what is added meanwhile is newer than the horizon."""
        count, done, after = self.store.read(lambda tx: tx.count(table)), 0, None
        while rows := self.store.read(lambda tx, after=after: tx.scan(table, after, BATCH)):  # type: ignore[misc]
            yield from rows
            done += len(rows)
            self.progress(table.name, done, max(count, done))
            after = tuple(rows[-1][table.position(column)] for column in table.key)

    def _collect(self, table: Table, keys: Iterable[Key]) -> None:
        self.waiting.extend(keys)
        if len(self.waiting) >= BATCH:
            self._rest(table)

    def _rest(self, table: Table) -> None:
        self._forget(table, self.waiting)
        self.waiting.clear()

    def _forget(self, table: Table, keys: Sequence[Key]) -> None:
        self.dropped[table.name] += len(keys)
        for start in range(0, len(keys) if self.apply else 0, BATCH):
            some = keys[start : start + BATCH]
            self.store.write(lambda tx, some=some: tx.forget_forever(table, some))  # type: ignore[misc]


def structural(table: Table, attribute: str) -> bool:
    """Whether facts of this name tell when a record was there, or whose it was: who is who follows from them."""
    return table is tables.FACT and attribute[:1] in ("", "@")


def replaced(rows: Sequence[Row], cut: Horizon) -> list[Key]:
    """The keys of the history's rows of one thing that say nothing from the horizon on. The last word before it stays,
    unless that was an end; what was told of those times after the horizon stays too."""
    before = [row for row in rows if row[2] <= cut.at]
    old = sorted((row for row in before if row[3] <= cut.revision), key=lambda row: (row[2], row[3]))
    if not old:
        return []
    over = old[-1][-1] is None and len(old) == len(before)
    return [row[:4] for row in (old if over else old[:-1])]


def _told_since(tx: Reading, revision: int) -> tuple[set[str], set[str]]:
    """The contents of reports that came after a revision, and the digests of their observations."""
    place = tables.REPORT.position("digest")
    contents = {row[place] for row in tx.between(tables.REPORT, "revision", revision, tx.revision)}
    held = tx.get(tables.CONTENT, [(digest,) for digest in contents]).values()
    return contents, {row[2][at + 16 : at + 32].hex() for row in held for at in range(0, len(row[2]), 32)}
