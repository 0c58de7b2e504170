"""What a selector says, before anyone asks whether it makes sense. ``column`` is where each part begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | float | bool
    column: int


@dataclass(frozen=True, slots=True)
class Listed:
    items: tuple[Syntax, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """``name(arguments)``, or ``of.name(arguments)``."""

    name: str
    arguments: tuple[Syntax, ...]
    column: int
    of: Syntax | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """``of.name``"""

    of: Syntax
    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Unary:
    sign: str
    of: Syntax
    column: int


@dataclass(frozen=True, slots=True)
class Binary:
    """``column``: of the sign."""

    sign: str
    left: Syntax
    right: Syntax
    column: int


@dataclass(frozen=True, slots=True)
class Joined:
    """All (``&&``) or any (``||``) of several."""

    sign: str
    items: tuple[Syntax, ...]
    column: int


Syntax = Literal | Listed | Name | Call | Member | Unary | Binary | Joined
