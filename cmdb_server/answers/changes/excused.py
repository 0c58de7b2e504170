"""Which changes a difference may come of: those about its CIs that were booked or under way not long before it was
seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cmdb_server.answers.diff import RELATION, Difference
from cmdb_server.model import instants
from cmdb_server.practices.booked import BOOKED, CHANGE, Span, booking_of
from cmdb_server.practices.expected import Expectation, expectations
from cmdb_server.practices.kept_rows import Kept, aliases, all_in, kept_of, present
from cmdb_server.store.port import Reading
from cmdb_server.store.tables import KEPT, KEPT_CI

if TYPE_CHECKING:
    from cmdb_server.answers.changes.strays import Cis

SEEN_WITHIN = 86_400_000
"""How long after a change what it did may be seen first."""
OVER = ("review", "closed")


class Excuses:
    """The changes that may be behind what was seen, each looked for once."""

    def __init__(self, tx: Reading, cis: Cis, now_ms: int) -> None:
        self._tx, self._cis, self._now = tx, cis, now_ms
        self._about: dict[str, list[Kept]] = {}
        self._coming: list[tuple[Kept, Expectation]] | None = None

    def covers(self, at: int, one: Difference) -> bool:
        """Whether some change is about it that was booked or under way within a day before ``at``."""
        ends = (one.id[0], one.id[2]) if one.kind == RELATION else one.id
        named = (change for end in ends for id_ in self._cis.lineage(end) for change in self._changes(id_))
        return any(self._then(change, at) for change in named) or (
            one.kind != RELATION and one.change == "created" and self._was_to_come(one, at)
        )

    def _changes(self, ci: str) -> list[Kept]:
        """All that name a CI, by any of its ids."""
        if ci not in self._about:
            rows = self._tx.find(KEPT_CI, ("ci", "kind"), [(id_, CHANGE) for id_ in sorted(aliases(self._tx, ci))])
            things = self._tx.get(KEPT, {(row[2],) for row in rows}).values()
            self._about[ci] = present(self._tx, [kept_of(row) for row in things if row[2] in (*BOOKED, *OVER)])
        return self._about[ci]

    def _was_to_come(self, one: Difference, at: int) -> bool:
        """Whether a change that is not over said it would create this."""
        if self._coming is None:
            changes = all_in(self._tx, CHANGE, (*BOOKED, "review"))
            told = ((change, each) for change in changes for each in expectations(change.body.get("expected", ())))
            self._coming = [(change, each) for change, each in told if each.edit == "create"]
        return any(
            (each.class_, each.name) == (one.class_, one.name) and self._then(change, at)
            for change, each in self._coming
        )

    def _then(self, change: Kept, at: int) -> bool:
        return any(
            start <= at and (end is None or at < end + SEEN_WITHIN) for start, end in run_times(change, at, self._now)
        )


def run_times(change: Kept, at: int, now_ms: int) -> Sequence[Span]:
    """When a change ran, or was to run, around ``at`` (ms)."""
    body = change.body
    if change.state in OVER and "started_at" in body and "ended_at" in body:
        told: Iterable[Span] = [(instants.parse(body["started_at"]), instants.parse(body["ended_at"]) + 1)]
        return list(told)
    return booking_of(change, (at - SEEN_WITHIN, max(at, now_ms) + 1), now_ms).spans
