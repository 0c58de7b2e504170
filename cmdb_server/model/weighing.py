"""The weights of evidence, read from ``weights/<family>.toml`` over ``weights/default.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

Group = Literal["hardware", "installation", "trait"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of identifier. ``measure``: ``any`` shared value is agreement, or the ``overlap`` of the sets scales
    it. ``local``: the share of the weight that locally administered MACs carry. ``several``: added when one set holds
    the other and they share two or more burnt-in MACs. ``qualifier``: a kind that must not differ, or agreement says
    nothing."""

    name: str
    group: Group
    agree: float
    differ: float
    measure: Literal["any", "overlap"] = "any"
    local: float = 1.0
    several: float = 0.0
    qualifier: str = ""


NAMING = ("name", "fqdn", "label")
"""The kinds of identifiers that are names, weighed as one."""


@dataclass(frozen=True, slots=True)
class Family:
    """What counts between two records of one class family."""

    kinds: tuple[Kind, ...]
    name_agree: float
    name_differ: float
    place: float
    native_key: float
    most: float
    least: float
    join: float
    review: float
    apart: float


@dataclass(frozen=True, slots=True)
class Weights:
    """All families. ``strong``: the kinds that join records into components and prove an address; ``known``: all that
    say anything about who is who, names included."""

    default: Family
    families: Mapping[str, Family]
    void: int
    hardware: frozenset[str]
    installation: frozenset[str]
    strong: frozenset[str] = field(init=False)
    known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "strong", self.hardware | self.installation)
        object.__setattr__(self, "known", self.strong.union(NAMING))

    def between(self, family: str, other: str) -> Family:
        """The weights between two records' families: their own if they share it."""
        return self.families.get(family, self.default) if family == other else self.default


def _family(table: Mapping[str, Any]) -> Family:
    cap = table["groups"]["installation"]
    return Family(
        kinds=tuple(Kind(name=name, **kind) for name, kind in sorted(table["kinds"].items())),
        name_agree=table["name"]["agree"], name_differ=table["name"]["differ"], place=table["place"]["agree"],
        native_key=table["native_key"]["agree"], most=cap["most"], least=cap["least"],
        join=table["join"], review=table["review"], apart=table["apart"],
    )  # fmt: skip


def _over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        merged[key] = _over(merged.get(key, {}), value) if isinstance(value, dict) else value
    return merged


def weights_of(tables: Mapping[str, Mapping[str, Any]]) -> Weights:
    """Weights from TOML tables by family name; ``default`` is required and is what the others refine."""
    base = tables["default"]
    full = {name: _over(base, table) for name, table in tables.items()}
    group = {name: kind["group"] for table in full.values() for name, kind in table["kinds"].items()}
    return Weights(
        default=_family(base), families={name: _family(table) for name, table in full.items()}, void=base["void"],
        hardware=frozenset(k for k, g in group.items() if g == "hardware"),
        installation=frozenset(k for k, g in group.items() if g == "installation"),
    )  # fmt: skip


@lru_cache(maxsize=1)
def shipped() -> Weights:
    """The weights that come with the product."""
    folder = resources.files("cmdb_server.model") / "weights"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".toml")]
    return weights_of({f.name.removesuffix(".toml"): tomllib.loads(f.read_text(encoding="utf-8")) for f in files})
