"""What is pysnmp's alone: its engines. The contract both libraries keep is in test_snmp.py."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_agent.observation import Varbind
from cmdb_agent.transports.snmp import SnmpTarget, SnmpUser
from cmdb_agent.transports.walker import Limits
from tests import snmpd
from tests.snmprec import Recording, Responder, oid

pytest.importorskip("pysnmp", reason="the SNMP extra (pysnmp) is not installed")
snmp_pysnmp = pytest.importorskip("cmdb_agent.transports.snmp_pysnmp")

SYS_NAME = oid("1.3.6.1.2.1.1.5.0")


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    own = snmp_pysnmp._Engines()
    monkeypatch.setattr(snmp_pysnmp, "ENGINES", own)
    yield own
    own.close()


def test_an_engine_serves_one_user_alone(engines: object) -> None:
    one, same_name = SnmpUser("reader", "SHA-256", "password1"), SnmpUser("reader", "SHA-256", "password2")
    first = snmp_pysnmp.ENGINES.take(one)
    snmp_pysnmp.ENGINES.give(first)
    assert snmp_pysnmp.ENGINES.take(same_name) is not first
    assert snmp_pysnmp.ENGINES.take(one) is first


def test_an_engine_that_is_in_use_is_not_given_twice(engines: object) -> None:
    user = SnmpUser("reader", "SHA-256", "password1")
    assert snmp_pysnmp.ENGINES.take(user) is not snmp_pysnmp.ENGINES.take(user)


def test_engines_are_recycled(engines: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snmp_pysnmp, "_DEVICES_PER_ENGINE", 3)
    user, served = SnmpUser("reader", "SHA-256", "password1"), []
    for _ in range(4):
        served.append(snmp_pysnmp.ENGINES.take(user))
        snmp_pysnmp.ENGINES.give(served[-1])
    assert served[0] is served[1] is served[2]
    assert served[3] is not served[0]


def test_devices_leave_no_sockets_behind() -> None:
    """v2c: an engine for each device leaked one."""
    rows = Recording([Varbind(SYS_NAME, b"sw1", "string")])
    with Responder(rows) as agent:
        target = SnmpTarget("127.0.0.1", agent.port, "public")
        counts = []
        for _ in range(8):
            transport = snmp_pysnmp.open_transport(target, "127.0.0.1", Limits(timeout=0.5))
            assert [varbind.value for varbind in transport.get([SYS_NAME])] == [b"sw1"]
            transport.close()
            gc.collect()
            counts.append(len([*Path("/proc/self/fd").glob("*")]))
    assert counts[-1] == counts[0]


@pytest.mark.skipif(not snmpd.SNMPD, reason="snmpd is not installed (Debian package snmpd)")
def test_a_warmed_engine_serves_the_next_device(engines: object, tmp_path: Path) -> None:
    user = snmpd.USERS[0]
    with snmpd.running(tmp_path) as port:
        for _ in range(3):
            transport = snmp_pysnmp.open_transport(SnmpTarget("127.0.0.1", port, user=user), "127.0.0.1", Limits())
            assert list(transport.get([SYS_NAME]))
            transport.close()
    engine = snmp_pysnmp.ENGINES.take(user)
    assert engine.devices == 3
    snmp_pysnmp.ENGINES.give(engine)


def test_floats_in_opaque_are_read() -> None:
    assert snmp_pysnmp._opaque(b"\x9f\x78\x04\x3f\xc0\x00\x00") == ("1.5", "float")
    assert snmp_pysnmp._opaque(b"other") == (b"other", "string")
