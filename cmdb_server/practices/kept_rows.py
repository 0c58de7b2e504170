"""Reading what is kept: one thing, lists of them, and the history of one.

CIs are told by the ids that stand for them now: a CI that was merged into another is that one since, here too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from cmdb_server.errors import NotFound
from cmdb_server.ingest.declare import resolve_all
from cmdb_server.practices.kind import Kind
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store
from cmdb_server.store.tables import KEPT, KEPT_CI, KEPT_LINK, KEPT_VERSION

PAGE = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """A thing as it stands. ``subject`` opened it; times in ms; ``body`` field -> value; ``cis`` role -> the CIs it
    names, by their present ids (one that is no more by its last)."""

    number: str
    kind: str
    state: str
    version: int
    subject: str
    created_at: int
    changed_at: int
    revision: int
    body: Mapping[str, Any]
    cis: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Version:
    """One version: who made it at ``at`` (ms) by which transition, why, and what it was then. ``cis`` as named then."""

    number: str
    version: int
    revision: int
    at: int
    subject: str
    transition: str
    state: str
    note: str
    body: Mapping[str, Any]
    cis: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class KeptPage:
    """Things in order of their numbers. ``cursor`` continues them; None at their end."""

    items: tuple[Kept, ...]
    cursor: str | None
    revision: int


def one(store: Store, number: str) -> Kept:
    """The thing of that number. Raises NotFound."""
    return store.read(lambda tx: one_in(tx, number))


def one_in(tx: Reading, number: str) -> Kept:
    """``one`` within a transaction."""
    return present(tx, [stored(tx, number)])[0]


def stored(tx: Reading, number: str) -> Kept:
    """``one_in`` with its CIs as they were named."""
    row = tx.get(KEPT, [(number,)]).get((number,))
    if row is None:
        raise NotFound(f"there is no {number}")
    return kept_of(row)


def history(store: Store, number: str) -> list[Version]:
    """All versions of a thing, oldest first. Raises NotFound."""
    found = store.read(lambda tx: versions(tx, number))
    if not found:
        raise NotFound(f"there is no {number}")
    return found


def versions(tx: Reading, number: str) -> list[Version]:
    """``history`` within a transaction; of what is not there, none."""
    rows = tx.find(KEPT_VERSION, ("number",), [(number,)])
    return [replace(Version(*row), cis=_named(row[9])) for row in rows]


def every(
    store: Store, kind: str, states: Collection[str] = (), ci: str | None = None, subject: str | None = None,
    cursor: str | None = None, limit: int = 100, known: Mapping[str, Kind] | None = None,
) -> KeptPage:  # fmt: skip
    """Things of a kind, narrowed by what is told: in one of ``states``, naming ``ci`` (by any id that ever stood for
    it), opened by ``subject``. Raises NotFound for an unknown kind."""
    what = (known or kinds()).get(kind)
    if what is None:
        raise NotFound(f"nothing is kept as {kind!r}")

    def work(tx: Reading) -> KeptPage:
        rows = _rows(tx, what, states, ci, subject, cursor, limit + 1)
        items = present(tx, map(kept_of, rows[:limit]))
        return KeptPage(tuple(items), rows[limit - 1][0] if len(rows) > limit else None, tx.revision)

    return store.read(work)


def all_in(tx: Reading, kind: str, states: Collection[str]) -> list[Kept]:
    """All things of a kind in these states, by number: what a practice goes through."""
    rows = tx.find(KEPT, ("kind", "state"), [(kind, state) for state in states])
    return present(tx, [kept_of(row) for row in sorted(rows, key=lambda row: str(row[0]))])


def about(tx: Reading, number: str, kind: str) -> list[Kept]:
    """The things of a kind that name another one, by their numbers."""
    keys = {(row[2],) for row in tx.find(KEPT_LINK, ("about", "kind"), [(number, kind)])}
    return present(tx, [kept_of(row) for row in sorted(tx.get(KEPT, keys).values(), key=lambda row: str(row[0]))])


def _rows(
    tx: Reading, what: Kind, states: Collection[str], ci: str | None, subject: str | None, cursor: str | None,
    limit: int,
) -> list[Row]:  # fmt: skip
    """Up to ``limit`` rows after the cursor, by whichever index narrows most. Most of what is kept is over some day:
    that is gone through by number, as far as is asked for."""
    after = max(cursor or "", what.prefix)

    def fits(row: Row) -> bool:
        return row[1] == what.name and (not states or row[2] in states) and subject in (None, row[4])

    if ci is not None:
        keys = [(row[2],) for row in tx.find(KEPT_CI, ("ci", "kind"), [(id_, what.name) for id_ in aliases(tx, ci)])]
        found: Iterable[Row] = tx.get(KEPT, keys).values()
    elif states and what.final.isdisjoint(states):
        found = tx.find(KEPT, ("kind", "state"), [(what.name, state) for state in states])
    elif subject is not None:
        found = tx.find(KEPT, ("subject",), [(subject,)])
    else:
        return list(islice(filter(fits, _by_number(tx, what.prefix, after)), limit))
    return sorted((row for row in found if row[0] > after and fits(row)), key=lambda row: str(row[0]))[:limit]


def _by_number(tx: Reading, prefix: str, after: str) -> Iterator[Row]:
    """The rows whose numbers begin with the prefix, after one of them."""
    while page := tx.scan(KEPT, (after,), PAGE):
        yield from (row for row in page if row[0].startswith(prefix))
        after = page[-1][0]
        if not after.startswith(prefix):
            return


def aliases(tx: Reading, ci: str) -> set[str]:
    """All ids that stand for the CI that ``ci`` stands for, itself included."""
    living = resolve_all(tx, [ci]).get(ci, ci)
    return {ci, living, *(row[0] for row in tx.find(tables.RECORD, ("ci",), [(living,)]))}


def present(tx: Reading, things: Iterable[Kept]) -> list[Kept]:
    """The same things with their CIs by their present ids."""
    told = list(things)
    living = resolve_all(tx, {id_ for thing in told for ids in thing.cis.values() for id_ in ids})
    return [replace(thing, cis={role: _living(ids, living) for role, ids in thing.cis.items()}) for thing in told]


def there(tx: Reading, cis: Iterable[str]) -> list[str]:
    """Those of these CIs that have not ended."""
    told = list(cis)
    rows = tx.get(tables.CI, [(id_,) for id_ in told])
    return [id_ for id_ in told if (id_,) in rows and rows[id_,][tables.CI.position("ended_at")] is None]


def _living(ids: Iterable[str], living: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(living.get(id_, id_) for id_ in ids))


def _named(told: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {role: tuple(ids) for role, ids in told.items()}


def kept_of(row: Row) -> Kept:
    """A row of KEPT, its CIs as they were named."""
    return replace(Kept(*row), cis=_named(row[9]))


def row_of(thing: Kept) -> Row:
    """A thing as a row of KEPT."""
    return (
        thing.number, thing.kind, thing.state, thing.version, thing.subject, thing.created_at, thing.changed_at,
        thing.revision, dict(thing.body), {role: list(ids) for role, ids in thing.cis.items()},
    )  # fmt: skip
