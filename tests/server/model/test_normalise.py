from __future__ import annotations

import uuid as uuids

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.normalise import engine_id, mac, machine_id, name, normalise, serial, uuid, vendor


@pytest.mark.parametrize(
    "text",
    ["00:1a:2b:03:04:05", "00-1A-2B-03-04-05", "001a.2b03.0405", "001A2B030405", "0:1a:2b:3:4:5", "0x001a2b030405",
     "00 1a 2b 03 04 05"],
)  # fmt: skip
def test_macs_have_one_spelling(text: str) -> None:
    assert mac(text) == "00:1a:2b:03:04:05"


@pytest.mark.parametrize(
    "text",
    ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:5e:00:01:0a", "00:00:5e:00:02:0a",
     "00:00:0c:07:ac:01", "00:00:0c:9f:f0:01", "00:07:b4:00:01:01", "02:42:ac:11:00:02", "fe:54:00:12:34:56",
     "00:50:56:c0:00:08", "", "00:1a", "00:1a:2b:03:04:05:06:07", "no mac at all", "00:1a:2b:03:04:0g",
     "1:2:3:4:5:6:7"],
)  # fmt: skip
def test_void_macs_and_junk_are_none(text: str) -> None:
    assert mac(text) is None


@pytest.mark.parametrize("text", ["52:54:00:12:34:56", "fa:16:3e:00:11:22", "42:01:0a:00:00:02"])
def test_macs_of_virtual_machines_are_weaker_but_not_void(text: str) -> None:
    assert mac(text) == text


def test_both_byte_orders_of_a_uuid_are_one_value() -> None:
    guest, host = "BC4C4D56-A9C6-6919-3FEE-FA0F3887B6A5", "564d4cbc-c6a9-1969-3fee-fa0f3887b6a5"
    assert uuid(guest) == uuid(host) == host
    assert uuid("56 4d 4c bc c6 a9 19 69-3f ee fa 0f 38 87 b6 a5") == host


@given(st.uuids())
def test_any_uuid_equals_itself_swapped(value: uuids.UUID) -> None:
    swapped = str(uuids.UUID(bytes_le=value.bytes))
    assert uuid(str(value)) == uuid(swapped.upper())


@pytest.mark.parametrize(
    "text",
    ["00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "Not Settable", "1234", "",
     "03000200-0400-0500-0006-000700080009", "00020003-0004-0005-0006-000700080009"],
)  # fmt: skip
def test_uuids_that_makers_leave_are_none(text: str) -> None:
    assert uuid(text) is None


@pytest.mark.parametrize(
    "text",
    ["To be filled by O.E.M.", "to be  filled by o.e.m.", "Default string", "System Serial Number", "None", "N/A",
     "Not Specified", "0000000000", "xxxxxxx", ".......", "..0..", "-", " ", "0", "12", "0123456789", "INVALID"],
)  # fmt: skip
def test_placeholders_are_no_serials(text: str) -> None:
    assert serial(text) is None


def test_serials_close_up() -> None:
    assert serial(" cz34 11ab0c ") == "CZ3411AB0C"


def test_a_vmware_serial_counts_once_as_the_uuid() -> None:
    found = normalise(
        {
            "serial": ["VMware-56 4d 4c bc c6 a9 19 69-3f ee fa 0f 38 87 b6 a5", "VMware-short"],
            "uuid": ["BC4C4D56-A9C6-6919-3FEE-FA0F3887B6A5"],
        }
    )
    assert found == {"serial": ("VMWARE-SHORT",), "uuid": ("564d4cbc-c6a9-1969-3fee-fa0f3887b6a5",)}


@pytest.mark.parametrize("text", ["localhost", "LOCALHOST.localdomain", "", ".", "10.0.0.1", "fe80::1%eth0", "(none)"])
def test_names_that_name_nothing(text: str) -> None:
    assert name(text) is None


def test_names_in_lower_case_without_final_dot() -> None:
    assert name("Web01.Example.NET.") == "web01.example.net"
    assert name("cafe") == "cafe"


def test_machine_and_engine_ids() -> None:
    assert machine_id("B8F690FA40E54CDBDC371DFB2210F28B") == "b8f690fa40e54cdbdc371dfb2210f28b"
    assert machine_id("uninitialized") is machine_id("0" * 32) is None
    assert engine_id("0x80:00:00:09 03 00 70 6D") == "80000009" + "0300706d"
    assert engine_id("8000000903" + "00" * 6) is engine_id("80 00") is engine_id("zz" * 6) is None


def test_makers_under_one_of_their_names() -> None:
    assert vendor("Hewlett-Packard") == vendor("HPE") == vendor("HP Inc.") == "hp"
    assert normalise({"serial": ["ABC123"]}, manufacturer="Dell Inc.") == {"serial": ("ABC123",), "vendor": ("dell",)}


_KINDS = [
    "serial",
    "uuid",
    "mac",
    "name",
    "fqdn",
    "label",
    "machine_id",
    "engine_id",
    "ssh_host_key",
    "chassis_id",
    "odd",
]


@given(st.dictionaries(st.sampled_from(_KINDS), st.lists(st.text(max_size=60), max_size=4)), st.text(max_size=20))
def test_whatever_is_told_it_never_raises_and_is_stable(told: dict[str, list[str]], maker: str) -> None:
    found = normalise(told, manufacturer=maker)
    assert all(values == tuple(sorted(set(values))) and all(values) for values in found.values())
    backwards = {kind: values[::-1] * 2 for kind, values in reversed(told.items())}
    assert normalise(backwards, manufacturer=maker) == found


@given(st.sampled_from(_KINDS[:7]), st.text(max_size=60))
def test_normal_values_are_normal(kind: str, text: str) -> None:
    once = normalise({kind: [text]})
    assert normalise(once) == once


def test_a_value_without_end_is_cut() -> None:
    assert len(normalise({"serial": ["A1" * 10_000]})["serial"][0]) <= 512
