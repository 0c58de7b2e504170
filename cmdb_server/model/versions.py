"""Sources with keys of their own: several records of one key are versions of one thing, or the key was reused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from cmdb_server.model.evidence import View, points, score
from cmdb_server.model.record import Record
from cmdb_server.model.weighing import Weights


def withdrawn(records: Iterable[Record], weights: Weights, without: frozenset[tuple[str, str]]) -> dict[str, str]:
    """record id -> the id of the next version of its key, for each version that the next one still fits (their score,
    native key included, is not negative). A withdrawn version's evidence no longer counts; it stays with its
    successor. Versions are ordered by when they were last observed."""
    keyed: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.native_key is not None:
            keyed.setdefault((record.source, record.native_key), []).append(record)
    found: dict[str, str] = {}
    for versions in keyed.values():
        if len(versions) > 1:
            found.update(_successors(sorted(versions, key=_last_observed), weights, without))
    return found


def _last_observed(record: Record) -> tuple[int, int, str]:
    return record.last_at, record.first_at, record.id


def _successors(versions: Sequence[Record], weights: Weights, without: frozenset[tuple[str, str]]) -> Mapping[str, str]:
    views = [View(record, weights, without) for record in versions]
    return {
        old.record.id: new.record.id
        for old, new in pairwise(views)
        if score(points(old, new, weights.between(old.record.family, new.record.family))) >= 0
    }
