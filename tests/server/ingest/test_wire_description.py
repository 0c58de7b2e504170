"""The description of reports in the API and the decoder that reads them are held equal: one accepts what the other
does. The description is derived from the decoder's types, so this holds the derivation."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_schemas.report import Component, End, Observation, Relation, Sample
from cmdb_server.api.reports import describe_wire
from cmdb_server.errors import Invalid, Malformed
from cmdb_server.ingest import decode
from tests.factories import START, report

FULL = Observation(
    "h", "server", "10.0.0.1", "k", {"serial": ["S1"]}, {"name": "h", "n": 1, "f": 1.5, "b": True, "l": ["x", 1], "o": {"value": 8}},
    {"name": "identity"},
    [Component("c", "disk", "sda", section="disks", identifiers={"serial": ["D1"]}, attributes={"size": 1})],
    [
        Relation("depends_on", End(address="10.0.0.2", port=80, protocol="tcp"), evidence="ss", confidence=0.5, group="g", weight=2),
        Relation("installs", End(class_="software_package", key="pkg:x", attributes={"name": "x"}), transient=True),
        Relation("connects_to", End(identifiers={"mac": ["x"]}), from_=End(ref="c"), section="lldp"),
    ],
)  # fmt: skip
GOOD: dict[str, Any] = json.loads(
    report("r", START, [FULL], coverage={"scope": "complete", "disks": "partial"},
           samples=[Sample("h", "used", 1.5, "By", "counter", "c", "2023-11-14T22:13:20Z")])
) | {"errors": [{"kind": "timeout", "message": "no answer", "section": "disks", "target": "10.0.0.9"}]}  # fmt: skip


def description() -> Any:
    spec = APISpec("t", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    describe_wire(spec)
    return spec.to_dict()["components"]


@pytest.fixture(scope="module")
def described() -> Any:
    schema = {"$ref": "#/components/schemas/Report", "components": description()}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=False)


def decoded(body: bytes) -> bool:
    try:
        told = decode.report(body)
        for index, raw in enumerate(decode.content(bytes(told.content), body).observations):
            decode.observation(bytes(raw), index, body)
    except (Invalid, Malformed):
        return False
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with another value at a path."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


def without(value: Any, path: tuple[Any, ...]) -> Any:
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = without(value[path[0]], path[1:])
    return copy


PLACES = places(GOOD)[1:]
# An integer beyond 64 bits is left out: to a description it is a number as any other, and only the decoder refuses it.
TEXTS = st.sampled_from(["", "x", "x" * 256, "x" * 257, "tcp", "complete", "gauge", "a\0b", "ü" * 32, "x" * 33])
SCALARS = st.none() | st.booleans() | TEXTS | st.sampled_from(
    [-1, 0, 1, 2, 65_535, 65_536, 100_000, 100_001, 1_000_000, 1_000_001, 2**63 - 1, -(2**63), 0.5, 1.5, 1e300]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS.filter(bool), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("name", ["observed_at", "sent_at"])
def test_a_time_is_no_empty_text(described: Any, name: str) -> None:
    told = changed(GOOD, (name,), "")
    assert not decoded(json.dumps(told).encode()) and not described.is_valid(told)


def test_the_whole_of_it_is_accepted_by_both(described: Any) -> None:
    assert decoded(json.dumps(GOOD).encode())
    assert described.is_valid(GOOD)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(PLACES), new=VALUES)
def test_any_value_anywhere_is_judged_alike(described: Any, path: tuple[Any, ...], new: Any) -> None:
    told = changed(GOOD, path, new)
    assert decoded(json.dumps(told).encode()) == described.is_valid(told)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_each_member_is_needed_by_both_or_by_neither(described: Any, path: tuple[Any, ...]) -> None:
    told = without(GOOD, path)
    assert decoded(json.dumps(told).encode()) == described.is_valid(told)


@pytest.mark.parametrize(
    "path", [p for p in PLACES if isinstance(p[-1], str)], ids=lambda path: ".".join(map(str, path))
)
def test_an_unknown_member_is_refused_by_both_or_by_neither(described: Any, path: tuple[Any, ...]) -> None:
    told = changed(GOOD, (*path[:-1],), {**_at(GOOD, path[:-1]), "surprise": "x"})
    assert decoded(json.dumps(told).encode()) == described.is_valid(told)


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value
