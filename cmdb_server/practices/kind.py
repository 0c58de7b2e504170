"""Kinds of what people keep of their work: one TOML file each, read by one state machine.

The files of ``kinds/`` are found by listing the folder; a user's own kinds come from further folders and have the same
format. A file is named after its kind and holds::

    title = "Change"
    prefix = "CHG"                                    # of its numbers: CHG0000001
    open = ["operator", "approver"]                   # who may open one
    edit = { who = ["operator"], states = ["new"] }   # states left out: all that are not final
    order = [["started_at", "ended_at"]]              # times of which the first is never after the second

    [fields]                                          # as attributes of CI classes are told, and these types more:
    windows = { type = "window", many = true, title = "Windows" }     # text, time, window, selector, thing, object
    outcome = { type = "string", title = "Outcome", states = ["review"] }     # edited in these states alone

    [cis]                                             # in which roles it names CIs
    changed = { title = "What is changed", required = true }

    [states]
    initial = "new"
    final = ["closed"]

    [[transitions]]                                   # several of one name lead from other states, or ``when`` parts them
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

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cmdb_server.practices.field import Field

PRACTICE = "practice"
ROLES = ("admin", "operator", "approver", "reader", PRACTICE)
"""Of tokens; but ``practice``, which no token has: the server's own doing."""
REQUESTER, OWNER, NOT_REQUESTER = "requester", "owner", "not requester"
OPEN, EDIT = "open", "edit"


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
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    stamps: tuple[str, ...] = ()
    note: bool = False

    def leads(self, state: str, body: Mapping[str, Any]) -> bool:
        """Whether it can be gone from this state with this body."""
        return state in self.from_ and all(body.get(name) in values for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of what is kept. ``states`` in the order in which they are first told, ``initial`` first.
    ``order``: (earlier, later) of times."""

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
    order: tuple[tuple[str, str], ...] = ()

    def transition(self, name: str, state: str, body: Mapping[str, Any]) -> Transition | None:
        """The transition of that name which leads from here."""
        return next((one for one in self.transitions if one.name == name and one.leads(state, body)), None)

    def possible(self, state: str, body: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of the transitions that lead from here."""
        return tuple(dict.fromkeys(one.name for one in self.transitions if one.leads(state, body)))
