"""Every probe against its cases: ``tests/cases/probes/<module>/<case>.json`` holds what a command printed and the facts
that follow from it.

``origin`` tells where the output was recorded, or is ``made`` with the format's documentation named; ``variant`` is the
name of the parsing function. A fact is written with its kind and whatever differs from the default.
"""

from __future__ import annotations

import dataclasses
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cmdb_agent.observation import Fact
from cmdb_agent.probe import Probe
from cmdb_agent.probes import probes

CASES = sorted((Path(__file__).parents[2] / "cases/probes").glob("*/*.json"))


def plain(fact: Fact) -> dict[str, Any]:
    """A fact as JSON: its kind and what differs from the default."""
    if isinstance(fact, msgspec.Struct):
        return {"fact": type(fact).__name__, **json.loads(msgspec.json.encode(fact))}
    values = {field.name: getattr(fact, field.name) for field in dataclasses.fields(fact)}
    told = {name: value for name, value in values.items() if value not in (None, "", (), {}, -1)}
    return {"fact": type(fact).__name__, **json.loads(json.dumps(told))}


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    probe: Probe = import_module(f"cmdb_agent.probes.{path.parent.name}").PROBE
    parse = {variant.parse.__name__: variant.parse for variant in probe.variants}[case["variant"]]
    assert case["origin"]
    assert [plain(fact) for fact in parse(case["output"])] == case["expect"]


@pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.name)
def test_a_probe_survives_any_text(probe: Probe) -> None:
    """What a host prints may be cut off anywhere; JSON formats may refuse it, but nothing hangs or yields junk types."""
    for variant in probe.variants:
        for text in ("", "\n", "garbage", "1 2 3 4 5 6 7 8 9 10 11 12", ": : :\n\t|||\n@\n@x\n=\n", "\x00\ufffd" * 50):
            try:
                facts = list(variant.parse(text))
            except (ValueError, IndexError, KeyError, AttributeError, TypeError):
                continue
            assert all(dataclasses.is_dataclass(fact) or isinstance(fact, msgspec.Struct) for fact in facts)


def test_names_are_unique_and_every_variant_can_be_told_apart() -> None:
    found = probes()
    assert len({probe.name for probe in found}) == len(found) >= 15
    assert all(probe.variants for probe in found)


def test_only_exact_commands_ask_for_root() -> None:
    """Bare ``ss``, ``dmidecode`` or ``lsof`` would let a user write files as root."""
    for probe in probes():
        for variant in probe.variants:
            if variant.sudo:
                words = variant.command.split()
                assert words[0].startswith("/")
                assert len(words) > 1
                assert not set("|&;<>()$`\\\"'*?[#~=%!{}\n") & set(variant.command)
