"""Guards and effects are found by kind and transition, in the order in which they came."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from cmdb_server.errors import Conflict
from cmdb_server.practices import guards
from cmdb_server.practices.guards import Attempt, ask, effect, follow, guard
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.port import Writing


def attempt(kind: str, transition: str) -> Attempt:
    thing = Kept("X1", kind, "new", 1, "ann", 0, 0, 1, {}, {})
    nothing: Any = None
    return Attempt(nothing, kinds()[kind], transition, None, thing, "ann", frozenset(), "", 0)


def test_only_those_of_the_transition_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    guards.know_all()
    for name in ("_GUARDS", "_EFFECTS"):
        monkeypatch.setattr(guards, name, type(guards._GUARDS)(list))
    seen: list[str] = []
    nothing: Any = None

    @guard("change", "open", "edit")
    def first(_: Attempt) -> None:
        seen.append("first")

    @guard("change", "edit")
    def second(_: Attempt) -> None:
        seen.append("second")
        raise Conflict("no")

    @effect("change", "open")
    def after(_: Writing, told: Attempt) -> None:
        seen.append(told.after.number)

    ask(attempt("change", "open"))
    follow(nothing, attempt("change", "open"))
    ask(attempt("outage", "open"))
    follow(nothing, attempt("outage", "edit"))
    assert seen == ["first", "X1"]
    with pytest.raises(Conflict):
        ask(attempt("change", "edit"))
    assert seen == ["first", "X1", "first", "second"]


def test_a_practice_that_nobody_imported_is_asked_all_the_same() -> None:
    """In a process of its own, where nothing but the state machine was imported."""
    code = (
        "import sys; from cmdb_server.practices import kept, guards\n"
        "assert 'cmdb_server.practices.booked' not in sys.modules and not guards._GUARDS\n"
        "guards.know_all()\n"
        "print(*sorted(name for name, _ in guards._GUARDS))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "change" in ran.stdout.split()
