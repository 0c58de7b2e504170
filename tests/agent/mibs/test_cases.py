"""Each MIB on its cases: rows as an agent gives them (``OID|tag|value``), and the facts that must come of them.

A case with ``prose`` tells what trap it holds. ``facts`` are JSON of the facts in their order.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cmdb_agent.mibs import mibs
from cmdb_agent.observation import Component, Relation
from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from tests.snmprec import Recording, rows_of

CASES = Path(__file__).parents[2] / "cases/mibs"
BY_NAME = {mib.name: mib for mib in mibs()}


def cases() -> list[Path]:
    return sorted(CASES.glob("*/*.json"))


def facts(case: Path) -> list[Any]:
    recording = Recording(rows_of(json.loads(case.read_text(encoding="utf-8"))["rows"]))
    walks = {root: recording.walk(root) for root in ((1, 3, 6, 1), (1, 0, 8802), (1, 3, 111))}
    return list(BY_NAME[case.parent.name].parse(walks))


def as_json(fact: Any) -> Any:
    return {type(fact).__name__: json.loads(msgspec.json.encode(fact))}


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_case(case: Path) -> None:
    assert [as_json(fact) for fact in facts(case)] == json.loads(case.read_text(encoding="utf-8"))["facts"]


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_classes_attributes_and_relations_are_declared(case: Path) -> None:
    for fact in facts(case):
        if isinstance(fact, Component):
            assert [name for name in fact.attributes if classes()[fact.class_].attribute(name) is None] == []
        if isinstance(fact, Relation):
            assert fact.type in relation_types()


@pytest.mark.parametrize("mib", mibs(), ids=lambda mib: mib.name)
def test_a_device_without_the_mib_gives_no_relations_and_no_components(mib: Any) -> None:
    assert [fact for fact in mib.parse({}) if isinstance(fact, Component | Relation)] == []
