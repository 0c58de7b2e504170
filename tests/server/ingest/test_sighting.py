"""An observation as the server keeps it: records of the thing and its components, what each is found by, its claims."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_agent.probes import dmi
from cmdb_schemas.ci_class import classes
from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.errors import Invalid
from cmdb_server.ingest.sighting import EVERYWHERE, Origin, Sighting, as_json, digest, is_complete, pack, read, unpack

ORIGIN = Origin("ssh", "lab", "10.0.0.0/24", "host", "scope-1")


def sighted(origin: Origin = ORIGIN, **changes: Any) -> Sighting:
    told = {"ref": "h", "class_": "server", "address": "10.0.0.1", "identifiers": {"serial": ["S1"]}} | changes
    return read(Observation(**told), origin, classes(), b"\1" * 16, "o")


def refused(**changes: Any) -> str:
    with pytest.raises(Invalid) as fault:
        sighted(**changes)
    return str(fault.value.extra["errors"][0]["path"])


def test_a_record_is_of_its_place_scope_and_evidence() -> None:
    first = sighted().thing.record
    assert sighted(attributes={"name": "x"}).thing.record == first
    others = {
        sighted(address="10.0.0.2").thing.record,
        sighted(identifiers={"serial": ["S2"]}).thing.record,
        sighted(Origin("ssh", "lab", "10.0.0.0/24", "host", "scope-2")).thing.record,
        sighted(Origin("snmp", "lab", "10.0.0.0/24", "host", "scope-1")).thing.record,
        sighted(Origin("ssh", "hq", "10.0.0.0/24", "host", "scope-1")).thing.record,
        sighted(address=None).thing.record,
        sighted(native_key="vm-1").thing.record,
    }
    assert len(others | {first}) == 8


def test_what_a_thing_is_found_by() -> None:
    seen = sighted(
        native_key="vm-1",
        components=[
            Component("eth0", "network_interface", "eth0", attributes={"ip_addresses": ["10.1.1.1/24", "127.0.0.1/8"]}),
            Component("app", "web_server", "app", attributes={"listens": ["tcp:[::]:443", "udp:0.0.0.0:53"]}),
        ],
        attributes={"ip_addresses": ["2001:db8::1/64", "fe80::1%eth0/64"]},
    )
    assert seen.thing.index == {
        ("native_key", "ssh|vm-1"), ("address", "lab|10.0.0.1"), ("address", "lab|10.1.1.1"),
        ("address", "lab|2001:db8::1"),
    }  # fmt: skip
    assert seen.components[1].index == {
        ("listens", f"{seen.thing.record}|tcp|443"), ("listens", f"{seen.thing.record}|udp|53")
    }  # fmt: skip


def test_addresses_are_read_in_one_spelling_however_they_are_told() -> None:
    part = Component("i", "network_interface", "eth0", attributes={"ip_addresses": ["FE80:0::1/64", "2001:DB8::0007"]})
    found = sighted(
        address="2001:DB8:0::7", attributes={"mac_addresses": ["001B.213C.9D00"]}, components=[part],
        relations=[Relation("depends_on", End(address="2001:0DB8::9"))],
    )  # fmt: skip
    assert found.thing.attributes["mac_addresses"] == ["00:1b:21:3c:9d:00"]
    assert found.components[0].attributes["ip_addresses"] == ["fe80::1/64", "2001:db8::7"]
    assert ("address", "lab|2001:db8::7") in found.thing.index
    assert found.thing.identifiers["@address"] == ("2001:db8::7",)
    assert [claim.far for claim in found.claims] == ["address:lab|2001:db8::9"]


def test_a_declared_thing_is_found_by_class_and_name() -> None:
    seen = sighted(class_="business_service", address=None, identifiers={}, attributes={"name": "Shop"})
    assert ("declared", "business_service|Shop") in seen.thing.index


def test_components_nest_below_one_told_before_them() -> None:
    seen = sighted(
        components=[
            Component("db", "database_instance", "pg", attributes={"name": "pg"}),
            Component("cat", "database_catalog", "shop", parent="db"),
        ]
    )
    assert [part.parent for part in seen.components] == [seen.thing.record, seen.components[0].record]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"class_": "teapot"}, "o.class"),
        ({"components": [Component("a", "teapot", "a")]}, "o.components[0].class"),
        ({"components": [Component("a", "disk", "a", parent="b"), Component("b", "disk", "b")]}, "o.components[0].parent"),
        ({"components": [Component("a", "disk", "a"), Component("a", "disk", "b")]}, "o.components[1]"),
        ({"components": [Component("a", "disk", "a"), Component("b", "disk", "a")]}, "o.components[1]"),
        ({"components": [Component("h", "disk", "a")]}, "o.components[0]"),
        ({"relations": [Relation("depends_on", End(address="x"), from_=End(address="y"))]}, "o.relations[0]"),
        ({"relations": [Relation("depends_on", End(ref="nobody"))]}, "o.relations[0]"),
        ({"relations": [Relation("depends_on", End(address="x"), from_=End(ref="nobody"))]}, "o.relations[0]"),
        ({"relations": [Relation("depends_on", End())]}, "o.relations[0]"),
        ({"relations": [Relation("depends_on", End(identifiers={"serial": ["None"]}))]}, "o.relations[0]"),
        ({"relations": [Relation("depends_on", End(class_="teapot", name="x"))]}, "o.relations[0]"),
        ({"relations": [Relation("depends_on", End(class_="teapot", key="x"))]}, "o.relations[0]"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_path(changes: dict[str, Any], path: str) -> None:
    assert refused(**changes) == path


FAR = {
    "ci:c1": End(ci="c1"),
    "native_key:ssh|vm-9": End(native_key="vm-9"),
    "address:lab|10.0.0.9": End(address="10.0.0.9", port=443),
    "serial:CZ3411AB0C": End(identifiers={"name": ["n"], "serial": ["cz3411ab0c "]}),
    "key:software_package|pkg:a": End(class_="software_package", key="pkg:a"),
    "declared:business_service|Shop": End(class_="business_service", name="Shop"),
}


@pytest.mark.parametrize("far", FAR)
def test_a_far_end_has_one_canonical_text(far: str) -> None:
    outward = sighted(relations=[Relation("depends_on", FAR[far])]).claims[0]
    inward = sighted(relations=[Relation("depends_on", End(ref=""), from_=FAR[far])]).claims[0]
    assert (outward.far, outward.value["way"]) == (far, "out")
    assert (inward.far, inward.value["way"]) == (far, "in")
    assert outward.key != inward.key


def test_what_is_told_of_an_end_stays_with_the_claim() -> None:
    end = End(address="10.0.0.9", port=443)
    value = sighted(relations=[Relation("depends_on", end, evidence="ss", group="pool")]).claims[0].value
    assert (value["port"], value["protocol"], value["evidence"], value["group"]) == (443, "tcp", "ss", "pool")


def test_one_end_at_two_ports_is_two_claims_and_the_same_twice_is_one() -> None:
    def claims(*ports: int) -> int:
        return len(sighted(relations=[Relation("depends_on", End(address="a", port=p)) for p in ports]).claims)

    assert (claims(80, 443), claims(80, 80)) == (2, 1)


@pytest.mark.parametrize(
    ("sections", "section", "complete"),
    [
        ({}, None, True),
        ({"scope": "complete"}, "interfaces", True),
        ({"scope": "partial"}, "interfaces", False),
        ({"scope": "partial", "interfaces": "complete"}, "interfaces", True),
        ({"scope": "complete", "interfaces": "truncated"}, "interfaces", False),
        ({"scope": "complete", "interfaces": "truncated"}, None, True),
        ({"interfaces": "unsupported"}, "interfaces", True),
        ({"scope": "unsupported"}, None, False),
        ({"a": "complete", "b": "undecodable"}, None, False),
        ({"a": "complete", "b": "unsupported"}, "c", True),
    ],
)
def test_when_absence_means_something(sections: dict[str, str], section: str | None, complete: bool) -> None:
    assert is_complete(sections, section) is complete


@given(st.dictionaries(st.binary(min_size=16, max_size=16), st.uuids().map(str), max_size=8))
def test_members_come_back(members: dict[bytes, str]) -> None:
    packed = pack([(record, mark) for mark, record in members.items()])
    assert len(packed) == 32 * len(members)
    assert unpack(packed) == members
    assert all(str(uuid.UUID(record)) == record for record in unpack(packed).values())


def test_digests_and_canonical_text() -> None:
    assert len(digest(b"x")) == 16
    assert digest(b"x") != digest(b"y")
    assert as_json({"b": 1, "a": [True, None, "ü"]}) == '{"a":[true,null,"ü"],"b":1}'


@pytest.mark.parametrize(
    ("attribute", "text"),
    [("asset_tag", "None"), ("asset_tag", "To Be Filled By O.E.M."), ("asset_tag", "No Asset Tag"), ("asset_tag", "Not Specified"), ("asset_tag", "  "), ("asset_tag", "Asset-1234567890"),
     ("manufacturer", "None"), ("manufacturer", "System manufacturer"), ("manufacturer", "No Enclosure"),
     ("model_number", "System Product Name"), ("hardware_version", "System Version"), ("hardware_version", "N/A"),
     ("bios_version", "Default string"), ("baseboard_product", "Not Specified")],
)  # fmt: skip
def test_what_a_maker_left_in_place_of_a_value_is_none(attribute: str, text: str) -> None:
    assert sighted(attributes={"name": "x", attribute: text}).thing.attributes == {"name": "x"}
    people = Origin("declared", EVERYWHERE, "x", "entry", "s")
    entered = sighted(people, attributes={attribute: text}).thing.attributes
    assert entered == {attribute: text}, "what people enter stands as they wrote it"


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("serial_number", "Not Specified"), ("machine_uuid", "03000200-0400-0500-0006-000700080009"),
     ("baseboard_serial", "........"), ("hardware_version", "1"), ("hardware_version", "00"), ("bios_version", "1.1"),
     ("model_number", "7"), ("asset_tag", "252031D1"), ("manufacturer", "QEMU"), ("name", "none"), ("os_name", "None")],
)  # fmt: skip
def test_what_only_looks_alike_is_a_value(attribute: str, value: str) -> None:
    assert sighted(attributes={attribute: value}).thing.attributes == {attribute: value}


def test_of_parts_and_of_what_nobody_makes() -> None:
    disk = Component("d", "disk", "sda", attributes={"firmware_version": "Not Specified", "model_number": "X1"})
    (part,) = sighted(components=[disk]).components
    assert part.attributes == {"model_number": "X1"}
    service = sighted(class_="business_service", attributes={"asset_tag": "None"}).thing.attributes
    assert service == {"asset_tag": "None"}


RECORDED = sorted((Path(__file__).parents[2] / "cases/probes/dmi").glob("*.json"))


@pytest.mark.parametrize("case", RECORDED, ids=lambda path: path.stem)
def test_of_recorded_firmware_no_placeholder_stays(case: Path) -> None:
    told = json.loads(case.read_text(encoding="utf-8"))
    (facts,) = getattr(dmi, told["variant"])(told["output"])
    kept = sighted(attributes=facts.attributes).thing.attributes
    words = {"not specified", "none", "no asset tag", "default string", "to be filled by o.e.m."}
    numbers = {"serial_number", "baseboard_serial", "machine_uuid"}
    told = {name: value for name, value in facts.attributes.items() if name in numbers or value.lower() not in words}
    assert kept == told
