"""What is gufo's alone: when it hands a table over to pysnmp. The contract both keep is in test_snmp.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmdb_agent.observation import Varbind
from cmdb_agent.transports.snmp import SnmpTarget
from cmdb_agent.transports.walker import Limits
from tests.snmprec import Answer, Recording, Responder, oid

pytest.importorskip("gufo.snmp", reason="the SNMP extra (gufo-snmp) is not installed")
snmp_gufo = pytest.importorskip("cmdb_agent.transports.snmp_gufo")

TABLE = oid("1.3.6.1.2.1.2.2")
BEYOND = Varbind(oid("1.3.6.1.2.1.2.3.0"), 0, "integer")
ROWS = [*(Varbind((*TABLE, 1, 1, n), n, "integer") for n in range(60)), BEYOND]
QUICK = Limits(timeout=0.3, retries=1)


class Watched:
    """Stands where pysnmp would, to see what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def getbulk(self, after: tuple[int, ...], repetitions: int) -> list[Varbind]:
        self.asked.append(after)
        return [Varbind((), None, "end")]

    def close(self) -> None:
        pass


def handed_over(
    behave: Callable[[Callable[..., Answer]], Callable[..., Answer]], rows: list[Varbind] = ROWS
) -> list[tuple[int, ...]]:
    """After which rows pysnmp was asked."""
    other = Watched()
    recording = Recording(rows)
    honest = Responder(recording)
    with Responder(recording, behave(honest.answer)) as agent:
        transport = snmp_gufo.GufoTransport(SnmpTarget("127.0.0.1", agent.port, "public"), "127.0.0.1", QUICK)
        transport._other = other
        transport.walk(TABLE)
        transport.close()
    return other.asked


def test_what_gufo_can_read_it_reads() -> None:
    assert handed_over(lambda honest: honest) == []


def test_only_what_follows_the_end_of_the_mib_is_asked_again() -> None:
    """gufo tells it like an error."""
    assert handed_over(lambda honest: honest, ROWS[:-1]) == [ROWS[-2].oid]


def test_an_error_in_the_middle_keeps_what_was_read() -> None:
    def failing(honest: Callable[..., Answer]) -> Callable[..., Answer]:
        return lambda pdu, names, count: 1 if names[0] == ROWS[24].oid else honest(pdu, names, count)

    assert handed_over(failing) == [ROWS[24].oid]


@pytest.mark.parametrize("status", [1, 5, 16])
def test_an_error_that_gufo_takes_for_the_end_is_handed_over(status: int) -> None:
    assert handed_over(lambda honest: lambda pdu, names, count: status) == [TABLE]


def test_an_answer_without_rows_is_handed_over() -> None:
    assert handed_over(lambda honest: lambda pdu, names, count: []) == [TABLE]


def test_after_silence_the_smaller_question_is_put_by_pysnmp() -> None:
    assert handed_over(lambda honest: lambda pdu, names, count: None) == [TABLE]


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        (7, (7, "integer")), (b"x", (b"x", "string")), ("10.0.0.1", ("10.0.0.1", "address")),
        ("1.3.6.1.4.1.9", ("1.3.6.1.4.1.9", "oid")), (1.5, ("1.5", "float")), (None, (None, "null")),
    ],
)  # fmt: skip
def test_types_are_told_from_values(value: object, typed: tuple[object, str]) -> None:
    varbind = snmp_gufo._varbind("1.3", value)
    assert (varbind.value, varbind.type) == typed
