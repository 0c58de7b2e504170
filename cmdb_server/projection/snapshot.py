"""A projection as arrays in files, which the processes of an installation map instead of each holding its own.

What is small and made of Python objects (names of classes and groups, gates, why a gate was refused) goes along as JSON.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from cmdb_server.model.gates import Gate
from cmdb_server.projection import column_files
from cmdb_server.projection.attributes import AttributeColumns
from cmdb_server.projection.columns import SPARE, Column, Interned, Mapped, Rows
from cmdb_server.projection.gates import Gates, Members, Slots
from cmdb_server.projection.identities import Identities, Index, Names
from cmdb_server.projection.network import Lists, Network, Wiring
from cmdb_server.projection.overlay import compacted, replaced
from cmdb_server.projection.projection import Bounds, Counted, Direct, Listed, Projection
from cmdb_server.projection.rules import Overrides, Rules
from cmdb_server.store import array_files

T = TypeVar("T", bound=Rows)
TABLES: Mapping[str, type[Rows]] = {
    "gates": Gates, "members": Members, "slots": Slots, "listed": Listed, "direct": Direct, "counted": Counted,
}  # fmt: skip
BOUNDS = ("gates_of", "direct_of", "counted_of")
BY_CI = ("class_of", "ended_at", "retired")
WIRES = ("from_", "type", "to")
LISTS = ("links", "below", "gateways", "clients")
BY_DEVICE = ("forwards", "tree", "up", "gated", "unknown", "matters", "holder")
"""Of a network, what is no list."""
WORTH_COMPACTING = 0.02
"""From this share of replaced rows on a projection is laid out afresh before it is written."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A projection, and the columns of what CIs say that somebody asked for, of the same revision."""

    projection: Projection
    columns: AttributeColumns | None = None


def write(folder: Path, kept: Snapshot) -> str:
    """Keep it below ``folder``; the name it is found by. Raises ``OSError``."""
    projection = kept.projection
    settled = _settled(projection)
    arrays = _arrays(settled)
    tables = (*TABLES, "identities")
    spare = {name: int(len(one) * SPARE) + 64 for name, one in arrays.items() if name.split(".")[0] in tables}
    overrides, values = _numbered(settled.overrides)
    columns, columns_told = column_files.written(kept.columns) if kept.columns else ({}, None)
    told = {
        "made_with": made_with(settled.rules),
        "revision": settled.revision,
        "next_retirement": settled.next_retirement,
        "classes": settled.rules.classes.values,
        "groups": settled.rules.groups.values,
        "gates": [gate.value() for gate in settled.rules.gates.values],
        "overrides": values,
        "refused": sorted(settled.refused.items()),
        "member_rules": sorted(settled.member_rules.items()),
        "columns": columns_told,
    }
    return array_files.write(folder, told, arrays | overrides | columns, spare)


def opened(folder: Path, name: str, rules: Rules) -> Snapshot | None:
    """The snapshot of this name; None where other rules made it. Raises ``FileNotFoundError``, ``DamagedError``."""
    found = array_files.opened(folder, name)
    told, files = found.told, found.arrays
    if told["made_with"] != made_with(rules):
        return None
    plain = {key: one.mapped() for key, one in files.items() if one.places == one.used}
    identities = _mapped(Identities, "identities", files)
    own = replace(
        rules,
        gates=Interned(Gate.of(value) for value in told["gates"]),
        classes=Interned(told["classes"]),
        groups=Interned(told["groups"]),
    )
    projection = Projection(
        revision=told["revision"],
        rules=own,
        index=Index(identities, plain["index.order"], plain["index.ordered"]),
        names=Names(plain["names.text"], plain["names.offsets"]),
        next_retirement=told["next_retirement"],
        overrides=_overrides(plain, told["overrides"]),
        refused=dict(told["refused"]),
        member_rules=dict(told["member_rules"]),
        wiring=Wiring.made(plain["wiring.from_"], plain["wiring.type"], plain["wiring.to"], _network(plain)),
        **{name: plain[name] for name in BY_CI},  # type: ignore[arg-type]
        **{name: Bounds(plain[f"{name}.first"], plain[f"{name}.last"]) for name in BOUNDS},  # type: ignore[arg-type]
        **{name: _mapped(kind, name, files) for name, kind in TABLES.items()},  # type: ignore[arg-type]
    )
    columns = column_files.opened(plain, told["columns"], projection) if told["columns"] else None
    return Snapshot(projection, columns)


def made_with(rules: Rules) -> str:
    """The digest of all that decides how rows become a projection: classes, relation types, gates, and the code."""
    told = [rules.flows, rules.class_gates, rules.ancestors, rules.retired_ms, rules.lives]
    sets = [sorted(one) for one in (rules.forwarding, rules.parts, rules.networks)]
    return hashlib.sha256(msgspec.json.encode([*told, *sets, _code()], order="deterministic")).hexdigest()


@cache
def _code() -> str:
    """The digest of the modules that lay a projection out: another version of them may do it otherwise."""
    digest = hashlib.sha256()
    for package in ("cmdb_server.projection", "cmdb_server.model"):
        for file in sorted(resources.files(package).iterdir(), key=lambda file: file.name):
            if file.name.endswith(".py"):
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _settled(projection: Projection) -> Projection:
    """The same projection without what was laid over it."""
    if replaced(projection) > WORTH_COMPACTING:
        projection = compacted(projection)
    index = projection.index if not projection.index.added else Index.of(projection.index.identities)
    return replace(projection, index=index, names=projection.names.settled(len(projection)))


def _arrays(projection: Projection) -> dict[str, Column]:
    index, names, wiring = projection.index, projection.names, projection.wiring
    found: dict[str, Column] = {"index.order": index.order, "index.ordered": index.ordered}
    found |= {"names.text": names.text, "names.offsets": names.offsets}
    found |= {name: getattr(projection, name) for name in BY_CI}
    found |= {f"wiring.{name}": getattr(wiring, name) for name in WIRES}
    for name in BOUNDS:
        bounds = getattr(projection, name)
        found |= {f"{name}.first": bounds.first, f"{name}.last": bounds.last}
    for name in TABLES:
        found |= _columns(name, getattr(projection, name))
    return found | _columns("identities", index.identities) | _wired(projection.network())


def _wired(network: Network | None) -> dict[str, Column]:
    if network is None:
        return {}
    found: dict[str, Column] = {f"network.{name}": getattr(network, name) for name in BY_DEVICE}
    for name in LISTS:
        lists = getattr(network, name)
        found |= {f"network.{name}.{field.name}": getattr(lists, field.name) for field in fields(lists)}
    return found


def _network(arrays: Mapping[str, Column]) -> Network | None:
    if "network.tree" not in arrays:
        return None
    lists = {name: Lists(*(arrays[f"network.{name}.{field.name}"] for field in fields(Lists))) for name in LISTS}
    return Network(**lists, **{name: arrays[f"network.{name}"] for name in BY_DEVICE})  # type: ignore[arg-type]


def _columns(name: str, rows: Rows) -> dict[str, Column]:
    return {f"{name}.{column}": values for column, values in zip(rows.names(), rows.columns(), strict=True)}


def _mapped(kind: type[T], name: str, files: Mapping[str, array_files.ArrayFile]) -> T:
    own = [files[f"{name}.{column}"] for column in kind.names()]
    return kind.within(Mapped(own[0].used, lambda: [one.mapped() for one in own]), own[0].used)


def _numbered(overrides: Mapping[int, Overrides]) -> tuple[dict[str, Column], list[Any]]:
    """(who sets gates and which of the values, the values, each once)."""
    values = Interned[bytes]()
    plain = ({key: gate.value() for key, gate in own.items()} for own in overrides.values())
    which = [values.code(msgspec.json.encode(one, order="deterministic")) for one in plain]
    arrays: Iterable[tuple[str, list[int]]] = (("ci", list(overrides)), ("value", which))
    return (
        {f"overrides.{name}": np.asarray(column, np.int32) for name, column in arrays},
        [msgspec.json.decode(value) for value in values.values],
    )


def _overrides(arrays: Mapping[str, Column], values: list[Any]) -> Mapping[int, Overrides]:
    known = [{key: Gate.of(gate) for key, gate in one.items()} for one in values]
    pairs = zip(arrays["overrides.ci"].tolist(), arrays["overrides.value"].tolist(), strict=True)
    return {ci: known[value] for ci, value in pairs}
