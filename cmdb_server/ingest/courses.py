"""What held from when: courses of values, from sightings and from history rows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cmdb_server.store.port import Row

Course = list[tuple[int, Any]]
"""(at, value), sorted: the value holds from ``at`` until the next entry."""


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same, 1 and True told apart."""
    return bool(one == other) and type(one) is type(other)


def presence(seen: Iterable[int], without: Iterable[int]) -> tuple[Course, int | None]:
    """The course of a presence, and since when it is over. ``without``: times that showed its absence; one that is no
    later than the last sighting shows nothing."""
    events = sorted([(at, 0) for at in set(seen)] + [(at, 1) for at in set(without)])
    course: Course = []
    last: int | None = None
    ended: int | None = None
    for at, absent in events:
        if not absent:
            if last is None or ended is not None:
                course.append((at, 1))
            last, ended = at, None
        elif last is not None and ended is None and at > last:
            course.append((at, [0, last]))
            ended = at
    return course, ended


def courses(rows: Iterable[Row], value: int) -> dict[tuple[str, str], dict[int, Any]]:
    """(record, key) -> at -> value, of history rows with the newest word for each time."""
    found: dict[tuple[str, str], dict[int, tuple[int, Any]]] = {}
    for row in rows:
        course = found.setdefault((row[0], row[1]), {})
        if row[2] not in course or course[row[2]][0] < row[3]:
            course[row[2]] = (row[3], row[value])
    return {key: {at: told for at, (_, told) in course.items()} for key, course in found.items()}


def corrections(known: Mapping[int, Any], wanted: Course, floor: int = -1) -> Course:
    """The rows to add so that what stands says what is wanted, at every time. Nothing is ever changed or removed: a
    row at the same time with a later revision overrules the earlier one. ``floor``: until when the past was dropped."""
    target = dict(wanted)
    added: Course = []
    value: Any = None
    stands: Any = None
    begun = False
    for at in sorted(set(known) | set(target)):
        if at in target:
            value, begun = target[at], True
        if at in known:
            stands = known[at]
        if begun and at > floor and not equal(stands, value):
            added.append((at, value))
            stands = value
    return added
