"""Walks one table and always ends: no agent, however broken, can keep it going.

SNMP libraries follow whatever an agent answers; one that repeats or cycles its OIDs keeps them walking for ever. Here
OIDs must strictly increase, and rows, bytes and time are limited. How a walk ended is part of its result: a table
that was not read completely must end nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cmdb_agent.observation import CoverageStatus, Varbind, Walk

GetBulk = Callable[[tuple[int, ...], int], Sequence[Varbind]]
"""``getbulk(oid, repetitions)`` gives up to ``repetitions`` rows after ``oid``; a last one of type ``end`` says that the
agent has nothing beyond. Raises ``TooBig``, ``NoAnswer``, ``Undecodable`` or ``Refused``."""


class WalkError(Exception):
    """Why one request brought no rows."""


class TooBig(WalkError):
    """The agent cannot fit that many rows into one message."""


class NoAnswer(WalkError):
    """Nothing came in time."""


class Undecodable(WalkError):
    """What came is not SNMP, or the agent could not make the answer (``genErr``)."""


class Refused(WalkError):
    """The agent answers, but not this question (``noAccess``, ``authorizationError``)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one table may cost: ``rows``, ``bytes`` of content, ``seconds`` in all; ``repetitions`` rows a request;
    ``timeout`` seconds for one answer, asked for ``retries`` times more."""

    rows: int = 200_000
    bytes: int = 32_000_000
    seconds: float = 60.0
    repetitions: int = 25
    timeout: float = 3.0
    retries: int = 1


class _Table:
    """The rows so far below one root."""

    def __init__(self, root: tuple[int, ...], limits: Limits) -> None:
        self.root = root
        self.limits = limits
        self.rows: list[Varbind] = []
        self.bytes = 0

    @property
    def last(self) -> tuple[int, ...]:
        return self.rows[-1].oid if self.rows else self.root

    def take(self, varbinds: Sequence[Varbind]) -> tuple[CoverageStatus, str] | None:
        """Adds what belongs to the table; tells how the walk ended, or None while it goes on."""
        if not varbinds:
            # Some agents answer so when the next row does not fit; the end of the MIB has a mark of its own.
            raise TooBig("an answer without rows")
        for varbind in varbinds:
            if varbind.type == "end" or varbind.oid[: len(self.root)] != self.root:
                return "complete", ""
            if varbind.oid <= self.last:
                return "loop", f"{dotted(varbind.oid)} came after {dotted(self.last)}"
            if (over := self._over(varbind)) is not None:
                return "truncated", over
            self.rows.append(varbind)
        return None

    def _over(self, varbind: Varbind) -> str | None:
        self.bytes += _size(varbind)
        if len(self.rows) >= self.limits.rows:
            return f"more than {self.limits.rows} rows"
        if self.bytes > self.limits.bytes:
            return f"more than {self.limits.bytes} bytes"
        return None


def walk(getbulk: GetBulk, root: tuple[int, ...], limits: Limits, clock: Callable[[], float] = time.monotonic) -> Walk:
    """The rows below ``root`` and how the walk ended."""
    table = _Table(root, limits)
    status, detail = _fill(table, getbulk, clock)
    return Walk(root, tuple(table.rows), status, detail)


def _fill(table: _Table, getbulk: GetBulk, clock: Callable[[], float]) -> tuple[CoverageStatus, str]:
    end = clock() + table.limits.seconds
    repetitions = table.limits.repetitions
    while clock() < end:
        try:
            outcome = table.take(getbulk(table.last, repetitions))
        except WalkError as error:
            # Fewer rows fit a smaller message, come sooner, or end before the row that cannot be read.
            if repetitions == 1 or isinstance(error, Refused):
                return _outcome(error)
            repetitions = 1 if isinstance(error, NoAnswer) else repetitions // 2
            continue
        if outcome:
            return outcome
    return "timeout", f"more than {table.limits.seconds:g} s"


def _outcome(error: WalkError) -> tuple[CoverageStatus, str]:
    if isinstance(error, NoAnswer):
        return "timeout", str(error) or "no answer"
    if isinstance(error, Refused):
        return "failed", str(error)
    return "undecodable", str(error) or type(error).__name__


def _size(varbind: Varbind) -> int:
    content = len(varbind.value) if isinstance(varbind.value, bytes | str) else 8
    return len(varbind.oid) + content


def dotted(oid: Sequence[int]) -> str:
    return ".".join(map(str, oid))
