"""The ids of the CIs as two words each, and their names, without a Python object a CI."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

import numpy as np

from cmdb_server.projection.columns import Bytes, Ints, Longs, Rows, Words

NONE: Mapping[int, str] = MappingProxyType({})


def words(ids: Sequence[str]) -> tuple[Words, Words]:
    """High and low half of each id. Raises ``ValueError`` for what is no UUID."""
    text = "".join(ids).replace("-", "")
    if len(text) != 32 * len(ids):
        raise ValueError("an id is not a UUID")
    halves = np.frombuffer(bytes.fromhex(text), ">u8").astype(np.uint64).reshape(-1, 2)
    return halves[:, 0], halves[:, 1]


@dataclass(frozen=True, slots=True, eq=False)
class Identities(Rows):
    """``high`` and ``low`` by CI."""

    high: Words
    low: Words


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Finds CIs by id: the rows of ``order`` by searching, later ones in ``added``."""

    identities: Identities
    order: Ints
    ordered: Words
    added: Mapping[tuple[int, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, identities: Identities) -> Index:
        order = np.argsort(identities.high, kind="stable").astype(np.int32)
        return cls(identities, order, identities.high[order])

    def extended(self, identities: Identities) -> Index:
        """With the CIs that ``identities`` holds beyond this index's own."""
        known = len(self.identities)
        new = zip(identities.high[known:].tolist(), identities.low[known:].tolist(), strict=True)
        if len(identities) - len(self.order) > max(4096, len(self.order) // 8):
            return Index.of(identities)
        added = {**self.added, **{key: known + place for place, key in enumerate(new)}}
        return Index(identities, self.order, self.ordered, added)

    def find(self, ids: Sequence[str]) -> Longs:
        """The CI of each id; -1 where there is none."""
        if not len(ids):
            return np.empty(0, np.int64)
        return self.matching(*words(ids))

    def matching(self, high: Words, low: Words) -> Longs:
        """The CI of each id, given as two words; -1 where there is none."""
        place = np.searchsorted(self.ordered, high)
        if len(self.order):
            found = self.order[np.minimum(place, len(self.order) - 1)].astype(np.int64)
            right = (self.identities.high[found] == high) & (self.identities.low[found] == low)
        else:
            found, right = np.full(len(high), -1, np.int64), np.zeros(len(high), bool)
        for row in np.flatnonzero(~right).tolist():
            found[row] = self._among_equals(int(place[row]), high[row], low[row])
        return found

    def id(self, ci: int) -> str:
        """The id in its canonical text."""
        return str(UUID(int=(int(self.identities.high[ci]) << 64) | int(self.identities.low[ci])))

    def _among_equals(self, place: int, high: np.uint64, low: np.uint64) -> int:
        while place < len(self.order) and self.ordered[place] == high:
            if self.identities.low[self.order[place]] == low:
                return int(self.order[place])
            place += 1
        return self.added.get((int(high), int(low)), -1)


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Names by CI as one UTF-8 text with ``offsets``; those given later in ``changed``."""

    text: Bytes
    offsets: Longs
    changed: Mapping[int, str] = field(default_factory=lambda: NONE)

    @classmethod
    def of(cls, names: Iterable[str | None]) -> Names:
        parts = [(name or "").encode("utf-8", "surrogatepass") for name in names]
        offsets = np.append(0, np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts))))
        return cls(np.frombuffer(b"".join(parts), np.uint8), offsets)

    @classmethod
    def joined(cls, parts: Sequence[Names]) -> Names:
        """One after the other; parts that were never changed."""
        sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(part.offsets) for part in parts)])
        text = np.concatenate([np.empty(0, np.uint8), *(part.text for part in parts)])
        return cls(text, np.append(0, np.cumsum(sizes)))

    def settled(self, size: int) -> Names:
        """The same names in one text, of ``size`` CIs."""
        if not self.changed:
            return self
        sizes = np.append(np.diff(self.offsets), np.zeros(size - len(self.offsets) + 1, np.int64))
        parts, done = [self.text[:0]], 0
        for ci in sorted(self.changed):
            place = min(ci, len(self.offsets) - 1)
            later = np.frombuffer(self.changed[ci].encode("utf-8", "surrogatepass"), np.uint8)
            parts += [self.text[done : self.offsets[place]], later]
            done, sizes[ci] = self.offsets[min(ci + 1, len(self.offsets) - 1)], len(later)
        return Names(np.concatenate([*parts, self.text[done:]]), np.append(0, np.cumsum(sizes)))

    def with_changed(self, changed: Mapping[int, str]) -> Names:
        return Names(self.text, self.offsets, MappingProxyType({**self.changed, **changed})) if changed else self

    def __getitem__(self, ci: int) -> str:
        later = self.changed.get(ci)
        if later is not None:
            return later
        return self.text[self.offsets[ci] : self.offsets[ci + 1]].tobytes().decode("utf-8", "surrogatepass")
