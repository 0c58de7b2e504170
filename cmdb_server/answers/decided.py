"""What people decided: who, when, why, and whether it still holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cmdb_server.answers.seen import SeenReading, SeenStore, bearers_seen
from cmdb_server.errors import Forbidden, NotFound
from cmdb_server.ingest import ruling
from cmdb_server.ingest.decisions import checked
from cmdb_server.ingest.ruling import D
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row, Store

R = {name: tables.RECORD.position(name) for name, _ in tables.RECORD.columns}


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision. ``body``: as it was made. ``in_effect``: nobody undid it. ``undoes``: the decision it takes back;
    ``undone_by``: the newest one that takes it back. ``cis``: the CIs that hold the records it names now."""

    id: str
    revision: int
    verb: str
    body: Mapping[str, Any]
    by: str
    at: int
    reason: str
    undoes: str | None
    undone_by: str | None
    in_effect: bool
    cis: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecidedPage:
    """Decisions, newest first. ``cursor`` continues it; None at its end."""

    items: tuple[Decided, ...]
    cursor: str | None
    revision: int


def decisions(
    store: Store, verb: str | None = None, ci: str | None = None, cursor: str | None = None, limit: int = 100
) -> DecidedPage:
    """Decisions of one verb, about one CI (by its present id), or all, newest first."""

    def work(tx: Reading) -> DecidedPage:
        told = [one for one in _all(tx) if verb in (None, one.verb) and (ci is None or ci in one.cis)]
        start = next((n + 1 for n, one in enumerate(told) if one.id == cursor), 0) if cursor is not None else 0
        page = told[start : start + limit]
        more = start + limit < len(told)
        return DecidedPage(tuple(page), page[-1].id if more else None, tx.revision)

    return store.read(work)


def decision(store: Store, id_: str) -> Decided:
    """One decision. Raises NotFound."""
    found = [one for one in store.read(_all) if one.id == id_]
    if not found:
        raise NotFound(f"no decision {id_!r}")
    return found[0]


def check_seen(store: Store, verb: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same body. Records that ``store`` does not tell of are refused like such as are not there: raises NotFound,
    and Forbidden for a value that somebody bears who is not seen."""

    def work(tx: Reading) -> None:
        told = checked(verb, body)
        there = tx.get(tables.RECORD, [(id_,) for side in told.get("sides", ()) for id_ in side])
        for id_ in (id_ for side in told.get("sides", ()) for id_ in side):
            if (id_,) not in there:
                raise NotFound(f"no record {id_!r}")
        if "value" in told and isinstance(tx, SeenReading) and not bearers_seen(tx, *told["value"]):
            raise Forbidden("value: it is borne by what you do not see too")

    if isinstance(store, SeenStore):
        store.read(work)
    return body


def _all(tx: Reading) -> list[Decided]:
    """People decide seldom: all there is fits in memory, as ingest holds it too."""
    rows = sorted(ruling.rows(tx), key=lambda row: (row[D["revision"]], row[D["id"]]), reverse=True)
    standing = {row[D["id"]] for row in ruling.in_effect(rows)}
    undone: dict[str, str] = {}
    for row in rows:
        if row[D["undoes"]] and row[D["id"]] in standing:
            undone[row[D["undoes"]]] = row[D["id"]]
    holders = _holders(tx, rows)
    return [_decided(row, row[D["id"]] in standing, undone, holders) for row in rows]


def _holders(tx: Reading, rows: Iterable[Row]) -> dict[str, str]:
    named = {(id_,) for row in rows for id_ in ruling.named(row)}
    return {key[0]: row[R["ci"]] for key, row in tx.get(tables.RECORD, named).items()}


def _decided(row: Row, standing: bool, undone: Mapping[str, str], holders: Mapping[str, str]) -> Decided:
    cis = {holders[id_] for id_ in ruling.named(row) if id_ in holders}
    return Decided(
        row[D["id"]], row[D["revision"]], row[D["verb"]], row[D["body"]], row[D["subject"]], row[D["at"]],
        row[D["reason"]] or "", row[D["undoes"]], undone.get(row[D["id"]]), standing, tuple(sorted(cis)),
    )  # fmt: skip
