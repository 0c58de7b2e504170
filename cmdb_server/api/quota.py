"""How much each token may ask in a minute, counted once for all processes of a server.

The counts lie in anonymous shared memory made before the processes part; a file lock guards them, which the kernel
releases when a process is killed.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WINDOW = 60
_SLOT = struct.Struct("<QQQQ")
_SLOTS = 4096
_PROBES = 8


class Quota:
    """Counts of requests and bytes for each key, in windows of a minute. ``requests`` and ``size`` are the most that
    one key may have in one window."""

    def __init__(self, requests: int, size: int) -> None:
        self._most = (requests, size)
        self._memory = mmap.mmap(-1, _SLOT.size * _SLOTS)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the quota
        self._thread = threading.Lock()

    def take(self, key: str, now: float, requests: int = 1, size: int = 0) -> int:
        """Count so many requests and bytes for ``key`` at ``now`` (seconds). Returns 0 when they are granted, else
        in how many seconds to come back; what is not granted is not counted."""
        window, mark = int(now) // WINDOW, _mark(key)
        with self._locked():
            place = self._place(mark, window)
            held, since, had, bytes_had = _SLOT.unpack_from(self._memory, place)
            if (held, since) != (mark, window):
                had = bytes_had = 0
            had, bytes_had = had + requests, bytes_had + size
            if had > self._most[0] or bytes_had > self._most[1]:
                return WINDOW - int(now) % WINDOW
            _SLOT.pack_into(self._memory, place, mark, window, had, bytes_had)
        return 0

    def _place(self, mark: int, window: int) -> int:
        """The key's own slot, else one of a past window, else that of the key that asked least."""
        places = [((mark + probe) % _SLOTS) * _SLOT.size for probe in range(_PROBES)]
        slots = {place: _SLOT.unpack_from(self._memory, place) for place in places}
        for place, (held, since, _, _) in slots.items():
            if held == mark and since == window:
                return place
        return min(slots, key=lambda place: (slots[place][1] == window, slots[place][2]))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._thread:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def _mark(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "little") or 1
