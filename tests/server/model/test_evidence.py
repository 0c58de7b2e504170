from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.evidence import Term, View, breakdown, is_local, points, score
from cmdb_server.model.record import Record
from cmdb_server.model.weighing import shipped
from tests.records import record

W = shipped()
A1, A2, B1, B2 = "3c:ec:ef:00:00:01", "3c:ec:ef:00:00:02", "3c:ec:ef:00:00:0b", "3c:ec:ef:00:00:0c"


def told(a: Record, b: Record) -> dict[str, float]:
    family = W.between(a.family, b.family)
    found = points(View(a, W), View(b, W), family)
    assert found == points(View(b, W), View(a, W), family), "evidence is the same from both sides"
    return dict(found)


@pytest.mark.parametrize(
    ("ours", "theirs", "worth"),
    [
        ([A1], [A1], 12), ([A1], [A1, A2], 12), ([A1, A2], [A1, B1], 6), ([A1], [B1], -8),
        ([A1, A2], [A1, A2], 20), ([A1, A2], [A1, A2, B1], 20), (["52:54:00:00:00:01"], ["52:54:00:00:00:01"], 9),
        (["52:54:00:00:00:01", A1], ["52:54:00:00:00:01", A1], 12),
    ],
)  # fmt: skip
def test_macs_count_by_their_overlap(ours: list[str], theirs: list[str], worth: float) -> None:
    assert told(record("a", mac=ours), record("b", mac=theirs)) == {"mac": worth}


def test_what_only_one_has_says_nothing() -> None:
    assert told(record("a", serial="CZ1"), record("b", mac=A1, name="web")) == {}


def test_any_serial_of_a_stack_agrees() -> None:
    assert told(record("a", serial=["FOC1", "FOC2"]), record("b", serial=["FOC2", "FOC3"])) == {"serial": 14}
    assert told(record("a", serial=["FOC1", "FOC2"]), record("b", serial=["FOC3"])) == {"serial": -10}


def test_one_serial_of_two_makers_says_nothing() -> None:
    one = record("a", serial="12345", maker="Dell Inc.")
    assert told(one, record("b", serial="12345", maker="Lenovo")) == {}
    assert told(one, record("b", serial="12345")) == {"serial": 14}
    assert told(one, record("b", serial="54321", maker="Lenovo")) == {"serial": -10}


def test_software_is_capped_since_it_is_copied_together() -> None:
    image = {"machine_id": "ab" * 16, "ssh_host_key": "k1", "engine_id": "80000009aabbccddee"}
    other = {"machine_id": "cd" * 16, "ssh_host_key": "k2", "engine_id": "80000009aabbccddff"}
    assert score(told(record("a", **image), record("b", **image)).items()) == 10
    assert score(told(record("a", **image), record("b", **other)).items()) == -6
    assert score(told(record("a", **image), record("b", **{**image, "machine_id": "cd" * 16})).items()) == 10


@pytest.mark.parametrize(
    ("ours", "theirs", "worth"),
    [
        ("web.a.net", "web.a.net", 4), ("web", "web.a.net", 4), ("web.a.net", "web.b.net", -5), ("web", "db", -5),
        ("WEB", "web.a.net.", 4),
    ],
)  # fmt: skip
def test_short_names_are_first_labels(ours: str, theirs: str, worth: float) -> None:
    assert told(record("a", name=ours), record("b", fqdn=theirs)) == {"name": worth}


def test_labels_agree_but_never_disagree() -> None:
    assert told(record("a", label="web.a.net"), record("b", name="web")) == {"label": 4}
    assert told(record("a", label="Old web"), record("b", name="web")) == {}


def test_one_place_counts_only_while_no_hardware_disagrees() -> None:
    one = record("a", name="web", address="10.0.0.1", mac=A1)
    assert told(one, record("b", name="web", address="10.0.0.1")) == {"name": 4, "place": 4}
    assert told(one, record("b", name="web", address="10.0.0.1", mac=B1)) == {"mac": -8, "name": 4}
    assert "place" not in told(one, record("b", name="db", address="10.0.0.1"))


def test_versions_of_one_key() -> None:
    assert told(record("a", key="vm-1", source="vc"), record("b", key="vm-1", source="vc")) == {"native_key": 12}
    assert told(record("a", key="vm-1", source="vc"), record("b", key="vm-1", source="vc2")) == {}


def test_a_family_weighs_its_own_kinds_among_its_own() -> None:
    ours = {"name": "sw", "sys_object_id": "1.3.6.1.4.1.9.1.1208"}
    assert told(record("a", family="network_device", **ours), record("b", family="network_device", **ours)) == {
        "name": 4, "sys_object_id": 2,
    }  # fmt: skip
    assert told(record("a", family="network_device", **ours), record("b", **ours)) == {"name": 4}


def test_the_breakdown_shows_what_was_compared_without_what_is_distrusted() -> None:
    one = View(record("a", serial="CZ1", mac=[A1, A2], name="web"), W, frozenset({("serial", "CZ1")}))
    two = View(record("b", serial="CZ1", mac=A1, name="web.a.net"), W, frozenset({("serial", "CZ1")}))
    assert breakdown(one, two, W.default) == (
        Term("mac", 12, (A1, A2), (A1,)), Term("name", 4, ("web",), ("web.a.net",)),
    )  # fmt: skip


@given(st.integers(0, 255))
def test_the_locally_administered_bit(octet: int) -> None:
    assert is_local(f"{octet:02x}:00:00:00:00:01") == bool(octet & 2)
