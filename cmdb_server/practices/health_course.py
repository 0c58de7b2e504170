"""The figures of the CMDB's health as they were recorded, time after time: hourly for two weeks, then one a day."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from cmdb_server.model.series import DAY_MS, HOUR_MS, bucket
from cmdb_server.store.port import Reading, Store, Writing
from cmdb_server.store.tables import HEALTH_COURSE

EVERY_MS = HOUR_MS
FINE_MS = 14 * DAY_MS
Cell = tuple[str, str, str]
"""(check, class, owner)."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The figures of one time (ms), as known in ``revision``: of each check, class and owner how many CIs fail, of how
    many."""

    at: int
    revision: int
    figures: Mapping[Cell, tuple[int, int]]


def keep(store: Store, told: Recorded) -> None:
    """Record figures, and drop those of the days before FINE_MS but for each day's first."""
    tree: dict[str, dict[str, dict[str, tuple[int, int]]]] = {}
    for (check, class_, owner), counts in sorted(told.figures.items()):
        tree.setdefault(check, {}).setdefault(class_, {})[owner] = counts
    row = (told.at, told.revision, zlib.compress(msgspec.json.encode(tree), 1))

    def work(tx: Writing) -> None:
        tx.put(HEALTH_COURSE, [row])
        end = bucket(told.at - FINE_MS, DAY_MS)
        old = [row[0] for row in tx.between(HEALTH_COURSE, "at", end - 2 * DAY_MS, end - 1)]
        firsts = {bucket(at, DAY_MS): at for at in sorted(old, reverse=True)}
        tx.delete(HEALTH_COURSE, [(at,) for at in old if firsts[bucket(at, DAY_MS)] != at])

    store.write(work)


def course(tx: Reading, since: int, until: int) -> Iterator[Recorded]:
    """What was recorded from ``since`` to ``until`` (ms), in order of time."""
    for at, revision, packed in tx.between(HEALTH_COURSE, "at", since - 1, until):
        tree = msgspec.json.decode(zlib.decompress(packed))
        yield Recorded(at, revision, dict(_cells(tree)))


def _cells(tree: Mapping[str, Mapping[str, Mapping[str, Iterable[int]]]]) -> Iterator[tuple[Cell, tuple[int, int]]]:
    for check, classes in tree.items():
        for class_, owners in classes.items():
            for owner, (failing, of) in owners.items():
                yield (check, class_, owner), (failing, of)
