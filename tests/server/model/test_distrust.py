from __future__ import annotations

from cmdb_server.model.distrust import contradictions
from cmdb_server.model.evidence import View, points
from cmdb_server.model.record import Record, Value
from cmdb_server.model.weighing import shipped
from tests.records import record

W = shipped()
MAC_A, MAC_B = "3c:ec:ef:00:00:01", "3c:ec:ef:00:00:0b"
ID_A, ID_B = "ab" * 16, "cd" * 16


def distrusted(a: Record, b: Record) -> dict[Value, str]:
    views = [View(a, W), View(b, W)]
    found = contradictions(views, {(0, 1): points(*views, W.default)}, W)
    back = contradictions(views[::-1], {(0, 1): points(*views[::-1], W.default)}, W)
    assert found == back
    return {value: said.why for value, said in found.items()}


def test_hard_when_other_hardware_contradicts_at_overlapping_times() -> None:
    one, two = {"serial": "CZ1", "mac": MAC_A, "machine_id": ID_A}, {"serial": "CZ1", "mac": MAC_B, "machine_id": ID_A}
    assert set(distrusted(record("a", **one), record("b", **two))) == {("serial", "CZ1")}, (
        "the serial outweighs the MACs for the machine id, which is judged by both"
    )
    assert set(distrusted(record("a", mac=MAC_A, machine_id=ID_A), record("b", mac=MAC_B, machine_id=ID_A))) == {
        ("machine_id", ID_A)
    }
    assert not distrusted(record("a", seen=[(0, 1)], **one), record("b", seen=[(2, 3)], **two))


def test_soft_only_hardware_of_one_source_with_unlike_software() -> None:
    one, two = {"serial": "CZ1", "machine_id": ID_A}, {"serial": "CZ1", "machine_id": ID_B}
    assert set(distrusted(record("a", **one), record("b", **two))) == {("serial", "CZ1")}
    assert not distrusted(record("a", **one), record("b", source="snmp", **two))
    assert not distrusted(record("a", seen=[(0, 1)], **one), record("b", seen=[(2, 3)], **two)), "a reinstallation"
    key = {"ssh_host_key": "k1"}
    assert not distrusted(record("a", **one, **key), record("b", **two, **key)), "some software agrees"


def test_software_alone_never_contradicts() -> None:
    assert not distrusted(
        record("a", mac=MAC_A, machine_id=ID_A), record("b", source="snmp", mac=MAC_A, machine_id=ID_B)
    )
    assert not distrusted(
        record("a", machine_id=ID_A, ssh_host_key="k"), record("b", machine_id=ID_B, ssh_host_key="k")
    )
