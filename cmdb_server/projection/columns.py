"""Read-only columns that grow at the end, so that a newer projection shares its memory with the older ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Generic, Self, TypeVar
from weakref import WeakSet

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Column = npt.NDArray[Any]
T = TypeVar("T", bound=Hashable)

SPARE = 0.25
"""Room left at the end of a column, as a share of it."""
MAPPED_APART = 8
"""How often one set of files is mapped at a time by one process, since each mapping holds them open; what is made apart
from it then is copied as it grows."""
SOME = 1000
"""Fewer lists than that are not worth looking at twice."""


def frozen(column: Column) -> Column:
    """The column, made read-only."""
    column.flags.writeable = False
    return column


class Room:
    """The memory behind one set of parallel columns; ``used`` is the length that some version of them has taken."""

    def __init__(self, columns: Iterable[Column]) -> None:
        given = list(columns)
        self.used = len(given[0])
        size = self.used + int(self.used * SPARE) + 64
        self.columns = [np.empty(size, column.dtype) for column in given]
        self.lock = Lock()
        for column, values in zip(self.columns, given, strict=True):
            column[: self.used] = values

    def views(self, size: int) -> list[Column]:
        return [frozen(column[:size]) for column in self.columns]

    def take(self, size: int, more: int) -> bool:
        """Claim ``more`` places after ``size``; False when another version has them or there is no room."""
        with self.lock:
            if self.used != size or size + more > len(self.columns[0]):
                return False
            self.used = size + more
            return True

    def apart(self, size: int) -> Room:  # noqa: ARG002
        """Room for rows that stand in this one and are to grow on their own."""
        return FULL


class _Full(Room):
    """No room at all: rows that stand in it are copied before they grow, whoever else grows in place."""

    def __init__(self) -> None:
        super().__init__([np.empty(0)])

    def take(self, size: int, more: int) -> bool:  # noqa: ARG002
        return False


FULL = _Full()


class Mapped(Room):
    """Columns in files that several processes map. ``mapped`` maps them anew: writable, each write to be seen by the
    writer alone, with ``stored`` rows and spare places after them. So what grows is private, and what was stored is in
    memory once. ``others``: the rooms that map the same."""

    def __init__(self, stored: int, mapped: Callable[[], list[Column]], others: WeakSet[Room] | None = None) -> None:
        self.stored = self.used = stored
        self.mapped = mapped
        self.columns = mapped()
        self.lock = Lock()
        self.others = WeakSet[Room]() if others is None else others
        self.others.add(self)

    def apart(self, size: int) -> Room:
        if len(self.others) > MAPPED_APART:
            return FULL
        own = Mapped(self.stored, self.mapped, self.others)
        for new, old in zip(own.columns, self.columns, strict=True):
            new[self.stored : size] = old[self.stored : size]
        own.used = size
        return own


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Parallel columns of equal length, read-only. Subclasses name the columns after ``room``."""

    room: Room

    @classmethod
    def of(cls, *columns: Column) -> Self:
        room = Room(columns)
        return cls.within(room, len(columns[0]))

    @classmethod
    def within(cls, room: Room, size: int) -> Self:
        """The first ``size`` rows of what stands in ``room``."""
        return cls(room, *room.views(size))

    def apart(self) -> Self:
        """The same rows, which share no place to grow in with any others."""
        room = self.room.apart(len(self))
        return replace(self, room=room) if room is FULL else type(self).within(room, len(self))

    def __len__(self) -> int:
        # Asked for often: the field after ``room`` is the first column.
        return len(getattr(self, tuple(self.__dataclass_fields__)[1]))

    def extended(self, *more: Column) -> Self:
        """These rows and ``more`` after them. In place where this is the newest version, else in a copy."""
        size, extra = len(self), len(more[0])
        if not extra:
            return self
        if not self.room.take(size, extra):
            return type(self).of(*(np.concatenate((old, new)) for old, new in zip(self.columns(), more, strict=True)))
        for column, new in zip(self.room.columns, more, strict=True):
            column[size : size + extra] = new
        return type(self).within(self.room, size + extra)

    def columns(self) -> list[Column]:
        return [getattr(self, name) for name in self.names()]

    @classmethod
    def names(cls) -> list[str]:
        return [name for name in cls.__dataclass_fields__ if name != "room"]


class Interned(Generic[T]):
    """Values by a small number, numbered as they are met; only ever added to."""

    def __init__(self, values: Iterable[T] = ()) -> None:
        self._values: list[T] = []
        self._codes: dict[T, int] = {}
        for value in values:
            self.code(value)

    @property
    def values(self) -> list[T]:
        """All of them in the order of their numbers. Not to be changed."""
        return self._values

    def code(self, value: T) -> int:
        """The value's number, a new one for a new value."""
        known = self._codes.get(value)
        if known is None:
            known = self._codes[value] = len(self._values)
            self._values.append(value)
        return known

    def find(self, value: T) -> int | None:
        """The value's number, None when it was never met."""
        return self._codes.get(value)

    def __getitem__(self, code: int) -> T:
        return self._values[code]

    def __len__(self) -> int:
        return len(self._values)


def marked(mask: Bools) -> Longs:
    """The positions where ``mask``, of one dimension, is true; for short masks in a fraction of ``flatnonzero``'s time."""
    found: Longs = mask.nonzero()[0]
    return found


def spans(first: Ints, last: Ints, rows: Column) -> Ints:
    """The positions of each row's list, one list after the other."""
    start = first.take(rows)
    if len(rows) == 1:
        return np.arange(start[0], last[rows[0]], dtype=np.int32)
    count = last.take(rows)
    count -= start
    if len(rows) > SOME:
        # What follows takes its time by list, empty ones included.
        full = marked(count > 0)
        start, count = start.take(full), count.take(full)
    end = count.cumsum(dtype=np.int32)
    positions: Ints = np.arange(int(end[-1]) if len(end) else 0, dtype=np.int32)
    if len(positions):
        end -= count
        start -= end
        positions += np.repeat(start, count)
    return positions
