"""What people keep of their work as a viewer sees it: by the CIs that a thing names.

Who sees all of them sees the thing, as everybody sees a thing that names none. Who sees some is told of it without its
words, in which people may have written anything: number, kind, state, times and choices stay, tokens stand for the
other CIs. Who sees none of them is told nothing. A change counts the services whose owners are asked for approval too:
they have to know what they decide upon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cmdb_server.ingest.declare import resolve_all
from cmdb_server.practices.assessments import APPROVAL, ASSESSMENT
from cmdb_server.practices.field import Field
from cmdb_server.practices.kind import Kind
from cmdb_server.store.port import Row
from cmdb_server.store.tables import KEPT, KEPT_LINK, KEPT_VERSION

if TYPE_CHECKING:
    from cmdb_server.answers.seen import SeenReading

PLAIN = frozenset({"boolean", "integer", "number", "date", "duration", "time", "window", "thing"})
"""Types of fields whose values are nobody's words."""
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
KIND, BODY, CIS = (KEPT.position(name) for name in ("kind", "body", "cis"))
V = {name: KEPT_VERSION.position(name) for name, _ in KEPT_VERSION.columns}


def kept_rows(tx: SeenReading, rows: Sequence[Row]) -> list[Row | None]:
    """The rule of KEPT."""
    seen = _Seen(tx, rows, CIS)
    return [_kept(seen, row) for row in rows]


def kept_versions(tx: SeenReading, rows: Sequence[Row]) -> list[Row | None]:
    """The rule of KEPT_VERSION: each version by what it named, and by what the thing names now."""
    present = tx.whole.get(KEPT, {(row[0],) for row in rows})
    now = dict(zip(present, kept_rows(tx, list(present.values())), strict=True))
    seen = _Seen(tx, rows, V["cis"])
    return [_version(seen, row, present.get((row[0],)), now.get((row[0],))) for row in rows]


def kept_links(tx: SeenReading, rows: Sequence[Row]) -> list[Row | None]:
    """The rule of KEPT_LINK: of things that are told of."""
    told = tx.get(KEPT, {(row[2],) for row in rows})
    return [row if (row[2],) in told else None for row in rows]


class _Seen:
    """Which of the CIs that some rows name are seen, by any of their ids."""

    def __init__(self, tx: SeenReading, rows: Sequence[Row], place: int) -> None:
        self.tx, self._place = tx, place
        named = {id_ for row in rows for id_ in self.named(row)}
        self._living = resolve_all(tx.whole, named)
        self._seen = tx.eyes.sees(self._living.values())

    def named(self, row: Row) -> Iterator[str]:
        """The CIs of its roles, and whatever its body holds that may be the id of one."""
        yield from (id_ for ids in (row[self._place] or {}).values() for id_ in ids)
        yield from self._meant(row)

    def _meant(self, row: Row) -> Iterator[str]:
        return (word for word in _texts(row[self._place - 1]) if ID.fullmatch(word))

    def sees(self, id_: str) -> bool:
        return self._living.get(id_) in self._seen

    def cis(self, row: Row) -> dict[str, list[str]]:
        """With tokens for those that are not seen."""
        told = {}
        for role, ids in (row[self._place] or {}).items():
            told[role] = [id_ if self.sees(id_) else self.tx.eyes.token(self._living.get(id_, id_)) for id_ in ids]
        return told

    def share(self, row: Row) -> tuple[bool, bool]:
        """(some of the named CIs are seen, all are)."""
        told = [self.sees(id_) for ids in (row[self._place] or {}).values() for id_ in ids]
        meant = all(self.sees(id_) for id_ in self._meant(row) if id_ in self._living)
        return any(told) or not told, all(told) and meant


def _kept(seen: _Seen, row: Row) -> Row | None:
    if row[KIND] == ASSESSMENT:  # names whatever is hit: it is told anew for who asks
        return None
    some, all_ = seen.share(row)
    if all_:
        return row
    if not some and not _is_asked(seen.tx, row[0]):
        return None
    return (*row[:BODY], plain_body(seen.tx.sight.kept.get(row[KIND]), row[BODY] or {}), seen.cis(row))


def _is_asked(tx: SeenReading, number: str) -> bool:
    """Whether it waits for an approval of a service that is seen."""
    keys = {(row[2],) for row in tx.whole.find(KEPT_LINK, ("about", "kind"), [(number, APPROVAL)])}
    asked = list(tx.whole.get(KEPT, keys).values())
    seen = _Seen(tx, asked, CIS)
    return any(seen.share(row)[0] for row in asked)


def _version(seen: _Seen, row: Row, present: Row | None, told: Row | None) -> Row | None:
    if present is None or told is None:
        return None
    if seen.share(row)[1] and told == present:
        return row
    body = plain_body(seen.tx.sight.kept.get(present[KIND]), row[V["body"]] or {})
    return (*row[: V["note"]], "", body, seen.cis(row))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def plain_body(kind: Kind | None, body: Mapping[str, Any]) -> dict[str, Any]:
    """Of a body what is nobody's words."""
    fields: Mapping[str, Field] = {} if kind is None else kind.fields
    return {name: value for name, value in body.items() if name in fields and _is_plain(fields[name])}


def _is_plain(field: Field) -> bool:
    return field.type in PLAIN or bool(field.attribute.choices)
