"""Collects what a script prints, up to a limit, for the transports that run one."""

from __future__ import annotations

from cmdb_agent.observation import Transcript

_ERRORS_KEPT = 4096


class Capture:
    """Standard output whole, of standard error only the end; both count towards ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._parts: list[bytes] = []
        self._errors = b""

    def output(self, data: bytes) -> None:
        self._parts.append(data[: max(0, self._limit - self._size)])
        self._size += len(data)

    def error(self, data: bytes) -> None:
        self._errors = (self._errors + data)[-_ERRORS_KEPT:]
        self._size += len(data)

    @property
    def full(self) -> bool:
        return self._size > self._limit

    def transcript(self, code: int, cut: str, address: str = "", host_key: str = "") -> Transcript:
        """Bytes that are not UTF-8 become U+FFFD: the wire is JSON, which cannot carry them."""
        text = b"".join(self._parts).decode("utf-8", "replace")
        errors = self._errors.decode("utf-8", "replace").strip()
        return Transcript(text, code, cut, errors, address, host_key)
