"""The far ends of claims, as they were: the counterpart of ``ingest.ends`` for a graph read from the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cmdb_server.model import ids
from cmdb_server.model.holding import nearest
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Row


class PastEnds:
    """``ci_of``: record -> the CI that held it. ``cis`` gains the CIs that come to be by being named."""

    def __init__(self, tx: Reading, ci_of: Mapping[str, str], until: int, cis: dict[str, Row]) -> None:
        self._tx, self._ci_of, self._until, self._cis = tx, ci_of, until, cis
        self._holders: dict[tuple[str, str], list[Row]] = {}

    def ci(self, at: int, value: Mapping[str, Any]) -> str | None:
        """The CI at the far end of a claim made at ``at``, or None."""
        kind, _, rest = value["far"].partition(":")
        if kind in ("r", "ci"):
            return self._ci_of.get(rest) or (rest if rest in self._cis else None)
        if kind == "key":
            return self._keyed(rest, at, value)
        held = nearest(
            ((self._ci_of[row[2]], row[3], row[4] if row[4] is not None else self._until)
             for row in self._rows(kind, rest) if row[2] in self._ci_of and row[3] <= self._until),
            at,
        )  # fmt: skip
        if len(held) != 1:
            return None
        if kind == "address" and "port" in value:
            return self._listener(held[0], value) or held[0]
        return held[0]

    def _rows(self, kind: str, value: str) -> list[Row]:
        entry = (kind, value)
        if entry not in self._holders:
            self._holders[entry] = self._tx.find(tables.IDENTIFIER, ("kind", "value"), [entry])
        return self._holders[entry]

    def _listener(self, ci: str, value: Mapping[str, Any]) -> str | None:
        things = [record for record, home in self._ci_of.items() if home == ci]
        for thing in sorted(things):
            for row in self._rows("listens", f"{thing}|{value['protocol']}|{value['port']}"):
                if row[2] in self._ci_of and row[3] <= self._until:
                    return self._ci_of[row[2]]
        return None

    def _keyed(self, rest: str, at: int, value: Mapping[str, Any]) -> str:
        class_, _, key = rest.partition("|")
        ci = ids.keyed_id(class_, key)
        attributes = dict(value.get("attributes", {}))
        name = attributes.get("name")
        first = min(at, self._cis[ci][4]) if ci in self._cis else at
        self._cis[ci] = (ci, class_, name if isinstance(name, str) else key, "", first, attributes, 0, None)
        return ci
