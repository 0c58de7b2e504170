"""What is wrong with a report is told by the names that it has there."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from cmdb_schemas.report import Observation
from cmdb_server.ingest.faults import fault_of

DECODER = msgspec.json.Decoder(Observation)
SCALAR = "must be true or false, a whole number, a number, a text or null"


def refused(raw: bytes) -> tuple[str, str]:
    with pytest.raises(msgspec.ValidationError) as told:
        DECODER.decode(raw)
    return fault_of(told.value, raw, DECODER.decode)


@pytest.mark.parametrize(
    ("told", "path", "what"),
    [
        ({"attributes": {"x": 1, "gate": {"depends_on": {"kind": ["all"]}}, "y": 2}},
         ".attributes.gate.depends_on.kind", f"{SCALAR}, not a list"),
        ({"attributes": {"a": [1, {}], "b": [[]]}}, ".attributes.a[1]", "must be a whole number, a number or a text, not an object"),
        ({"attributes": {"x": 1, "a": 2**70}}, ".attributes.a", f"must be a whole number <= {2**63 - 1}"),
        ({"identifiers": {"serial": ["a"], "mac": ["b", 5]}}, ".identifiers.mac[1]", "must be a text, not a whole number"),
        ({"components": [{"ref": "a", "class": "disk", "local_key": "a", "attributes": {"q": [[]]}}]},
         ".components[0].attributes.q[0]", "must be a whole number, a number or a text, not a list"),
        ({"relations": "all"}, ".relations", "must be a list, not a text"),
        ({"colour": "red"}, "", "Object contains unknown field `colour`"),
    ],
)  # fmt: skip
def test_the_place_is_named_and_what_was_to_stand_there(told: dict[str, Any], path: str, what: str) -> None:
    assert refused(json.dumps({"class": "server", **told}).encode()) == (path, what)


@pytest.mark.parametrize("behind", [b'},"attributes":{', b',"b":' + b"[" * 5_000 + b"]" * 5_000])
def test_what_cannot_be_named_is_refused_all_the_same(behind: bytes) -> None:
    path, what = refused(b'{"class":"server","attributes":{"a":[[]]' + behind + b"}}")
    assert path == ".attributes[...][0]" and what.startswith("must be")


def test_one_of_very_many_is_found_by_halves() -> None:
    decoded = []

    def decode(raw: bytes) -> Observation:
        decoded.append(raw)
        return DECODER.decode(raw)

    raw = json.dumps(
        {"class": "server", "attributes": {**dict.fromkeys(map(str, range(5_000)), 1), "it": [[]]}}
    ).encode()
    with pytest.raises(msgspec.ValidationError) as told:
        DECODER.decode(raw)
    assert fault_of(told.value, raw, decode)[0] == ".attributes.it[0]"
    assert len(decoded) <= 14
