"""What people decide about identity and values: four verbs, each undoable, none of which edits data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from cmdb_server.model.record import Value

Verb = Literal["merge", "split", "distrust", "pin"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. It names records, never CIs.

    - ``merge``: ``sides`` holds two anchors, one record each; the CIs that hold them are one.
    - ``split``: ``sides`` holds two or more sets of records; no pair across them is one CI.
    - ``distrust``: ``value`` (kind, normalised value) says nothing about identity.
    - ``pin``: the CI that holds the record ``sides[0][0]`` has ``attribute`` = ``pinned``.
    """

    id: str
    verb: Verb
    at: int
    sides: tuple[tuple[str, ...], ...] = ()
    value: Value | None = None
    attribute: str = ""
    pinned: Any = None


def in_force(decisions: Iterable[Decision], undone: Iterable[str] = ()) -> tuple[Decision, ...]:
    """The decisions that nobody undid, newest first; ties by id, so that the order they came in says nothing."""
    gone = frozenset(undone)
    return tuple(sorted((d for d in decisions if d.id not in gone), key=lambda d: (d.at, d.id), reverse=True))


def distrusted(decisions: Iterable[Decision]) -> frozenset[Value]:
    """The values that people distrust."""
    return frozenset(d.value for d in decisions if d.verb == "distrust" and d.value)


def pins(decisions: Iterable[Decision], members: frozenset[str]) -> dict[str, Decision]:
    """attribute -> the newest pin on any of a CI's records."""
    newest: dict[str, Decision] = {}
    for decision in in_force(decisions):
        if decision.verb == "pin" and members.intersection(*decision.sides[:1]):
            newest.setdefault(decision.attribute, decision)
    return newest
