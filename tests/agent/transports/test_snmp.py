"""Both libraries give the same answers, from a real snmpd and from agents that misbehave."""

from __future__ import annotations

import builtins
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cmdb_agent.errors import MissingExtra, SettingsError, TransportError
from cmdb_agent.observation import Varbind, Walk
from cmdb_agent.transports.snmp import Library, SnmpTarget, SnmpUser, open_snmp, resolve
from cmdb_agent.transports.walker import Limits
from tests import snmpd
from tests.snmprec import GETBULK, Answer, Recording, Responder, oid

pytest.importorskip("pysnmp", reason="the SNMP extra (pysnmp) is not installed")
pytest.importorskip("gufo.snmp", reason="the SNMP extra (gufo-snmp) is not installed")

LIBRARIES: tuple[Library, ...] = ("pysnmp", "gufo")
BOTH_SIDES: tuple[Library, ...] = ("pysnmp", "gufo", "pysnmp")
SYSTEM, INTERFACES = oid("1.3.6.1.2.1.1"), oid("1.3.6.1.2.1.2.2")
ORS, IP_ADDRESSES = oid("1.3.6.1.2.1.1.9"), oid("1.3.6.1.2.1.4.20")
PROCESSES = oid("1.3.6.1.2.1.25.4.2")
SYS_NAME, MISSING = oid("1.3.6.1.2.1.1.5.0"), oid("1.3.6.1.2.1.1.77.0")
QUICK = Limits(timeout=0.2, retries=1)
PATIENT = Limits(timeout=20, retries=3)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if not snmpd.SNMPD:
        pytest.skip("snmpd is not installed (Debian package snmpd)")
    with snmpd.running(tmp_path_factory.mktemp("snmpd")) as port:
        yield port


def ways(port: int) -> dict[str, SnmpTarget]:
    v3 = {user.name: SnmpTarget("127.0.0.1", port, user=user) for user in snmpd.USERS}
    return {"v2c": SnmpTarget("127.0.0.1", port, snmpd.COMMUNITY), **v3}


WAYS = ("v2c", *(user.name for user in snmpd.USERS))


def walked(target: SnmpTarget, library: Library, *roots: tuple[int, ...], limits: Limits | None = None) -> list[Walk]:
    transport = open_snmp(target, limits, library)
    try:
        return [transport.walk(root) for root in roots]
    finally:
        transport.close()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
def test_a_real_agent_is_read(port: int, way: str, library: Library) -> None:
    transport = open_snmp(ways(port)[way], library=library)
    try:
        assert list(transport.get([SYS_NAME, MISSING])) == [Varbind(SYS_NAME, b"gateway.example.net", "string")]
        interfaces = transport.walk(INTERFACES)
    finally:
        transport.close()
    assert interfaces.status == "complete"
    assert b"lo" in [varbind.value for varbind in interfaces.varbinds]


@pytest.mark.parametrize("way", WAYS)
def test_both_libraries_give_the_same_rows(port: int, way: str) -> None:
    """Of what stands still: counters move between two walks, and so may the machine's interfaces and devices when
    others use it. It stood still when the first library, asked again, tells what it told before the other."""
    roots = (ORS, IP_ADDRESSES, (*INTERFACES, 1, 2), (*INTERFACES, 1, 6), oid("1.3.6.1.2.1.25.3.2"))
    before, other, after = (walked(ways(port)[way], library, *roots, limits=PATIENT) for library in BOTH_SIDES)
    deadline = time.monotonic() + 120
    while before != after and time.monotonic() < deadline:
        before = after
        other, after = (walked(ways(port)[way], library, *roots, limits=PATIENT) for library in BOTH_SIDES[1:])
    assert before == other == after
    assert {walk.status for walk in other} == {"complete"}
    kinds = {varbind.type for walk in other for varbind in walk.varbinds}
    assert {"integer", "string", "oid", "address"} <= kinds


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("way", ["v2c", "sha512aes256"])
def test_a_table_with_rows_too_large_for_one_message_is_read_whole(port: int, way: str, library: Library) -> None:
    """snmpd cannot fit 50 command lines into one v3 message; gufo takes its answer for the end of the table."""
    target = ways(port)[way]
    limits = [Limits(repetitions=repetitions) for repetitions in (1, 50)]
    (slow,), (fast,) = (walked(target, library, (*PROCESSES, 1, 2), limits=limit) for limit in limits)
    (whole,) = walked(target, library, PROCESSES, limits=limits[1])
    assert slow.status == fast.status == whole.status == "complete"
    assert abs(len(slow.varbinds) - len(fast.varbinds)) < 10  # processes come and go
    assert len(whole.varbinds) > 5 * len(fast.varbinds)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_wrong_password_is_an_error_of_its_own(port: int, library: Library) -> None:
    for user in (
        SnmpUser("sha256aes128", "SHA-256", "not-this-one", "AES-128", snmpd.PRIVACY),
        SnmpUser("nobody", "SHA-256", snmpd.AUTH),
    ):
        transport = open_snmp(SnmpTarget("127.0.0.1", port, user=user), QUICK, library)
        with pytest.raises(TransportError) as refused:
            list(transport.get([SYS_NAME]))
        transport.close()
        assert refused.value.kind == "auth"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_password_that_was_corrected_is_used_at_once(port: int, library: Library) -> None:
    """An engine that has served the wrong one must not keep its keys."""
    right = next(user for user in snmpd.USERS if user.name == "sha256aes128")
    wrong = SnmpUser(right.name, "SHA-256", "not-this-one", "AES-128", snmpd.PRIVACY)
    for user, works in ((right, True), (wrong, False), (right, True)):
        transport = open_snmp(SnmpTarget("127.0.0.1", port, user=user), QUICK, library)
        try:
            assert bool(list(transport.get([SYS_NAME]))) is works
        except TransportError:
            assert not works
        finally:
            transport.close()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_wrong_community_is_silence(port: int, library: Library) -> None:
    transport = open_snmp(SnmpTarget("127.0.0.1", port, "wrong"), QUICK, library)
    with pytest.raises(TransportError) as silent:
        list(transport.get([SYS_NAME]))
    transport.close()
    assert silent.value.kind == "timeout"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_port_where_nobody_listens_is_an_error(library: Library) -> None:
    transport = open_snmp(SnmpTarget("127.0.0.1", 1, "public"), QUICK, library)
    with pytest.raises(TransportError):
        list(transport.get([SYS_NAME]))
    transport.close()


# --- agents that misbehave, on our own responder ---

ROWS = [
    *(Varbind((*INTERFACES, 1, column, index), b"text" if column == 2 else index, "string" if column == 2 else "integer")
      for column in range(1, 8) for index in range(1, 41)),
    Varbind((*IP_ADDRESSES, 1, 1, 10, 0, 0, 1), "10.0.0.1", "address"),
    Varbind((*IP_ADDRESSES, 1, 2, 10, 0, 0, 1), "1.3.6.1.4.1.9.1.1", "oid"),
    Varbind((*IP_ADDRESSES, 1, 3, 10, 0, 0, 1), 2**63 + 7, "counter64"),
    Varbind((*IP_ADDRESSES, 1, 4, 10, 0, 0, 1), 2**32 - 1, "gauge"),
    Varbind((*IP_ADDRESSES, 1, 5, 10, 0, 0, 1), -5, "integer"),
    Varbind((*IP_ADDRESSES, 1, 6, 10, 0, 0, 1), b"\xff\x00raw", "string"),
    Varbind((*IP_ADDRESSES, 1, 7, 10, 0, 0, 1), b"", "string"),
]  # fmt: skip
FIRST = (*INTERFACES, 1, 1, 40)


def misbehaviours(honest: Callable[[int, list[tuple[int, ...]], int], Answer]) -> dict[str, Callable[..., Answer]]:
    return {
        "none": honest,
        "tooBig above ten rows": lambda pdu, names, count: 1 if count > 10 else honest(pdu, names, count),
        "three rows at most": lambda pdu, names, count: honest(pdu, names, min(count, 3)),
        "the same rows again": lambda pdu, names, count: honest(pdu, [INTERFACES], count),
        "a circle": lambda pdu, names, count: honest(pdu, [INTERFACES] if names[0] > FIRST else names, count),
        "genErr in the second column": lambda pdu, names, count: (
            5 if any(row.oid[:-1] == (*INTERFACES, 1, 2) for row in _rows(honest(pdu, names, count)))
            else honest(pdu, names, count)
        ),
        "no rows": lambda pdu, names, count: [] if pdu == GETBULK else honest(pdu, names, count),
        "authorizationError": lambda pdu, names, count: 16,
        "no SNMP": lambda pdu, names, count: b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "a message cut in half": lambda pdu, names, count: b"\x30\x82\x01\x00\x02\x01\x01\x04",
        "silence": lambda pdu, names, count: None,
    }  # fmt: skip


def _rows(answer: Answer) -> list[Varbind]:
    return list(answer) if isinstance(answer, list) else []


EXPECTED = {
    "none": (280, "complete"),
    "tooBig above ten rows": (280, "complete"),
    "three rows at most": (280, "complete"),
    "the same rows again": (25, "loop"),
    "a circle": (50, "loop"),
    "genErr in the second column": (40, "undecodable"),
    "no rows": (0, "undecodable"),
    "authorizationError": (0, "failed"),
    "no SNMP": (0, "timeout"),  # pysnmp drops what does not even begin like SNMP
    "a message cut in half": (0, "undecodable"),
    "silence": (0, "timeout"),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", EXPECTED)
def test_a_misbehaving_agent_ends_the_table_and_says_how(name: str, library: Library) -> None:
    recording = Recording(ROWS)
    honest = Responder(recording)
    with Responder(recording, misbehaviours(honest.answer)[name]) as agent:
        (read,) = walked(SnmpTarget("127.0.0.1", agent.port, "public"), library, INTERFACES, limits=QUICK)
    count, status = EXPECTED[name]
    assert (len(read.varbinds), read.status) == (count, status)


def test_every_type_of_the_wire_comes_the_same_from_both() -> None:
    with Responder(Recording(ROWS)) as agent:
        target = SnmpTarget("127.0.0.1", agent.port, "public")
        (one,), (other,) = (walked(target, library, IP_ADDRESSES) for library in LIBRARIES)
    assert one == other
    assert [varbind.value for varbind in one.varbinds] == [row.value for row in ROWS[-7:]]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_lost_message_is_asked_for_again(library: Library) -> None:
    asked: list[int] = []
    recording = Recording(ROWS)
    honest = Responder(recording)

    def behave(pdu: int, names: list[tuple[int, ...]], count: int) -> Answer:
        asked.append(pdu)
        return None if len(asked) % 4 == 3 else honest.answer(pdu, names, count)

    with Responder(recording, behave) as agent:
        (read,) = walked(SnmpTarget("127.0.0.1", agent.port, "public"), library, INTERFACES, limits=QUICK)
    assert (len(read.varbinds), read.status) == (280, "complete")


# --- targets ---


def test_secrets_do_not_show() -> None:
    user = SnmpUser("reader", "SHA-256", "first secret", "AES-128", "second secret")
    for target in (SnmpTarget("h", community="third secret"), SnmpTarget("h", user=user)):
        assert "secret" not in repr(target)


@pytest.mark.parametrize(
    "ways",
    [
        {},
        {"community": "c", "user": SnmpUser("u")},
        {"user": SnmpUser("u", priv_protocol="DES", priv_password="p" * 8)},
    ],
)
def test_a_target_needs_one_way_in(ways: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        SnmpTarget("h", **ways)


def test_names_resolve_and_addresses_stay() -> None:
    assert resolve("::1", 161) == "::1"
    assert resolve("localhost", 161) in ("127.0.0.1", "::1")
    with pytest.raises(TransportError):
        resolve("no-such-host.invalid", 161)


def test_without_the_extra_one_line_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] in ("gufo", "pysnmp", "pyasn1"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.startswith("cmdb_agent.transports.snmp_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtra) as missing:
        open_snmp(SnmpTarget("127.0.0.1", community="public"))
    assert str(missing.value) == "SNMP needs its extra: pip install 'cmdb-agent[snmp]'"
