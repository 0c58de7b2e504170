"""Values: what fits each attribute type, and that no value whatever makes the check fail in another way."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_schemas.attribute import Attribute, AttributeType, canonical, check_value, declared, is_spelt
from cmdb_schemas.errors import DefinitionError
from cmdb_schemas.report import Value

TYPES: dict[AttributeType, Attribute] = {
    "string": Attribute("a", "string", "A"),
    "integer": Attribute("a", "integer", "A"),
    "number": Attribute("a", "number", "A"),
    "boolean": Attribute("a", "boolean", "A"),
    "date": Attribute("a", "date", "A"),
    "duration": Attribute("a", "duration", "A"),
    "quantity": Attribute("a", "quantity", "A", unit="By"),
    "money": Attribute("a", "money", "A"),
    "uri": Attribute("a", "uri", "A"),
    "ip_address": Attribute("a", "ip_address", "A"),
    "mac_address": Attribute("a", "mac_address", "A"),
    "reference": Attribute("a", "reference", "A", target="person"),
    "gate": Attribute("a", "gate", "A"),
}

FITS: list[tuple[AttributeType, object]] = [
    ("string", "x"), ("integer", -3), ("integer", 2**63), ("number", 3), ("number", 0.5), ("boolean", False),
    ("date", "2026-02-28"), ("date", "2026-02-28T23:59:59Z"), ("date", "2026-02-28T23:59:59.5+02:00"),
    ("duration", "P1W"), ("duration", "P1DT2H3M4S"), ("duration", "PT0S"),
    ("quantity", {"value": 8, "unit": "GiB"}), ("quantity", {"value": 0.5, "unit": "By"}),
    ("money", {"amount": -1999, "currency": "CHF"}), ("uri", "urn:isbn:0451450523"), ("uri", "https://a/?q=%20"),
    ("ip_address", "10.0.0.7"), ("ip_address", "FE80::1%eth0/64"), ("mac_address", "001B.213C.9D00"),
    ("gate", {"kind": "at_least", "k": 2}), ("gate", {"depends_on": {"kind": "all"}}),
    ("reference", "6f0e4c1b-d7a5-5527-8b0f-3a6c1e2937d5"),
]  # fmt: skip
FITS_NOT: list[tuple[AttributeType, object]] = [
    ("string", 1), ("integer", True), ("integer", 1.0), ("integer", "1"), ("number", True),
    ("number", float("nan")), ("number", float("inf")), ("boolean", 1), ("boolean", "true"),
    ("date", "2026-02-30"), ("date", "2026-02-28T23:59:59"), ("date", "28.02.2026"), ("date", 20260228),
    ("duration", "P"), ("duration", "PT"), ("duration", "P1M"), ("duration", "P1Y"), ("duration", "1D"), ("duration", 60),
    ("quantity", 8), ("quantity", {"value": 8}), ("quantity", {"value": 8, "unit": "s"}),
    ("quantity", {"value": True, "unit": "By"}), ("quantity", {"value": 8, "unit": "By", "x": 1}),
    ("quantity", {"value": 8, "unit": ["By"]}),
    ("money", {"amount": 19.99, "currency": "EUR"}), ("money", {"amount": 1, "currency": "eur"}), ("money", 19),
    ("ip_address", "not-an-ip"), ("ip_address", 7), ("ip_address", "10.0.0.7:80"), ("mac_address", "eth0"), ("mac_address", 7),
    ("uri", "no scheme"), ("uri", "1a:b"), ("uri", "http:"), ("reference", 5), ("reference", {"id": 5}),
    ("gate", 2), ("gate", {"kind": "some"}), ("gate", {"kind": "path"}), ("gate", {"depends_upon": {"kind": "all"}}),
    ("gate", {"located_in/x": {"kind": "all"}, "x": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), FITS)
def test_fits(kind: AttributeType, value: object) -> None:
    assert check_value(TYPES[kind], value) is None


@pytest.mark.parametrize(("kind", "value"), [one for one in FITS if one[1] != 2**63])
def test_what_fits_can_be_reported(kind: AttributeType, value: object) -> None:
    assert msgspec.convert(value, Value) == value


def test_a_gate_over_what_there_is_not_is_told_with_what_comes_near() -> None:
    told = check_value(TYPES["gate"], {"depends_upon": {"kind": "all"}})
    assert told == "depends_upon: failure follows no relation type of that name; did you mean depends_on?"
    assert check_value(TYPES["gate"], {"depends_on/pool": {"kind": "all"}}) is None


@pytest.mark.parametrize(("kind", "value"), FITS_NOT)
def test_does_not_fit(kind: AttributeType, value: object) -> None:
    assert check_value(TYPES[kind], value)


@pytest.mark.parametrize("attribute", TYPES.values(), ids=TYPES)
@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_nothing_told_fits_everything(attribute: Attribute, nothing: object) -> None:
    assert check_value(attribute, nothing) is None


@pytest.mark.parametrize(
    ("kind", "many", "told", "written"),
    [
        ("ip_address", False, "2001:DB8::0007", "2001:db8::7"), ("ip_address", False, "nowhere", "nowhere"),
        ("ip_address", True, ["::FFFF:10.0.0.7", "::ffff:a00:7", "10.0.0.7"], ["::ffff:10.0.0.7", "10.0.0.7"]),
        ("mac_address", False, "00-1B-21-3C-9D-00", "00:1b:21:3c:9d:00"), ("mac_address", True, [7, "x"], [7, "x"]),
        ("string", False, " A ", " A "), ("ip_address", False, None, None),
    ],
)  # fmt: skip
def test_a_value_that_can_be_written_in_several_ways_is_written_in_one(
    kind: AttributeType, many: bool, told: object, written: object
) -> None:
    attribute = Attribute("a", kind, "A", many=many)
    assert canonical(attribute, told) == written
    assert is_spelt(attribute) == (kind != "string")


def test_what_is_no_address_is_told_with_what_it_is() -> None:
    assert check_value(TYPES["ip_address"], "not-an-ip") == (
        "must be an IP address such as 10.0.0.7 or 2001:db8::7, not 'not-an-ip'"
    )
    long = check_value(TYPES["mac_address"], "x" * 5000)
    assert long is not None and len(long) < 130


def test_a_list_names_the_item() -> None:
    ports = Attribute("ports", "integer", "Ports", many=True)
    assert check_value(ports, [80, 443]) is None
    assert check_value(ports, 80) == "must be a list"
    assert check_value(ports, [80, "443"]) == "[1] must be an integer"


def test_choices() -> None:
    duplex = Attribute("duplex", "string", "Duplex", choices=("full", "half"))
    assert check_value(duplex, "full") is None
    assert check_value(duplex, "FULL") == "must be one of full, half"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "unit", "amount"]), inner),
)


@given(st.sampled_from(list(TYPES.values())), st.booleans(), anything)
def test_any_value_is_answered(attribute: Attribute, many: bool, value: object) -> None:
    told = Attribute("a", attribute.type, "A", attribute.unit, attribute.target, many)
    assert isinstance(check_value(told, value), str | None)


@pytest.mark.parametrize(
    ("told", "key"),
    [
        (5, ""),
        ({"type": "string"}, "title"),
        ({"type": "string", "title": ""}, "title"),
        ({"title": "A"}, "type"),
        ({"type": "string", "title": "A", "size": 5}, "size"),
        ({"type": "quantity", "title": "A"}, "unit"),
        ({"type": "string", "title": "A", "unit": "bit"}, "unit"),
        ({"type": "reference", "title": "A"}, "target"),
        ({"type": "string", "title": "A", "many": "yes"}, "many"),
        ({"type": "string", "title": "A", "choices": [5]}, "choices"),
        ({"type": "string", "title": "A", "choices": "abc"}, "choices"),
    ],
)
def test_a_definition_that_is_wrong_names_the_option(told: object, key: str) -> None:
    with pytest.raises(DefinitionError, match=f"^<{key}>"):
        declared("a", told, lambda option, problem: DefinitionError(f"<{option}> {problem}"))


def test_a_definition_is_told_in_full() -> None:
    told = {"type": "quantity", "title": "A", "unit": "bit/s", "many": True}
    assert declared("a", told, DefinitionError) == Attribute("a", "quantity", "A", unit="bit/s", many=True)
