"""The scan's own session on the scanned host, which is no part of what the host does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cmdb_agent.observation import Process, Socket


class OwnSession(NamedTuple):
    """Who scans: the ends of the scanner's own SSH connection (empty when there is none), the processes that run the
    script, the user, and the sections that were read without the rights to see everything."""

    client_address: str = ""
    client_port: int = 0
    server_address: str = ""
    server_port: int = 0
    pids: frozenset[int] = frozenset()
    uid: int = -1
    partial: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> OwnSession:
        """From ``name=value`` lines: ssh (the variable SSH_CONNECTION), uid, pids, partial."""
        told = dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)
        ends = told.get("ssh", "").split()
        client, client_port, server, server_port = ends if len(ends) == 4 else ("", "0", "", "0")
        uid = told.get("uid", "")
        return cls(
            client, _number(client_port), server, _number(server_port),
            pids=frozenset(_number(pid) for pid in told.get("pids", "").split()) - {0},
            uid=int(uid) if uid.isdecimal() else -1,
            partial=frozenset(told.get("partial", "").split()),
        )  # fmt: skip

    def holds(self, socket: Socket) -> bool:
        """Whether the socket is the session's own connection or belongs to one of its processes."""
        ends = (socket.peer_address, socket.peer_port, socket.local_address, socket.local_port)
        own = (self.client_address, self.client_port, self.server_address, self.server_port)
        if self.client_address and own in (ends, (*ends[2:], *ends[:2])):
            return True
        return any(pid in self.pids for _, pid in socket.processes)

    def without(self, processes: Iterable[Process]) -> list[Process]:
        """The processes that are neither the session's nor started by it."""
        others = {process.pid: process for process in processes if process.pid not in self.pids}
        own = set(self.pids)
        for pid in sorted(others):
            if others[pid].parent in own:
                own.add(pid)
        return [process for process in others.values() if process.pid not in own]


NOBODY = OwnSession()
"""No session: what was read was not scanned, but played in."""


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
