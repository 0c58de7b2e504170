"""Kinds of what people keep of their work: one TOML file each, read by one state machine.

The files of ``kinds/`` are found by listing the folder; a user's own kinds come from further folders and have the same
format. A file is named after its kind and holds::

    title = "Change"
    prefix = "CHG"                                    # of its numbers: CHG0000001
    open = ["operator", "approver"]                   # who may open one
    edit = { who = ["operator"], states = ["new"] }   # states left out: all that are not final

    [fields]                                          # as attributes of CI classes are told, and these types more:
    windows = { type = "window", many = true, title = "Windows" }     # text, time, window, selector, thing, object
    outcome = { type = "string", title = "Outcome", states = ["review"] }     # edited in these states alone

    [cis]                                             # in which roles it names CIs
    changed = { title = "What is changed", required = true }

    [states]
    initial = "new"
    final = ["closed"]

    [[transitions]]                                   # several of one name part by ``from`` or ``when``
    name = "close"
    from = ["review"]
    to = "closed"
    who = ["operator"]                                # roles; requester, owner; not requester
    requires = ["outcome"]                            # fields, or cis.ROLE
    when = { type = ["normal"] }                      # fields that must hold one of these
    stamps = ["closed_at"]                            # times that are now unless they are told
    note = true                                       # it needs a note
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cmdb_schemas.errors import DefinitionError
from cmdb_server.practices.field import OPTIONS, Field, field

SHIPPED = Path(__file__).parent / "kinds"
PRACTICE = "practice"
ROLES = ("admin", "operator", "approver", "reader", PRACTICE)
"""Of tokens; but ``practice``, which no token has: the server's own doing."""
REQUESTER, OWNER, NOT_REQUESTER = "requester", "owner", "not requester"
OPEN, EDIT = "open", "edit"
_PREFIX = re.compile(r"[A-Z]{2,8}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class CiRole:
    """In which role CIs are named. ``required``: at least one, from the start."""

    name: str
    title: str
    required: bool = False
    many: bool = True


@dataclass(frozen=True, slots=True)
class Transition:
    """One way from some states to another. ``when``: field -> the values of which it must hold one."""

    name: str
    from_: tuple[str, ...]
    to: str
    who: tuple[str, ...]
    requires: tuple[str, ...] = ()
    when: Mapping[str, tuple[Any, ...]] = dataclass_field(default_factory=dict)
    stamps: tuple[str, ...] = ()
    note: bool = False

    def leads(self, state: str, body: Mapping[str, Any]) -> bool:
        """Whether it can be gone from this state with this body."""
        return state in self.from_ and all(body.get(name) in values for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of what is kept. ``states`` in the order in which they are first told, ``initial`` first."""

    name: str
    title: str
    prefix: str
    fields: Mapping[str, Field]
    cis: Mapping[str, CiRole]
    initial: str
    final: frozenset[str]
    states: tuple[str, ...]
    transitions: tuple[Transition, ...]
    openers: tuple[str, ...]
    editors: tuple[str, ...]
    editable: frozenset[str]

    def transition(self, name: str, state: str, body: Mapping[str, Any]) -> Transition | None:
        """The transition of that name which leads from here."""
        return next((one for one in self.transitions if one.name == name and one.leads(state, body)), None)

    def possible(self, state: str, body: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the transitions that lead from here."""
        return tuple(dict.fromkeys(one.name for one in self.transitions if one.leads(state, body)))


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


_KEYS = frozenset({"title", "prefix", "open", "edit", "fields", "cis", "states", "transitions"})
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
        if not isinstance(told, dict):
            raise self.refuse(where, 'must be a table such as { type = "string", title = "..." }')
        self.known(told, f"{where}.", OPTIONS)
        try:
            return field(name, told)
        except DefinitionError as error:
            raise self.refuse(where, str(error)) from None

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
        there = {*fields, *(f"cis.{role}" for role in roles)}
        for key in ("requires", "stamps"):
            for one in told.get(key, ()):
                if one not in there or (key == "stamps" and fields[one].type != "time"):
                    raise self.refuse(f"{where}.{key}", f"there is no such field {one!r}")
        return Transition(
            name, self.names(told.get("from"), f"{where}.from"), self.name(told.get("to"), f"{where}.to"),
            self.who(told.get("who"), f"{where}.who"), tuple(told.get("requires", ())),
            self.when(told.get("when", {}), f"{where}.when", fields), tuple(told.get("stamps", ())),
            self.flag(told.get("note", False), f"{where}.note"),
        )  # fmt: skip

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
