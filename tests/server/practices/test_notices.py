"""Owners are to be told of a change once it is booked or called off, and of an outage."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.errors import Invalid
from cmdb_server.practices import kept, notices, timed
from cmdb_server.practices.kept import By
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import BookedShop
from tests.factories import START

pytestmark = pytest.mark.usefixtures("guards_aside")

OPERATOR, APPROVER = By("ann", ("operator",), START), By("bob", ("approver",), START, "no longer needed")
WINDOW = {"start": "2026-03-01T22:00:00Z", "end": "2026-03-02T02:00:00Z"}
READY: dict[str, Any] = {"summary": "move", "windows": [WINDOW], "plan": "do it", "back_out": "undo it"}


def noted(store: Store) -> list[tuple[str, Any]]:
    return [(job.kind, job.subject["version"]) for job in timed.every(store) if job.kind == notices.OWNERS]


def test_of_a_change_once_it_is_booked_and_when_it_is_called_off(tmp_path: Path) -> None:
    shop = BookedShop(SqliteStore(tmp_path / "cmdb.db"))
    change = shop.book("rack")
    assert noted(shop.store) == [(notices.OWNERS, change.version)]
    shop.go(change.number, "cancel", "bob", "approver", "no longer needed")
    assert noted(shop.store) == [(notices.OWNERS, change.version), (notices.OWNERS, change.version + 1)]


def test_nobody_hears_of_what_was_never_booked(store: Store, ci: Callable[..., str]) -> None:
    change = kept.open_(store, "change", READY, {"changed": [ci("web")]}, OPERATOR).number
    kept.move(store, change, "cancel", APPROVER)
    assert noted(store) == []


def test_of_an_outage_as_it_begins_and_ends(store: Store, ci: Callable[..., str]) -> None:
    outage = kept.open_(store, "outage", {}, {"down": [ci("web")]}, OPERATOR).number
    kept.move(store, outage, "end", OPERATOR)
    assert noted(store) == [(notices.OWNERS, 1), (notices.OWNERS, 2)]
    with pytest.raises(Invalid):
        kept.open_(store, "outage", {}, {"down": []}, OPERATOR)
    assert len(noted(store)) == 2


def test_a_server_notes_them() -> None:
    """In a process of its own, which imports what a server does and no test."""
    asked = (
        "import cmdb_server.app; from cmdb_server.practices import guards; print(*guards._EFFECTS['outage', 'open'])"
    )
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout
    assert "tell_owners" in told


def test_one_owner_is_noted_once_even_after_they_were_told(store: Store) -> None:
    def tell() -> bool:
        return store.write(lambda tx: notices.tell(tx, "CHG1", 4, "ann@example.org", START)) is not None

    assert (tell(), tell()) == (True, False)
    mine = timed.claim(store, timed.due(store, START)[0].id, START)
    assert mine is not None and timed.done(store, mine, START)
    assert not tell()
