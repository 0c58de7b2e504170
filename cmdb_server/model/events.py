"""What befell one thing between sightings: a new installation, another mainboard, another name.

No source tells of it; it shows where what was borne until some time is never seen again and something else stands in its
place, while other evidence lasts. A pure function of the set of a CI's records: when which of them was told has no say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cmdb_server.model.evidence import View
from cmdb_server.model.record import Record, Value
from cmdb_server.model.weighing import Weights, shipped

REINSTALLED, MAINBOARD, RENAMED = "reinstalled", "mainboard-replaced", "renamed"
INSTALLED = frozenset(("machine_id", "ssh_host_key"))
"""What an installation draws anew. A device's engine id changes with its configuration, too."""
SERIAL, NAME = "serial", "name"


@dataclass(frozen=True, slots=True)
class Event:
    """``name``: ``reinstalled``, ``mainboard-replaced`` or ``renamed``. It happened after ``after`` and until ``at``
    (ms), when ``record`` was seen with the evidence ``value`` (kind -> values) in place of ``before``, which ``former``
    had borne last."""

    name: str
    after: int
    at: int
    record: str
    former: str
    before: Mapping[str, tuple[str, ...]]
    value: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Era:
    """Values of one kind that were borne together, directly or through others, with the first and the last sighting
    (ms) of a record that bears any, and that record."""

    values: frozenset[str]
    first: tuple[int, str]
    last: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One era of a kind over before the next one begins."""

    kind: str
    before: Era
    then: Era

    @property
    def window(self) -> tuple[int, int]:
        """When it happened: after, until (ms)."""
        return self.before.last[0], self.then.first[0]


def events(records: Iterable[Record], without: Collection[Value] = (), weights: Weights | None = None) -> list[Event]:
    """What befell the CI that consists of these records, earliest first. ``without``: what is distrusted. Records that
    prove nothing, and what people enter, are no witnesses: those may be another's, and these outlive what they tell of."""
    weights = weights or shipped()
    views = [View(one, weights, frozenset(without)) for one in records if not one.told_by_people]
    past = _Past([view for view in views if view.strong], weights.strong | {NAME})
    board = weights.hardware - {SERIAL}
    found = [_event(REINSTALLED, some) for some in past.replaced(INSTALLED) if past.lasts(weights.hardware, some)]
    found += [
        _event(MAINBOARD, some)
        for some in past.replaced(board)
        if past.lasts({SERIAL}, some) or (past.lasts(INSTALLED, some) and not past.changes({SERIAL}, some))
    ]
    found += [_event(RENAMED, some) for some in past.replaced({NAME}) if past.lasts(weights.strong, some)]
    return sorted(found, key=lambda one: (one.at, one.name, one.record))


class _Past:
    """The eras of each kind, in order, and the changes between them."""

    def __init__(self, views: Sequence[View], kinds: Iterable[str]) -> None:
        self._eras = {kind: _eras(kind, views) for kind in sorted(kinds)}
        self._changes = [change for kind, eras in self._eras.items() for change in _between(kind, eras)]

    def replaced(self, kinds: Collection[str]) -> Iterable[list[Change]]:
        """Changes of these kinds that may have happened at once, where no other one of the kinds lasts."""
        left = sorted((one for one in self._changes if one.kind in kinds), key=lambda one: (one.window[1], one.kind))
        while left:
            noticed = left[0].window[1]
            some = [one for one in left if one.window[0] < noticed]
            left = [one for one in left if one.window[0] >= noticed]
            if not self.lasts(kinds, some):
                yield some

    def lasts(self, kinds: Iterable[str], some: Sequence[Change]) -> bool:
        """Whether anything of these kinds was borne both before and after."""
        after, at = _window(some)
        eras = (era for kind in kinds for era in self._eras.get(kind, ()))
        return any(era.first[0] <= after and era.last[0] >= at for era in eras)

    def changes(self, kinds: Collection[str], some: Sequence[Change]) -> bool:
        """Whether anything of these kinds may have changed then, too."""
        after, at = _window(some)
        return any(one.kind in kinds and one.window[0] < at and after < one.window[1] for one in self._changes)


def _window(some: Iterable[Change]) -> tuple[int, int]:
    windows = [one.window for one in some]
    return max(after for after, _ in windows), min(at for _, at in windows)


def _event(name: str, some: Sequence[Change]) -> Event:
    """Told by who noticed it first."""
    after, at = _window(some)
    first = min(some, key=lambda one: (one.then.first, one.kind))
    return Event(
        name, after, at, first.then.first[1], first.before.last[1],
        {one.kind: tuple(sorted(one.before.values)) for one in some},
        {one.kind: tuple(sorted(one.then.values)) for one in some},
    )  # fmt: skip


def _eras(kind: str, views: Iterable[View]) -> list[Era]:
    found: list[Era] = []
    for view in views:
        borne = view.hosts if kind == NAME else view.values.get(kind)
        if not borne:
            continue
        record = view.record
        era = Era(frozenset(borne), (record.first_at, record.id), (record.last_at, record.id))
        met = [one for one in found if not one.values.isdisjoint(era.values)]
        for one in met:
            found.remove(one)
            era = Era(era.values | one.values, min(era.first, one.first), max(era.last, one.last))
        found.append(era)
    return sorted(found, key=lambda one: one.first)


def _between(kind: str, eras: Sequence[Era]) -> Iterable[Change]:
    """An era that begins when all before it are over takes the place of the one that lasted longest."""
    for n, era in enumerate(eras[1:], 1):
        before = max(eras[:n], key=lambda one: one.last)
        if before.last[0] < era.first[0]:
            yield Change(kind, before, era)
