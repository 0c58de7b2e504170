"""Texts by a small number, most of them in arrays that may be mapped from files: no Python object a text."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from cmdb_server.projection.columns import Bytes, Column, Interned, Ints, Longs

ARRAYS = ("text", "offsets", "order", "ordered")


class StoredTexts(Interned[str]):
    """``text``: all that are stored, in UTF-8, ``offsets`` tells them apart. ``order``: their numbers, ascending by the
    CRC of each, which ``ordered`` holds. Those that are met later are kept beside."""

    def __init__(self, text: Bytes, offsets: Longs, order: Ints, ordered: Column) -> None:
        super().__init__()
        self._text, self._offsets, self._order, self._ordered = text, offsets, order, ordered
        self._stored = len(order)

    @classmethod
    def of(cls, arrays: Mapping[str, Column]) -> StoredTexts:
        """What ``arrays_of`` gave."""
        return cls(*(arrays[name] for name in ARRAYS))

    @property
    def values(self) -> list[str]:
        whole = self._text.tobytes()
        if whole.isascii():
            text = whole.decode()
            stored = [text[start:end] for start, end in pairwise(self._offsets.tolist())]
        else:
            stored = [_decoded(whole[start:end]) for start, end in pairwise(self._offsets.tolist())]
        return stored + self._values

    def code(self, value: str) -> int:
        known = self._find_stored(value)
        return super().code(value) + self._stored if known is None else known

    def find(self, value: str) -> int | None:
        known = self._find_stored(value)
        if known is None and (known := super().find(value)) is not None:
            known += self._stored
        return known

    def __getitem__(self, code: int) -> str:
        return self._value(code) if 0 <= code < self._stored else self._values[code - self._stored]

    def __len__(self) -> int:
        return self._stored + len(self._values)

    def _value(self, code: int) -> str:
        return _decoded(self._text[self._offsets[code] : self._offsets[code + 1]].tobytes())

    def _find_stored(self, value: str) -> int | None:
        sum_ = _sum(_encoded(value))
        place = int(np.searchsorted(self._ordered, sum_))
        while place < self._stored and self._ordered[place] == sum_:
            code = int(self._order[place])
            if self._value(code) == value:
                return code
            place += 1
        return None


def arrays_of(values: Interned[str]) -> dict[str, Column]:
    """The values as arrays, by the names of ``ARRAYS``."""
    told = [_encoded(value) for value in values.values]
    offsets = np.append(0, np.cumsum(np.fromiter(map(len, told), np.int64, len(told))))
    sums = np.fromiter(map(_sum, told), np.uint32, len(told))
    order = np.argsort(sums, kind="stable").astype(np.int32)
    return dict(zip(ARRAYS, (np.frombuffer(b"".join(told), np.uint8), offsets, order, sums[order]), strict=True))


def _sum(text: bytes) -> np.uint32:
    return np.uint32(zlib.crc32(text))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")
