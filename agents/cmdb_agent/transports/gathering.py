"""A socket that reads ahead, so that many small packets cost a thread one awakening instead of two each."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

_CHUNK = 65_536


class GatheringSocket:
    """Stands between paramiko and a socket. A script's sections come as dozens of small packets, milliseconds apart,
    and being woken for each costs more than reading it."""

    def __init__(self, way: socket.socket) -> None:
        self._way = way
        self._kept = b""

    def gather(self, pause_s: float) -> None:
        """From now on lets the kernel gather what arrives for up to ``pause_s``, or until there is much of it."""
        self._way.settimeout(pause_s)
        with contextlib.suppress(OSError):
            self._way.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, _CHUNK // 2)

    def recv(self, size: int) -> bytes:
        """At most ``size`` bytes; empty at the end. Raises TimeoutError as the socket does."""
        if not self._kept:
            self._kept = self._read()
        given, self._kept = self._kept[:size], self._kept[size:]
        return given

    def _read(self) -> bytes:
        try:
            return self._way.recv(_CHUNK)
        except TimeoutError:
            # Not enough to be woken for, but something may be there.
            try:
                return os.read(self._way.fileno(), _CHUNK)
            except BlockingIOError:
                raise TimeoutError from None

    def close(self) -> None:
        """Ends the connection at once: a thread that waits in ``recv`` is woken, instead of waiting for its limit."""
        with contextlib.suppress(OSError):
            self._way.shutdown(socket.SHUT_RDWR)
        self._way.close()

    def __getattr__(self, name: str) -> Any:
        """All else is the socket's own (``send``, ``settimeout``, ``getpeername``)."""
        return getattr(self._way, name)
