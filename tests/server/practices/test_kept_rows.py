"""Lists of kept things by state, CI and requester, also after their CIs became others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cmdb_server.errors import NotFound
from cmdb_server.ingest import decisions
from cmdb_server.practices import kept, kept_rows
from cmdb_server.practices.kept import By
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.port import Store
from tests.factories import START

KNOWN = kinds(Path(__file__).parents[2] / "cases/kept")
ANN, BOB = By("ann", ("operator",), START), By("bob", ("operator",), START, "why not")


def numbers(store: Store, **narrowed: object) -> list[str]:
    return [one.number for one in kept_rows.every(store, "request", known=KNOWN, **narrowed).items]  # type: ignore[arg-type]


def test_pages_hold_everything_once_in_order(store: Store) -> None:
    made = [kept.open_(store, "request", {"summary": str(n)}, {}, ANN, known=KNOWN).number for n in range(7)]
    kept.open_(store, "freeze", {"summary": "x", "windows": [{"start": "2026-01-01T00:00:00Z",
               "end": "2026-01-02T00:00:00Z"}]}, {}, By("bob", ("approver",), START), known=KNOWN)  # fmt: skip
    for narrowed in ({}, {"states": ["new"]}, {"subject": "ann"}):
        found, cursor = [], None
        while True:
            page = kept_rows.every(store, "request", limit=3, cursor=cursor, known=KNOWN, **narrowed)  # type: ignore[arg-type]
            found += [one.number for one in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert found == made
    with pytest.raises(NotFound):
        kept_rows.every(store, "party")
    with pytest.raises(NotFound):
        kept_rows.one(store, "REQ0000099")
    with pytest.raises(NotFound):
        kept_rows.history(store, "REQ0000099")


def test_narrowed_by_state_ci_and_requester_together(store: Store, ci: Callable[..., str]) -> None:
    web, db = ci("web-1"), ci("db-1")
    both = kept.open_(store, "request", {"summary": "a"}, {"changed": [web, db]}, ANN, known=KNOWN).number
    one = kept.open_(store, "request", {"summary": "b"}, {"changed": [db]}, BOB, known=KNOWN).number
    kept.open_(store, "outage", {}, {"down": [db]}, BOB, known=KNOWN)
    kept.move(store, one, "cancel", BOB, known=KNOWN)
    assert numbers(store, ci=db) == [both, one] and numbers(store, ci=web) == [both]
    assert numbers(store, ci=db, states=["new"]) == [both] == numbers(store, subject="ann")
    assert numbers(store, ci=db, states=["new"], subject="bob") == []
    assert numbers(store, states=["new", "cancelled"], subject="bob") == [one]
    assert numbers(store, ci="no such") == []
    assert numbers(store, states=["cancelled"]) == [one] == numbers(store, states=["cancelled"], ci=db)
    assert numbers(store, states=["cancelled", "new"], cursor=both) == [one]
    assert numbers(store, states=["closed"]) == [] == numbers(store, cursor="zzz")
    assert [thing.number for thing in store.read(lambda tx: kept_rows.all_in(tx, "request", ["new"]))] == [both]


def test_a_merged_ci_is_followed_and_comes_back_when_the_merge_is_undone(store: Store, ci: Callable[..., str]) -> None:
    web, also = ci("web-1"), ci("web-1-old")
    change = kept.open_(store, "request", {"summary": "a"}, {"changed": [web, also]}, ANN, known=KNOWN)
    other = kept.open_(store, "request", {"summary": "b"}, {"changed": [also]}, ANN, known=KNOWN)
    merge = decisions.decide(store, "ann", "merge", {"sides": [[web], [also]]}, "one box", START + 1)
    (living,) = kept_rows.one(store, change.number).cis["changed"]
    assert living in (web, also) and kept_rows.one(store, other.number).cis == {"changed": (living,)}
    for id_ in (web, also):
        assert numbers(store, ci=id_) == [change.number, other.number]
    shown = kept_rows.one(store, change.number)
    edited = kept.edit(store, change.number, 1, {"summary": "c"}, ANN, shown.cis, known=KNOWN)
    assert edited.cis == {"changed": (living,)}
    decisions.undo(store, "ann", merge, "two boxes", START + 2)
    assert kept_rows.one(store, change.number).cis == {"changed": (web, also)}, "an edit did not forget either"
    assert numbers(store, ci=web) == [change.number] and numbers(store, ci=also) == [change.number, other.number]
    assert [one.cis for one in kept_rows.history(store, change.number)] == [{"changed": (web, also)}] * 2


def test_a_ci_that_is_no_more_is_named_by_its_last_id(store: Store, ci: Callable[..., str]) -> None:
    web = ci("web-1")
    change = kept.open_(store, "request", {"summary": "a"}, {"changed": [web]}, ANN, known=KNOWN)
    decisions.decide(store, "ann", "tombstone", {"sides": [[web]], "hold_back": True}, "gone", START + 1)
    assert kept_rows.one(store, change.number).cis == {"changed": (web,)}
    assert kept.edit(store, change.number, 1, {"summary": "b"}, ANN, known=KNOWN).version == 2
    assert numbers(store, ci=web) == [change.number]


def test_pages_go_on_over_what_does_not_fit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_rows, "PAGE", 2)
    made = [kept.open_(store, "request", {"summary": str(n)}, {}, BOB, known=KNOWN).number for n in range(9)]
    for number in made[::4]:
        kept.move(store, number, "cancel", BOB, known=KNOWN)
    assert numbers(store, states=["cancelled"]) == made[::4] and numbers(store) == made
    first = kept_rows.every(store, "request", ["cancelled"], limit=2, known=KNOWN)
    assert [one.number for one in first.items] == made[:5:4] and first.cursor == made[4]
    assert numbers(store, states=["cancelled"], cursor=first.cursor) == [made[8]]


def test_there_is_what_has_not_ended(store: Store, ci: Callable[..., str]) -> None:
    web, gone = ci("web"), ci("gone")
    decisions.decide(store, "ann", "tombstone", {"sides": [[gone]]}, "scrapped", START)
    assert store.read(lambda tx: kept_rows.there(tx, [web, gone, "nobody"])) == [web]
