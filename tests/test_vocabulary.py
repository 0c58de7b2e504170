"""Agents and classes speak the same words: every attribute and relation that a scan tells is declared, and fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cmdb_agent.scan import Reach, scan_one
from cmdb_agent.settings import SnmpAccess, load
from cmdb_agent.targets import Target
from cmdb_schemas.ci_class import check_value, classes
from cmdb_schemas.relations import relation_types
from cmdb_schemas.report import Content, Report
from demo.recording import FOLDER, RecordedDevice, estate
from tests.snmprec import read

SHARED = Path(__file__).parents[1] / "../shared/snmp/devices"
SETTINGS = load(environ={})


def content(report: Report) -> Content:
    return msgspec.json.decode(report.content, type=Content)


def told(content: Content) -> Iterator[tuple[str, dict[str, Any]]]:
    """(class, attributes) of everything that a content speaks of."""
    for thing in content.observations:
        yield thing.class_, thing.attributes
        for component in thing.components:
            yield component.class_, component.attributes
        for relation in thing.relations:
            for end in (relation.to, relation.from_):
                if end.class_ is not None:
                    yield end.class_, end.attributes


def strange(content: Content) -> list[str]:
    """What is not declared or does not fit, in words."""
    found = [
        f"{class_}.{name}: {(attribute and check_value(attribute, value)) or 'undeclared'}"
        for class_, attributes in told(content)
        for name, value in attributes.items()
        if (attribute := classes()[class_].attribute(name)) is None or check_value(attribute, value)
    ]
    types = {relation.type for thing in content.observations for relation in thing.relations}
    return found + sorted(types - set(relation_types()))


@pytest.mark.parametrize("target", estate()[0], ids=lambda target: target.name)
def test_recorded_estate(target: Target) -> None:
    seen = content(scan_one(target, SETTINGS, estate()[1]))
    assert seen.observations and strange(seen) == []


def test_this_machine() -> None:
    seen = content(scan_one(Target("local"), SETTINGS))
    assert seen.observations and strange(seen) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="no recordings of devices in ../shared/snmp/devices")
def test_devices_of_many_makers() -> None:
    access = SnmpAccess(community=f"file:{FOLDER / 'community'}")
    for path in sorted(SHARED.rglob("*.snmprec")):
        device = RecordedDevice(read(path))
        report = scan_one(Target("snmp", "192.0.2.1", 161, snmp=access), SETTINGS, Reach(snmp=lambda *_: device))  # noqa: B023
        assert (path.name, strange(content(report))) == (path.name, [])
