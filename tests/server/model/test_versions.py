from __future__ import annotations

from itertools import permutations

from cmdb_server.model.versions import withdrawn
from cmdb_server.model.weighing import shipped
from tests.records import record

MAC_A, MAC_B = "3c:ec:ef:00:00:01", "3c:ec:ef:00:00:0b"


def test_a_version_that_the_next_one_fits_is_withdrawn() -> None:
    some = [
        record("1", source="vc", key="vm-1", mac=MAC_A, seen=[(0, 1)]),
        record("2", source="vc", key="vm-1", mac=MAC_B, seen=[(2, 3)]),
        record("3", source="vc", key="vm-1", mac=MAC_B, serial="CZ1", seen=[(4, 9)]),
        record("4", source="vc", key="vm-2", mac=MAC_B, seen=[(0, 1)]),
        record("5", mac=MAC_B, seen=[(0, 1)]),
    ]
    for order in permutations(some):
        assert withdrawn(order, shipped(), frozenset()) == {"1": "2", "2": "3"}, "12 for the key outweighs -8"


def test_a_reused_key_keeps_both() -> None:
    some = [
        record("1", source="vc", key="vm-1", mac=MAC_A, serial="CZ1", seen=[(0, 1)]),
        record("2", source="vc", key="vm-1", mac=MAC_B, serial="CZ2", seen=[(2, 3)]),
    ]
    assert withdrawn(some, shipped(), frozenset()) == {}
    assert withdrawn(some, shipped(), frozenset({("serial", "CZ1")})) == {"1": "2"}
