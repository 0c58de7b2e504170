"""Relation types: what stands in which relation to what, and which way failure flows. Told by ``relations.toml``;
users add their own types in further files of the same format."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from cmdb_schemas.errors import DefinitionError
from cmdb_schemas.gate import gate_problem

if TYPE_CHECKING:  # classes have attributes, and an attribute may be gates by relation type
    from cmdb_schemas.ci_class import CIClass

Impact = Literal["from_to", "to_from", "both", "none"]
GateKind = Literal["all", "at_least", "weighted", "degrade_only", "path"]
Network = Literal["crosses", "places"]

SHIPPED = Path(__file__).parent / "relations.toml"


@dataclass(frozen=True, slots=True)
class Gate:
    """When a consumer is down for want of providers.

    ``need``: how many (``at_least``, written ``k``) or how much weight (``weighted``, written ``t``) must serve;
    ``percent``: the same in per cent of all; ``inclusive``: exactly that many are too few; ``want``: fewer are degraded.
    """

    kind: GateKind
    need: int | None = None
    percent: int | None = None
    inclusive: bool = False
    want: int | None = None


@dataclass(frozen=True, slots=True)
class RelationType:
    """``from`` --name--> ``to``. ``impact`` says who is hit when whom fails: ``to_from``: ``to``'s failure hits
    ``from``. ``gate`` is None exactly when impact is ``none``; ``grouped`` is the gate over providers that stand in one
    named redundancy group, None where that changes nothing. ``from_classes`` and ``to_classes`` allow a class and its
    descendants. ``network``: ``crosses`` when the consumer reaches its provider over the network, ``places`` when the
    consumer stands in the network where its provider does."""

    name: str
    title: str
    reverse: str
    impact: Impact
    gate: Gate | None
    grouped: Gate | None
    from_classes: tuple[str, ...]
    to_classes: tuple[str, ...]
    network: Network | None = None

    @property
    def symmetric(self) -> bool:
        """Whether it is the same told from either end, as a link is: ``from`` is then the end whose id comes first."""
        return self.impact == "both"

    def refuses(self, from_class: CIClass, to_class: CIClass) -> str | None:
        """Why these classes cannot stand in this relation, in words; None when they can."""
        for end, ci_class, allowed in (("from", from_class, self.from_classes), ("to", to_class, self.to_classes)):
            if not any(ci_class.is_a(name) for name in allowed):
                return f"{self.name}: {end} must be {' or '.join(allowed)}, not {ci_class.name}"
        return None


@cache
def relation_types(*files: Path) -> Mapping[str, RelationType]:
    """All relation types by name: the shipped ones and those of the users' ``files``. Raises ``DefinitionError``."""
    types: dict[str, RelationType] = {}
    for path in (SHIPPED, *files):
        for name, body in _read(path).items():
            if name in types:
                raise DefinitionError(f"{path}: {name}: is already defined")
            types[name] = _relation_type(path, name, body)
    return MappingProxyType(types)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: {error}") from error


_KEYS = frozenset({"title", "reverse", "impact", "gate", "grouped", "from", "to", "network"})


def _relation_type(path: Path, name: str, body: Any) -> RelationType:
    if not isinstance(body, dict):
        raise DefinitionError(f"{path}: {name}: must be a table")
    for key in body:
        if key not in _KEYS:
            raise DefinitionError(f"{path}: {name}.{key}: unknown key; known are {', '.join(sorted(_KEYS))}")
    impact: Any = body.get("impact")
    if impact not in get_args(Impact):
        raise DefinitionError(f"{path}: {name}.impact: must be one of {', '.join(get_args(Impact))}")
    if ("gate" in body) != (impact != "none") or ("grouped" in body and "gate" not in body):
        raise DefinitionError(f"{path}: {name}.gate: a type has one, unless its impact is none")
    network: Any = body.get("network")
    if network is not None and (network not in get_args(Network) or impact == "none"):
        raise DefinitionError(f"{path}: {name}.network: must be one of {', '.join(get_args(Network))}, of an impact")
    reverse = body.get("reverse")
    if not isinstance(reverse, str) or not reverse:
        raise DefinitionError(f"{path}: {name}.reverse: must be a text")
    if impact == "both" and body.get("from") != body.get("to"):
        raise DefinitionError(f"{path}: {name}.to: must be as from, since its impact goes both ways")
    return RelationType(
        name=name,
        title=body.get("title", name.replace("_", " ")),
        reverse=reverse,
        impact=impact,
        gate=_gate(path, f"{name}.gate", body.get("gate")),
        grouped=_gate(path, f"{name}.grouped", body.get("grouped")),
        from_classes=tuple(body.get("from", ("ci",))),
        to_classes=tuple(body.get("to", ("ci",))),
        network=network,
    )


def _gate(path: Path, where: str, body: Any) -> Gate | None:
    if body is None:
        return None
    if problem := gate_problem(body):
        raise DefinitionError(f"{path}: {where}: {problem}")
    return Gate(
        body["kind"], body.get("k", body.get("t")), body.get("percent"), body.get("inclusive", False), body.get("want")
    )
