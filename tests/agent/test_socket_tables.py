"""Addresses as hosts write them; the tables themselves are held to cases in tests/cases/probes."""

from __future__ import annotations

import pytest

from cmdb_agent.socket_tables import parse_netstat, parse_proc_net, parse_ss, plain_address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[::ffff:10.0.0.1]", "10.0.0.1"),
        ("127.0.0.53%lo", "127.0.0.53"),
        ("[fe80::1%eth0]", "fe80::1"),
        ("[fe80::1]%eth0", "fe80::1"),
        ("*", "::"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("localhost", None),
        ("/run/x", None),
    ],
)
def test_plain_address(text: str, expected: str | None) -> None:
    assert plain_address(text) == expected


def test_ipv6_of_proc() -> None:
    row = "   0: 0000000000000000FFFF00000500000A:1F90 0000000000000000FFFF00000700000A:C738 01 0:0 00:0 0 33 0 1"
    (socket,) = parse_proc_net(f"tcp6\n{row}\n")
    assert (socket.local_address, socket.local_port, socket.peer_address, socket.uid) == (
        "10.0.0.5",
        8080,
        "10.0.0.7",
        33,
    )


def test_owner_is_told_only_where_it_is_known() -> None:
    told = parse_ss(
        "ESTAB 0 0 10.0.0.5:40000 10.0.0.9:5432 timer:(keepalive,119min,0) uid:65534 ino:1 sk:35 cgroup:/x <->\n"
        "ESTAB 0 0 10.0.0.5:22 10.0.0.9:5433 ino:1 sk:36\n"
        "TIME-WAIT 0 0 10.0.0.5:40001 10.0.0.9:5432 timer:(timewait,47sec,0) ino:0 sk:37\n"
        "ESTAB 0 0 10.0.0.5:40002 10.0.0.9:5432\n"
    )
    assert [socket.uid for socket in told] == [65534, 0, -1, -1]


def test_names_with_quotes_and_many_holders() -> None:
    line = 'LISTEN 0 5 *:80 *:* users:(("a b",pid=1,fd=3),("we\\"ird",pid=2,fd=3),("a b",pid=1,fd=4))'
    (socket,) = parse_ss(line)
    assert socket.processes == (("a b", 1), ('we\\"ird', 2))


def test_names_instead_of_numbers_are_left_out() -> None:
    assert list(parse_netstat("tcp 0 0 localhost:ssh 0.0.0.0:* LISTEN")) == []
