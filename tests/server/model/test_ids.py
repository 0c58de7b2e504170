from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.ids import component_id, keyed_id, record_id


def test_the_canonical_form_is_frozen() -> None:
    """These values are in every store: a change that moves them needs a migration of all ids."""
    raw = {"serial": ["CZ1"], "mac": ["b", "a"]}
    assert record_id("ssh", "main", "computer", raw, target="10.0.0.1") == "ba993c7a-130a-548f-904a-9d8a11d7df71"
    assert (
        record_id("vcenter:prod", "main", "virtual_machine", raw, native_key="vm-1")
        == "4ad86208-9a9a-5d99-8576-0db3edb3d501"
    )
    assert component_id("RECORD", "network_interface", "eth0") == "f0ad149d-afd9-56d3-9307-4151447f6c81"
    assert keyed_id("software_package", "pkg:deb/bash@5") == "f4284d49-b218-5f90-bbab-6f3d707924c2"


def test_they_are_uuids_of_version_5() -> None:
    for n in range(64):
        found = UUID(keyed_id("x", str(n)))
        assert (found.version, found.variant) == (5, UUID(int=0, version=5).variant)


@given(st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), min_size=1, max_size=4), max_size=4))
def test_neither_order_nor_repeats_of_evidence_matter(raw: dict[str, list[str]]) -> None:
    backwards = {kind: values[::-1] + values[:1] for kind, values in reversed(raw.items())}
    assert record_id("s", "m", "c", raw, target="t") == record_id("s", "m", "c", backwards, target="t")


def test_what_is_told_cannot_imitate_the_form() -> None:
    assert record_id("s", "m", "c", {"a": ["b", "1:c"]}, target="t") != record_id(
        "s", "m", "c", {"a": ["b1:c"]}, target="t"
    )
    assert record_id("s", "m", "c", {"a": ["x", "1:b", "=", "y"]}, target="t") != record_id(
        "s", "m", "c", {"a": ["x"], "b": ["y"]}, target="t"
    )
    assert component_id("a", "b", "cd") != component_id("a", "bc", "d")


def test_a_key_of_the_source_holds_wherever_it_was_read() -> None:
    one = record_id("vcenter:prod", "north", "virtual_machine", {}, native_key="vm-1")
    assert one == record_id("vcenter:prod", "south", "virtual_machine", {}, native_key="vm-1", target="10.0.0.9")
    assert record_id("ssh", "north", "computer", {}, target="a") != record_id(
        "ssh", "south", "computer", {}, target="a"
    )
