from __future__ import annotations

from itertools import permutations

from cmdb_server.model.components import components, link_keys, native_link, place, void_values, voids
from cmdb_server.model.decisions import Decision
from cmdb_server.model.record import Record, Value
from tests.records import record

MAC = "3c:ec:ef:00:00:01"


def sets(records: list[Record], *decisions: Decision, void: frozenset[Value] = frozenset()) -> set[str]:
    return {"".join(sorted(r.id for r in group)) for group in components(records, decisions, void=void)}


def test_keys_are_hardware_installation_place_with_name_and_native_key() -> None:
    one = record("a", mac=MAC, machine_id="ab" * 16, name="web.a.net", label="web", address="10.0.0.1")
    assert set(link_keys(one)) == {("mac", MAC), ("machine_id", "ab" * 16), ("place_name", "main 10.0.0.1 web")}
    assert place(one) == ("place", "main 10.0.0.1")
    keyed = record("a", source="vc", key="vm-1", name="web")
    assert link_keys(keyed) == (native_link("vc", "vm-1"),)
    assert place(keyed) is None


def test_names_alone_and_addresses_alone_never_join() -> None:
    assert sets([record("a", name="web", address="10.0.0.1"), record("b", name="web", address="10.0.0.2")]) == {
        "a",
        "b",
    }
    assert sets([record("a", name="web", address="10.0.0.1"), record("b", name="db", address="10.0.0.1")]) == {"a", "b"}


def test_they_join_through_others_in_any_order() -> None:
    some = [
        record("a", mac=MAC), record("b", mac=MAC, serial="CZ1"), record("c", serial="CZ1", name="web", address="10.0.0.1"),
        record("d", name="web.a.net", address="10.0.0.1"), record("e", serial="CZ2"),
    ]  # fmt: skip
    for order in permutations(some):
        assert sets(list(order)) == {"abcd", "e"}
    assert sets(some, void=frozenset({("serial", "CZ1")})) == {"ab", "cd", "e"}
    assert sets(some, Decision("m", "merge", 0, (("a",), ("e",)))) == {"abcde"}


def test_a_value_is_void_when_its_holders_bear_too_many_others_of_another_hardware_kind() -> None:
    def holders(count: int) -> list[Record]:
        return [
            record(str(n), serial="BOGUS1", mac=f"3c:ec:ef:00:01:{n:02x}", machine_id="ab" * 16) for n in range(count)
        ]

    assert not voids("serial", holders(64))
    assert voids("serial", holders(65)) and voids("machine_id", holders(65))
    assert not voids("mac", [record(str(n), mac=MAC, machine_id=f"{n + 16:032x}") for n in range(99)]), "software"
    assert void_values(holders(65)) == {("serial", "BOGUS1"), ("machine_id", "ab" * 16)}
