"""When each target is scanned next, and the loop that does it until it is told to stop."""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event

from cmdb_agent import scan, targets
from cmdb_agent.delivery import Delivery, Spool, SpoolFullError
from cmdb_agent.settings import Settings, TargetEntry, seconds
from cmdb_agent.targets import Target
from cmdb_schemas.report import Report

IDLE_S = 15.0
"""How often the spool is looked at when no scan is due: a server that was down is back within so many seconds."""


@dataclass(order=True, frozen=True, slots=True)
class Due:
    """The next scan of a target or of all of a range: ``at`` in seconds of the schedule's clock."""

    at: float
    number: int
    targets: tuple[Target, ...] = field(compare=False)
    every_s: int = field(compare=False)


class Schedule:
    """Each target at its own interval. First scans are spread over the interval, or a minute if that is shorter, by
    the target's name: agents that start together do not ask all hosts at once, and a restart changes nothing."""

    def __init__(self, entries: Iterable[TargetEntry], now: float, exclude: Sequence[str] = ()) -> None:
        """``exclude``: addresses and ranges that no sweep touches. Raises ``TargetError`` for a target that cannot be
        understood, ``SettingsError`` for an interval."""
        self._queue: list[Due] = []
        for number, entry in enumerate(entries):
            meant, every_s = tuple(targets.expand(entry.address, entry.ssh, entry.snmp, exclude)), seconds(entry.every)
            if meant:
                self._queue.append(Due(now + spread(meant[0].url) * min(60, every_s), number, meant, every_s))
        heapq.heapify(self._queue)

    def take(self, now: float) -> list[Target]:
        """The targets that are due. Each is due again one interval after it was due; rounds that were missed, in a
        suspended machine or behind a long scan, are not made up for."""
        taken: list[Target] = []
        while self._queue and self._queue[0].at <= now:
            due = self._queue[0]
            taken += due.targets
            missed = int((now - due.at) // due.every_s)
            again = Due(due.at + (missed + 1) * due.every_s, due.number, due.targets, due.every_s)
            heapq.heapreplace(self._queue, again)
        return taken

    def wait_s(self, now: float) -> float | None:
        """Seconds until the next target is due; None without targets."""
        return max(0.0, self._queue[0].at - now) if self._queue else None


def spread(name: str) -> float:
    """A number from 0 to 1 that is always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def run(
    schedule: Schedule,
    settings: Settings,
    spool: Spool,
    delivery: Delivery,
    stop: Event,
    tell: Callable[[str, dict[str, object]], None],
    patience_s: float = 30.0,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Scans what is due and delivers, until ``stop`` is set: then no new target is begun, those under way are ended
    and spooled, and what could not be delivered stays in the spool. ``tell(event, fields)`` is the log."""
    while not stop.is_set():
        if spool.full:
            tell("spool-full", {"spool": str(spool.path)})
        elif due := schedule.take(clock()):
            _scan(due, settings, spool, stop, tell)
        if not stop.is_set():
            flush(delivery, tell, patience_s)
        wait_s = schedule.wait_s(clock())
        stop.wait(min(IDLE_S, IDLE_S if wait_s is None or spool.full else wait_s))


def flush(delivery: Delivery, tell: Callable[[str, dict[str, object]], None], patience_s: float) -> None:
    outcome = delivery.flush(patience_s)
    for refused in outcome.quarantined:
        tell("refused", {"report": refused.id, "target": refused.target, "reason": refused.reason})
    if outcome.delivered or outcome.problem:
        fields = {"delivered": outcome.delivered, "pending": outcome.pending, "problem": outcome.problem}
        tell("delivery", dict(fields))


def _scan(
    due: Sequence[Target],
    settings: Settings,
    spool: Spool,
    stop: Event,
    tell: Callable[[str, dict[str, object]], None],
) -> None:
    for report in scan.scan(due, settings, stop.is_set):
        try:
            spool.put(report)
        except SpoolFullError as error:
            tell("spool-full", {"target": report.scope.target, "error": str(error)})
        if not scan.silent(report):
            tell("scanned", _summary(report))


def _summary(report: Report) -> dict[str, object]:
    errors = [f"{error.kind}: {error.message}" for error in report.errors]
    return {"target": report.scope.target, "source": report.source, "report": report.id, "errors": errors}
