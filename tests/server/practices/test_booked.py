"""What is booked in a time: changes by their windows, those under way until they are over, and open outages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cmdb_server.model import instants
from cmdb_server.practices import kept
from cmdb_server.practices.booked import Booking, bookings, meet
from cmdb_server.practices.kept import By
from cmdb_server.store.port import Store
from tests.factories import START

pytestmark = pytest.mark.usefixtures("guards_aside")

OPERATOR, APPROVER = By("ann", ("operator",), START), By("bob", ("approver",), START)
HOUR = 3_600_000
WITHIN = (START, START + 100 * HOUR)
READY = {"summary": "move", "plan": "do it", "back_out": "undo it", "implementers": ["cleo"]}


def window(start: int, end: int, **more: str) -> dict[str, str]:
    """In hours from START."""
    return {"start": instants.rfc3339(START + start * HOUR), "end": instants.rfc3339(START + end * HOUR), **more}


@pytest.fixture
def change(store: Store, ci: Callable[..., str]) -> Callable[..., str]:
    """Book a change of a CI of its own; gives its number."""

    def book(*windows: dict[str, str], **body: Any) -> str:
        role = {"changed": [ci(f"web-{windows}")]}
        made = kept.open_(store, "change", READY | {"windows": list(windows)} | body, role, OPERATOR)
        for transition in ("assess", "authorise", "schedule"):
            kept.move(store, made.number, transition, APPROVER if transition == "schedule" else OPERATOR)
        return made.number

    return book


def told(store: Store, now: int = START, **narrowed: Any) -> dict[str, Booking]:
    return {one.number: one for one in store.read(lambda tx: bookings(tx, WITHIN, now, **narrowed))}


def hours(booking: Booking) -> list[tuple[float, float | None]]:
    return [((a - START) / HOUR, None if b is None else (b - START) / HOUR) for a, b in booking.spans]


def test_a_change_is_booked_in_its_windows(store: Store, change: Callable[..., str]) -> None:
    once, weekly = change(window(1, 3)), change(window(5, 6, rrule="FREQ=DAILY;COUNT=3"))
    change(window(-4, -2))
    found = told(store)
    assert set(found) == {once, weekly}
    assert hours(found[once]) == [(1, 3)]
    assert hours(found[weekly]) == [(5, 6), (29, 30), (53, 54)]
    assert found[once].people == {"cleo"}
    assert set(told(store, but=[once])) == {weekly}


def test_one_under_way_goes_on_until_it_is_said_to_have_ended(store: Store, change: Callable[..., str]) -> None:
    number = change(window(1, 3))
    kept.move(store, number, "implement", By("ann", ("operator",), START + 2 * HOUR))
    assert hours(told(store, START + 50 * HOUR)[number]) == [(2, None)]
    kept.move(store, number, "review", OPERATOR, {"outcome": "successful"})
    assert told(store) == {}


@pytest.mark.parametrize(("effect", "cis", "degraded"), [("full", 1, False), ("degraded", 1, True), ("none", 0, False)])
def test_what_it_does_meanwhile(
    store: Store, change: Callable[..., str], effect: str, cis: int, degraded: bool
) -> None:
    number = change(window(1, 3), interruption=effect)
    booked = told(store)[number]
    assert (len(booked.cis), booked.degraded) == (cis, degraded)


def test_an_outage_is_open_ended(store: Store, ci: Callable[..., str]) -> None:
    web = ci("web")
    out = kept.open_(store, "outage", {"started_at": instants.rfc3339(START + HOUR)}, {"down": [web]}, OPERATOR)
    found = told(store)[out.number]
    assert (found.cis, hours(found)) == ((web,), [(1, None)])
    assert told(store, kinds=["change"]) == {}
    kept.move(store, out.number, "end", OPERATOR)
    assert told(store) == {}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((1, 2), (2, 3), False), ((1, 3), (2, 4), True), ((1, None), (9, 10), True), ((1, None), (0, 1), False),
     ((1, None), (0, None), True), ((2, 3), (1, 9), True)],
)  # fmt: skip
def test_touching_is_no_overlap(one: Any, other: Any, expected: bool) -> None:
    assert meet(one, other) is meet(other, one) is expected
