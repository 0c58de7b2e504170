"""Guards and effects are found by kind and transition, in the order in which they came."""

from __future__ import annotations

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
