"""CI classes: what kinds of configuration item there are, told by one TOML file each.

The files of ``classes/`` are found by listing the folder; a user's own classes come from further folders and have the
same format. A file is named after its class and holds::

    title = "Network interface"
    parent = "ci"                       # every class but ``ci`` has one
    identity = "component"              # evidence | key | component | declared; inherited
    key = "purl"                        # identity = "key" only: the attribute that holds the key
    family = "network_device"           # which weights of evidence apply; inherited
    named = false                       # identity = "declared" only: others of the class may have its name; inherited
    containment = { relation = "contains", component = "to" }
    life = { ageing = "P2D", missing = "P7D", retired = "P90D" }
    gates = { powered_by = { kind = "at_least", k = 2 } }     # of its members where the relation type's do not fit

    [attributes]
    speed = { type = "quantity", unit = "bit/s", title = "Speed" }
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from cmdb_schemas.attribute import Attribute, check_value, declared
from cmdb_schemas.errors import DefinitionError
from cmdb_schemas.gate import gates_problem
from cmdb_schemas.units import duration_ms

__all__ = ["Attribute", "CIClass", "Containment", "Life", "check_value", "classes"]

Identity = Literal["evidence", "key", "component", "declared"]
End = Literal["from", "to"]

SHIPPED = Path(__file__).parent / "classes"
ROOT = "ci"


@dataclass(frozen=True, slots=True)
class Life:
    """Milliseconds since the last sighting after which a CI is ageing, missing and retired."""

    ageing_ms: int
    missing_ms: int
    retired_ms: int


@dataclass(frozen=True, slots=True)
class Containment:
    """The relation between a component and its parent, and which end of it the component is."""

    relation: str
    component: End


@dataclass(frozen=True, slots=True, eq=False)
class CIClass:
    """One class. ``ancestors`` are nearest first and do not hold the class itself; ``attributes`` hold the inherited
    ones too. ``life`` is None for what never ages. ``gates``: by relation type, what this class alone sets (its
    ancestors' count where it says nothing). ``named``: its name tells it from all others of the class."""

    name: str
    title: str
    parent: str | None
    ancestors: tuple[str, ...]
    identity: Identity
    family: str
    attributes: Mapping[str, Attribute]
    key: str | None = None
    containment: Containment | None = None
    life: Life | None = None
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    named: bool = False

    @property
    def discovered(self) -> bool:
        """False for what only people tell of: it needs no identifier and never ages."""
        return self.identity != "declared"

    def attribute(self, name: str) -> Attribute | None:
        """The attribute, or None when the class does not declare it."""
        return self.attributes.get(name)

    def is_a(self, name: str) -> bool:
        """Whether this is the class ``name`` or a descendant of it."""
        return name == self.name or name in self.ancestors


@cache
def classes(*folders: Path) -> Mapping[str, CIClass]:
    """All classes by name: the shipped ones and those of the users' ``folders``. Raises ``DefinitionError``."""
    return MappingProxyType(dict(_resolve(_read_all((SHIPPED, *folders)))))


@dataclass(frozen=True, slots=True)
class _Definition:
    """One file's content, before its parent is known."""

    path: Path
    body: dict[str, Any]

    def refuse(self, key: str, problem: str) -> DefinitionError:
        return DefinitionError(f"{self.path}: {key}: {problem}")


_KEYS = frozenset(
    {"title", "parent", "identity", "key", "family", "named", "containment", "life", "gates", "attributes"}
)


def _read_all(folders: tuple[Path, ...]) -> dict[str, _Definition]:
    definitions: dict[str, _Definition] = {}
    for folder in folders:
        if not folder.is_dir():
            raise DefinitionError(f"{folder}: no such folder of classes")
        for path in sorted(folder.glob("*.toml")):
            if path.stem in definitions:
                raise DefinitionError(f"{path}: class {path.stem} is already defined in {definitions[path.stem].path}")
            definitions[path.stem] = _Definition(path, _read(path))
    return definitions


def _read(path: Path) -> dict[str, Any]:
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: {error}") from error
    for key in body:
        if key not in _KEYS:
            raise DefinitionError(f"{path}: {key}: unknown key; known are {', '.join(sorted(_KEYS))}")
    return body


def _resolve(definitions: dict[str, _Definition]) -> Iterator[tuple[str, CIClass]]:
    """Parents first, whatever the order of the files."""
    done: dict[str, CIClass] = {}

    def resolve(name: str, children: tuple[str, ...]) -> CIClass:
        if name in done:
            return done[name]
        definition = definitions[name]
        parent = None
        if name != ROOT:
            parent_name = definition.body.get("parent")
            if parent_name not in definitions:
                raise definition.refuse("parent", f"there is no class {parent_name!r}")
            if parent_name in (*children, name):
                raise definition.refuse("parent", f"{parent_name} descends from {name}")
            parent = resolve(parent_name, (*children, name))
        done[name] = _class(name, definition, parent)
        return done[name]

    for name, definition in definitions.items():
        resolve(name, ())
        _check_targets(definition, done[name], definitions)
    yield from done.items()


def _class(name: str, definition: _Definition, parent: CIClass | None) -> CIClass:
    body = definition.body
    identity = _identity(definition, parent)
    return CIClass(
        name=name,
        title=_text(definition, "title", body.get("title")),
        parent=parent.name if parent else None,
        ancestors=(parent.name, *parent.ancestors) if parent else (),
        identity=identity,
        family=_text(definition, "family", body.get("family", parent.family if parent else None)),
        attributes=MappingProxyType({**(parent.attributes if parent else {}), **_attributes(definition)}),
        key=_key(definition, identity, parent),
        containment=_containment(definition, identity, parent),
        life=_life(definition, parent) if identity != "declared" else None,
        gates=_gates(definition),
        named=_named(definition, identity, parent),
    )


def _named(definition: _Definition, identity: Identity, parent: CIClass | None) -> bool:
    if identity != "declared":
        if "named" in definition.body:
            raise definition.refuse("named", 'only a class with identity = "declared" has it')
        return False
    named = definition.body.get("named", parent.named if parent and parent.identity == identity else True)
    if not isinstance(named, bool):
        raise definition.refuse("named", "must be true or false")
    return named


def _identity(definition: _Definition, parent: CIClass | None) -> Identity:
    value: Any = definition.body.get("identity", parent.identity if parent else None)
    if value not in get_args(Identity):
        raise definition.refuse("identity", f"must be one of {', '.join(get_args(Identity))}")
    identity: Identity = value
    return identity


def _key(definition: _Definition, identity: Identity, parent: CIClass | None) -> str | None:
    if identity != "key":
        if "key" in definition.body:
            raise definition.refuse("key", 'only a class with identity = "key" has one')
        return None
    key = definition.body.get("key", parent.key if parent else None)
    inherited: Mapping[str, Attribute] = parent.attributes if parent else {}
    if key not in definition.body.get("attributes", {}) and key not in inherited:
        raise definition.refuse("key", "must name an attribute of the class")
    return str(key)


def _containment(definition: _Definition, identity: Identity, parent: CIClass | None) -> Containment | None:
    if identity != "component":
        if "containment" in definition.body:
            raise definition.refuse("containment", 'only a class with identity = "component" has one')
        return None
    told = definition.body.get("containment")
    if told is None:
        if parent is None or parent.containment is None:
            raise definition.refuse("containment", "a component's class must tell its relation to the parent")
        return parent.containment
    if not isinstance(told, dict) or set(told) != {"relation", "component"} or told["component"] not in get_args(End):
        raise definition.refuse("containment", 'must be { relation = "...", component = "from" or "to" }')
    return Containment(_text(definition, "containment.relation", told["relation"]), told["component"])


def _life(definition: _Definition, parent: CIClass | None) -> Life | None:
    told = definition.body.get("life")
    if told is None:
        if parent is None or parent.life is None:
            raise definition.refuse("life", "must be given: neither the class nor its parent tells when it ages")
        return parent.life
    if not isinstance(told, dict) or set(told) != {"ageing", "missing", "retired"}:
        raise definition.refuse("life", "must have ageing, missing and retired")
    times = [duration_ms(told[key]) for key in ("ageing", "missing", "retired")]
    for key, time in zip(told, times, strict=True):
        if time is None:
            raise definition.refuse(f"life.{key}", "must be an ISO 8601 duration such as P2D or PT12H")
    ageing, missing, retired = (time or 0 for time in times)
    if not 0 < ageing < missing < retired:
        raise definition.refuse("life", "ageing, missing and retired must follow one another")
    return Life(ageing, missing, retired)


def _gates(definition: _Definition) -> Mapping[str, Mapping[str, Any]]:
    told: Any = definition.body.get("gates", {})
    if problem := "must be by relation type" if "kind" in told else gates_problem(told):
        raise definition.refuse("gates", problem)
    return MappingProxyType(dict(told))


def _attributes(definition: _Definition) -> dict[str, Attribute]:
    told = definition.body.get("attributes", {})
    if not isinstance(told, dict):
        raise definition.refuse("attributes", "must be a table")
    return {name: _attribute(definition, name, body) for name, body in told.items()}


def _attribute(definition: _Definition, name: str, told: Any) -> Attribute:
    where = f"attributes.{name}"
    return declared(name, told, lambda key, problem: definition.refuse(f"{where}.{key}" if key else where, problem))


def _check_targets(definition: _Definition, ci_class: CIClass, known: Mapping[str, Any]) -> None:
    for attribute in ci_class.attributes.values():
        if attribute.target is not None and attribute.target not in known:
            raise definition.refuse(f"attributes.{attribute.name}.target", f"there is no class {attribute.target!r}")


def _text(definition: _Definition, key: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise definition.refuse(key, "must be a text")
    return value
