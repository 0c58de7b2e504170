"""Figures are kept by the hour, then by the day."""

from __future__ import annotations

from cmdb_server.model.series import DAY_MS, HOUR_MS
from cmdb_server.practices.health_course import EVERY_MS, FINE_MS, Recorded, course, keep
from cmdb_server.store.port import Store

BEGIN = 20_000 * DAY_MS
FIGURES = {("orphan", "server", ""): (1, 3), ("orphan", "server", "Ann"): (0, 2), ("no-owner", "rack", ""): (5, 5)}


def told(store: Store, since: int = 0, until: int = 1 << 60) -> list[Recorded]:
    return store.read(lambda tx: list(course(tx, since, until)))


def test_what_is_kept_comes_back(store: Store) -> None:
    one, other = Recorded(BEGIN, 7, FIGURES), Recorded(BEGIN + HOUR_MS, 9, {})
    keep(store, one)
    keep(store, other)
    assert told(store) == [one, other]
    assert told(store, BEGIN + 1) == [other]
    assert told(store, BEGIN, BEGIN + 5) == [one]


def test_of_days_long_past_the_first_stays(store: Store) -> None:
    assert EVERY_MS == HOUR_MS
    for hour in range(0, 17 * 24, 4):
        keep(store, Recorded(BEGIN + hour * HOUR_MS, hour, FIGURES))
    times = [(one.at - BEGIN) // HOUR_MS for one in told(store)]
    assert times == [0, 24, *range(48, 17 * 24, 4)]
    assert FINE_MS == 14 * DAY_MS
