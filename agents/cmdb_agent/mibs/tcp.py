"""TCP-MIB: who listens and who talks to whom, from the new tables for both kinds of addresses and the old one."""

from __future__ import annotations

from collections.abc import Iterator

from cmdb_agent.observation import Fact, Socket
from cmdb_agent.probe import Mib
from cmdb_agent.smi import OID, Walks, counted, inet_address, ip, number, oid, rows

OLD_TABLE = oid("1.3.6.1.2.1.6.13")
CONNECTION_TABLE = oid("1.3.6.1.2.1.6.19")
LISTENER_TABLE = oid("1.3.6.1.2.1.6.20")

_STATES = {
    1: "CLOSED", 2: "LISTEN", 3: "SYN-SENT", 4: "SYN-RECV", 5: "ESTAB", 6: "FIN-WAIT-1", 7: "FIN-WAIT-2",
    8: "CLOSE-WAIT", 9: "LAST-ACK", 10: "CLOSING", 11: "TIME-WAIT",
}  # fmt: skip
_STATE, _CONNECTION_PROCESS, _LISTENER_PROCESS, _OLD_STATE = 7, 8, 4, 1


def parse(walks: Walks) -> Iterator[Fact]:
    found = {*_listeners(walks), *_connections(walks), *_old(walks)}
    yield from sorted(found, key=repr)


def _listeners(walks: Walks) -> Iterator[Socket]:
    for index, row in rows(walks, LISTENER_TABLE).items():
        address, rest = _endpoint(index)
        if address is not None and len(rest) == 1:
            yield Socket("tcp", "LISTEN", address, rest[0], processes=_process(number(row.get(_LISTENER_PROCESS))))


def _connections(walks: Walks) -> Iterator[Socket]:
    for index, row in rows(walks, CONNECTION_TABLE).items():
        local, rest = _endpoint(index)
        peer, tail = _endpoint(rest[1:])
        state = _STATES.get(number(row.get(_STATE)) or 0)
        if local is not None and peer is not None and len(tail) == 1 and state:
            process = _process(number(row.get(_CONNECTION_PROCESS)))
            yield Socket("tcp", state, local, rest[0], peer, tail[0], process)


def _old(walks: Walks) -> Iterator[Socket]:
    for index, row in rows(walks, OLD_TABLE).items():
        if len(index) != 10 or max(*index[:4], *index[5:9]) > 255:
            continue
        local, peer = ip(bytes(index[:4])), ip(bytes(index[5:9]))
        state = _STATES.get(number(row.get(_OLD_STATE)) or 0)
        if local and peer and state == "LISTEN":
            yield Socket("tcp", state, local, index[4])
        elif local and peer and state:
            yield Socket("tcp", state, local, index[4], peer, index[9])


def _endpoint(index: OID) -> tuple[str | None, OID]:
    """Type, length and octets of an address at the front of an index, and what follows. Type 0 without octets is any
    address."""
    if not index:
        return None, ()
    octets, rest = counted(index[1:])
    if index[0] == 0 and not octets:
        return "", rest
    return (inet_address(index[0], octets) if all(octet < 256 for octet in octets) else None), rest


def _process(pid: int | None) -> tuple[tuple[str, int], ...]:
    return (("", pid),) if pid else ()


MIB = Mib("tcp", (OLD_TABLE, CONNECTION_TABLE, LISTENER_TABLE), parse)
