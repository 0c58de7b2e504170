"""Each profile on its case: the rows of a device as its makers document them, and what it must be taken for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cmdb_agent.device import device_observation, read_device
from cmdb_agent.profile import FACTS, profiles
from cmdb_schemas.ci_class import classes
from tests.snmprec import Recording, rows_of

CASES = Path(__file__).parents[2] / "cases/profiles"
ABSTRACT = {profile.name for profile in profiles() if not profile.sysobjectid}


def cases() -> list[Path]:
    return sorted(CASES.glob("*.json"))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.stem)
def test_case(case: Path) -> None:
    told: dict[str, Any] = json.loads(case.read_text(encoding="utf-8"))
    reading = read_device(Recording(rows_of(told["rows"])))
    observation, _, _ = device_observation(reading.walks, reading.facts, "192.0.2.1")
    found = {name: observation.attributes[name] for name in FACTS if name in observation.attributes}
    assert {"profile": reading.profile, "class": observation.class_, **found} == told["expected"]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.stem)
def test_the_case_is_of_its_profile(case: Path) -> None:
    """Those without a sysObjectID are only extended: what looks like them is told by the most general profile."""
    profile = json.loads(case.read_text(encoding="utf-8"))["expected"]["profile"]
    assert profile == ("generic" if case.stem in ABSTRACT else case.stem)


@pytest.mark.parametrize("profile", tuple(profiles()), ids=lambda profile: profile.name)
def test_every_class_a_profile_gives_is_declared(profile: Any) -> None:
    given = profile.facts.get("class", "")
    names = [given] if isinstance(given, str) else [source.template for source in given]
    assert [name for name in names if name and name not in classes()] == []
