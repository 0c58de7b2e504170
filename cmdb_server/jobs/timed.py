"""Does what is due: each kind of job has one function that does it, found by listing this folder.

Any number of processes may do this at once. Nothing is written while nothing is due.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import cmdb_server.jobs
from cmdb_schemas.ci_class import CIClass
from cmdb_server.errors import CmdbError
from cmdb_server.practices import timed
from cmdb_server.practices.claims import CLAIM_MS
from cmdb_server.practices.kind import Kind
from cmdb_server.practices.timed import Job
from cmdb_server.projection.projections import Projections
from cmdb_server.settings import Settings
from cmdb_server.store.port import Store

LOG = logging.getLogger(__name__)
LONGEST_FAULT = 1000


@dataclass(frozen=True, slots=True)
class Running:
    """What jobs are done with: the store, and what is read from it and from files at the start."""

    settings: Settings
    store: Store
    projections: Projections
    kinds: Mapping[str, CIClass]
    kept: Mapping[str, Kind]


Doing: TypeAlias = Callable[[Running, Job, int], int | None]
"""Does one job, at a time (ms); gives when it is due again, or None. It may be done twice. Whatever it raises is the
fault that the job shows until it is tried again."""
_DOING: dict[str, Doing] = {}


def job(kind: str) -> Callable[[Doing], Doing]:
    """Have a function do the jobs of this kind."""

    def register(doing: Doing) -> Doing:
        if kind in _DOING:
            raise ValueError(f"{kind} is done by {_DOING[kind].__module__} already")
        _DOING[kind] = doing
        return doing

    return register


@cache
def known() -> Mapping[str, Doing]:
    """By kind, who does it: all modules of this folder are asked."""
    for module in pkgutil.iter_modules(cmdb_server.jobs.__path__, f"{cmdb_server.jobs.__name__}."):
        importlib.import_module(module.name)
    return _DOING


def run(running: Running, now_ms: int, doing: Mapping[str, Doing] | None = None) -> int:
    """Do what is due and nobody's yet; gives how many were done. Call it again until that is 0."""
    told = known() if doing is None else doing
    done = sum(_one(running, found.id, now_ms, told) for found in timed.due(running.store, now_ms))
    if done:
        timed.forget(running.store, now_ms)
    return done


def _one(running: Running, id_: str, now_ms: int, doing: Mapping[str, Doing]) -> bool:
    mine = timed.claim(running.store, id_, now_ms)
    if mine is None:
        return False
    try:
        if mine.kind not in doing:
            raise LookupError(f"no job is called {mine.kind!r} here")  # noqa: TRY301
        with held(running.store, mine):
            again_at = doing[mine.kind](running, mine, now_ms)
    except Exception as error:  # noqa: BLE001  one that fails keeps none of the others from being done
        LOG.warning("job %s (%s) failed: %s", mine.id, mine.kind, error)
        timed.failed(running.store, mine, f"{type(error).__name__}: {error}"[:LONGEST_FAULT], now_ms)
        return False
    return timed.done(running.store, mine, now_ms, again_at)


@contextmanager
def held(store: Store, mine: Job, every: float = CLAIM_MS / 3000) -> Iterator[None]:
    """Extend the claim every so many seconds, for a job that takes longer than one lasts: else another would begin
    it, again and again, before any has ended."""
    ended = threading.Event()

    def extend() -> None:
        while not ended.wait(every):
            try:
                timed.extend(store, mine, time.time_ns() // 1_000_000)
            except CmdbError as error:
                LOG.warning("job %s (%s) could not be held: %s", mine.id, mine.kind, error)

    thread = threading.Thread(target=extend, name=f"holds {mine.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
