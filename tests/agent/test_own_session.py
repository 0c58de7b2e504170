"""The scan's own session is known by its ends and its processes."""

from __future__ import annotations

from cmdb_agent.observation import Process, Socket
from cmdb_agent.own_session import NOBODY, OwnSession

TEXT = "ssh=192.0.2.1 40000 192.0.2.2 2222\nuid=990\npids=51 50\npartial= listeners dmi\n"
OWN = OwnSession.parse(TEXT)


def test_parse() -> None:
    assert (
        OwnSession("192.0.2.1", 40000, "192.0.2.2", 2222, frozenset({50, 51}), 990, frozenset({"listeners", "dmi"}))
        == OWN
    )
    assert OwnSession.parse("") == NOBODY == OwnSession.parse("ssh=\nuid=\npids= \npartial=\n")
    assert OwnSession.parse("ssh=a b\nuid=x\npids=y").pids == frozenset()


def test_holds_its_connection_from_either_end() -> None:
    assert OWN.holds(Socket("tcp", "ESTAB", "192.0.2.2", 2222, "192.0.2.1", 40000))
    assert OWN.holds(Socket("tcp", "ESTAB", "192.0.2.1", 40000, "192.0.2.2", 2222))
    assert not OWN.holds(Socket("tcp", "ESTAB", "192.0.2.2", 2222, "192.0.2.1", 40001))
    assert OWN.holds(Socket("tcp", "ESTAB", "192.0.2.2", 555, "192.0.2.9", 443, (("sh", 51),)))
    assert not NOBODY.holds(Socket("tcp", "LISTEN", "", 0))


def test_without_its_processes_and_theirs() -> None:
    rows = [
        Process(1, "init"),
        Process(50, "sshd", parent=1),
        Process(51, "sh", parent=50),
        Process(60, "ps", parent=51),
    ]
    rows += [Process(70, "awk", parent=60), Process(80, "nginx", parent=1)]
    assert [process.pid for process in OWN.without(rows)] == [1, 80]
