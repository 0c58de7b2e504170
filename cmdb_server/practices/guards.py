"""What a practice adds to a kind: a guard may refuse a version before it is written, an effect writes more with it."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import cmdb_server.practices
from cmdb_server.store.port import Reading, Writing

if TYPE_CHECKING:
    from cmdb_server.practices.kept_rows import Kept
    from cmdb_server.practices.kind import Kind


@dataclass(frozen=True, slots=True)
class Attempt:
    """A version that is about to be written: ``transition`` (``open``, ``edit`` or one of the kind's) makes ``after``
    of ``before``, which is None when it is opened. ``tx``: the graph as the new version will find it."""

    tx: Reading
    kind: Kind
    transition: str
    before: Kept | None
    after: Kept
    subject: str
    roles: frozenset[str]
    note: str
    now_ms: int


Guard: TypeAlias = "Callable[[Attempt], None]"
"""Raises a CmdbError to refuse; has no other effect."""
Effect: TypeAlias = "Callable[[Writing, Attempt], None]"
"""Writes in the same transaction: both are stored or neither."""

_GUARDS: dict[tuple[str, str], list[Guard]] = defaultdict(list)
_EFFECTS: dict[tuple[str, str], list[Effect]] = defaultdict(list)


def guard(kind: str, *transitions: str) -> Callable[[Guard], Guard]:
    """Have a function asked before each of these transitions of a kind, ``open`` and ``edit`` among them."""

    def register(asked: Guard) -> Guard:
        for transition in transitions:
            _GUARDS[(kind, transition)].append(asked)
        return asked

    return register


def effect(kind: str, *transitions: str) -> Callable[[Effect], Effect]:
    """Have a function called after each of these transitions was written, in its transaction."""

    def register(called: Effect) -> Effect:
        for transition in transitions:
            _EFFECTS[(kind, transition)].append(called)
        return called

    return register


@cache
def know_all() -> None:
    """Have every practice of this folder say what it adds, whoever imported it or not: a guard that is not known
    would refuse nothing."""
    for module in pkgutil.iter_modules(cmdb_server.practices.__path__, f"{cmdb_server.practices.__name__}."):
        if not module.ispkg:
            importlib.import_module(module.name)


def ask(attempt: Attempt) -> None:
    """Ask all guards of the attempt."""
    know_all()
    for one in tuple(_GUARDS.get((attempt.kind.name, attempt.transition), ())):
        one(attempt)


def follow(tx: Writing, attempt: Attempt) -> None:
    """Call all effects of the attempt."""
    know_all()
    for one in tuple(_EFFECTS.get((attempt.kind.name, attempt.transition), ())):
        one(tx, attempt)
