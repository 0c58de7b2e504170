"""Reads the files that tell kinds (``kind`` has their format), and refuses what no state machine could follow."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cmdb_schemas.errors import DefinitionError
from cmdb_server.practices.field import Field, field
from cmdb_server.practices.kind import EDIT, NOT_REQUESTER, OPEN, OWNER, REQUESTER, ROLES, CiRole, Kind, Transition

SHIPPED = Path(__file__).parent / "kinds"
_PREFIX = re.compile(r"[A-Z]{2,8}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@cache
def kinds(*folders: Path) -> Mapping[str, Kind]:
    """All kinds by name: the shipped ones and those of the users' ``folders``. Raises ``DefinitionError``."""
    found: dict[str, Kind] = {}
    for folder in (SHIPPED, *folders):
        if not folder.is_dir():
            raise DefinitionError(f"{folder}: no such folder of kinds")
        for path in sorted(folder.glob("*.toml")):
            made = _Definition(path, _read(path)).kind()
            if made.name in found:
                raise DefinitionError(f"{path}: kind {made.name} is already defined")
            if any(made.prefix == other.prefix for other in found.values()):
                raise DefinitionError(f"{path}: prefix: {made.prefix} is another kind's")
            found[made.name] = made
    return MappingProxyType(found)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{path}: {error}") from error


_KEYS = frozenset({"title", "prefix", "open", "edit", "order", "fields", "cis", "states", "transitions"})
_TRANSITION_KEYS = frozenset({"name", "from", "to", "who", "requires", "when", "stamps", "note"})


@dataclass(frozen=True, slots=True)
class _Definition:
    """One file's content."""

    path: Path
    body: Mapping[str, Any]

    def kind(self) -> Kind:
        self.known(self.body, "", _KEYS)
        name = self.name(self.path.stem, "the file's name")
        fields = {key: self.field(key, told) for key, told in self.table("fields", self.body).items()}
        roles = {key: self.role(key, told) for key, told in self.table("cis", self.body).items()}
        told = self.table("states", self.body)
        self.known(told, "states.", frozenset({"initial", "final"}))
        initial = self.name(told.get("initial"), "states.initial")
        final = self.names(told.get("final"), "states.final")
        transitions = tuple(self.transitions(fields, roles))
        states = tuple(dict.fromkeys((initial, *(s for one in transitions for s in (*one.from_, one.to)))))
        self.check_reach(initial, final, states, transitions)
        self.check_choice(transitions)
        edit = self.table("edit", self.body)
        self.known(edit, "edit.", frozenset({"who", "states"}))
        editable = self.names(edit.get("states", [one for one in states if one not in final]), "edit.states")
        self.check_states(editable, states, "edit.states")
        for one in fields.values():
            self.check_states(one.states, states, f"fields.{one.name}.states")
        return Kind(
            name, self.text(self.body.get("title"), "title"), self.prefix(), MappingProxyType(fields),
            MappingProxyType(roles), initial, frozenset(final), states, transitions,
            self.who(self.body.get("open"), "open"), self.who(edit.get("who"), "edit.who"), frozenset(editable),
            tuple(self.order(fields)),
        )  # fmt: skip

    def refuse(self, key: str, problem: str) -> DefinitionError:
        return DefinitionError(f"{self.path}: {key}: {problem}")

    def known(self, told: Mapping[str, Any], where: str, keys: frozenset[str]) -> None:
        for key in told:
            if key not in keys:
                raise self.refuse(f"{where}{key}", f"unknown key; known are {', '.join(sorted(keys))}")

    def table(self, key: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        found = body.get(key, {})
        if not isinstance(found, dict):
            raise self.refuse(key, "must be a table")
        return found

    def text(self, value: object, key: str) -> str:
        if not isinstance(value, str) or not value:
            raise self.refuse(key, "must be a text")
        return value

    def name(self, value: object, key: str) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise self.refuse(key, "must be a name: small letters, digits and _")
        return value

    def names(self, value: object, key: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise self.refuse(key, "must be a list of names")
        return tuple(self.name(one, key) for one in value)

    def flag(self, value: object, key: str) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(key, "must be true or false")
        return value

    def prefix(self) -> str:
        found = self.body.get("prefix")
        if not isinstance(found, str) or not _PREFIX.fullmatch(found):
            raise self.refuse("prefix", "must be 2 to 8 capital letters")
        return found

    def who(self, value: object, key: str) -> tuple[str, ...]:
        known = (*ROLES, REQUESTER, OWNER, NOT_REQUESTER)
        if not isinstance(value, list) or not value or any(one not in known for one in value):
            raise self.refuse(key, f"must be a list of {', '.join(known)}")
        if all(one == NOT_REQUESTER for one in value):
            raise self.refuse(key, "must say who, not only who not")
        return tuple(value)

    def field(self, name: str, told: Any) -> Field:
        where = f"fields.{self.name(name, f'fields.{name}')}"
        return field(name, told, lambda key, problem: self.refuse(f"{where}.{key}" if key else where, problem))

    def role(self, name: str, told: Any) -> CiRole:
        where = f"cis.{self.name(name, f'cis.{name}')}"
        if not isinstance(told, dict):
            raise self.refuse(where, 'must be a table such as { title = "..." }')
        self.known(told, f"{where}.", frozenset({"title", "required", "many"}))
        required = self.flag(told.get("required", False), f"{where}.required")
        many = self.flag(told.get("many", True), f"{where}.many")
        return CiRole(name, self.text(told.get("title"), f"{where}.title"), required, many)

    def transitions(self, fields: Mapping[str, Field], roles: Mapping[str, CiRole]) -> Iterator[Transition]:
        told = self.body.get("transitions")
        if not isinstance(told, list) or not told or not all(isinstance(one, dict) for one in told):
            raise self.refuse("transitions", "must be told as [[transitions]]")
        for place, one in enumerate(told):
            yield self.transition(f"transitions[{place}]", one, fields, roles)

    def transition(
        self, where: str, told: Mapping[str, Any], fields: Mapping[str, Field], roles: Mapping[str, CiRole]
    ) -> Transition:
        self.known(told, f"{where}.", _TRANSITION_KEYS)
        name = self.name(told.get("name"), f"{where}.name")
        if name in (OPEN, EDIT):
            raise self.refuse(f"{where}.name", f"{name} is what every kind has")
        requires = self.listed(told, "requires", where, {*fields, *(f"cis.{role}" for role in roles)})
        times = {one.name for one in fields.values() if one.type == "time"}
        stamps = self.listed(told, "stamps", where, times)
        return Transition(
            name, self.names(told.get("from"), f"{where}.from"), self.name(told.get("to"), f"{where}.to"),
            self.who(told.get("who"), f"{where}.who"), requires,
            self.when(told.get("when", {}), f"{where}.when", fields), stamps,
            self.flag(told.get("note", False), f"{where}.note"),
        )  # fmt: skip

    def listed(self, told: Mapping[str, Any], key: str, where: str, there: set[str]) -> tuple[str, ...]:
        found = told.get(key, [])
        if not isinstance(found, list):
            raise self.refuse(f"{where}.{key}", "must be a list of fields")
        for one in found:
            if one not in there:
                raise self.refuse(f"{where}.{key}", f"there is no such field {one!r}")
        return tuple(found)

    def order(self, fields: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
        told = self.body.get("order", [])
        if not isinstance(told, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in told):
            raise self.refuse("order", 'must be such as [["started_at", "ended_at"]]')
        for pair in told:
            for one in pair:
                if one not in fields or fields[one].type != "time":
                    raise self.refuse("order", f"{one!r} is no time")
            yield pair[0], pair[1]

    def when(self, told: Any, where: str, fields: Mapping[str, Field]) -> Mapping[str, tuple[Any, ...]]:
        if not isinstance(told, dict) or not all(isinstance(values, list) for values in told.values()):
            raise self.refuse(where, "must be { field = [values] }")
        for name, values in told.items():
            if name not in fields or any(fields[name].faults(value, "") for value in values):
                raise self.refuse(f"{where}.{name}", "is no field with these values")
        return MappingProxyType({name: tuple(values) for name, values in told.items()})

    def check_states(self, named: tuple[str, ...] | frozenset[str], states: tuple[str, ...], key: str) -> None:
        for one in named:
            if one not in states:
                raise self.refuse(key, f"there is no state {one!r}")

    def check_choice(self, transitions: tuple[Transition, ...]) -> None:
        """From no state do two of one name lead at once."""
        for (place, one), (other_place, other) in combinations(enumerate(transitions), 2):
            shared = one.when.keys() & other.when.keys()
            parted = any(set(one.when[name]).isdisjoint(other.when[name]) for name in shared)
            if one.name == other.name and set(one.from_) & set(other.from_) and not parted:
                raise self.refuse(
                    f"transitions[{other_place}]", f"leads on with transitions[{place}] at once: part them by when"
                )

    def check_reach(
        self, initial: str, final: tuple[str, ...], states: tuple[str, ...], transitions: tuple[Transition, ...]
    ) -> None:
        """Every state is reached from the initial one, and what is not final leads on."""
        self.check_states(final, states, "states.final")
        reached = {initial}
        while more := {one.to for one in transitions if reached & set(one.from_)} - reached:
            reached |= more
        if unreached := [state for state in states if state not in reached]:
            raise self.refuse("transitions", f"nothing leads to {unreached[0]!r}")
        for state in states:
            leads = any(state in one.from_ for one in transitions)
            if leads == (state in final):
                raise self.refuse("states.final", f"{state!r} {'leads on' if leads else 'leads nowhere'}")
