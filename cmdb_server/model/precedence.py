"""Which of several sources' values a CI shows: pinned, else the source that is to be believed, else the newest.

All values are kept; this only chooses. The choice at a time is a function of the candidates alone, and so is the time
at which it would next change by itself.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from cmdb_schemas.units import duration_ms

_UNLISTED = 1_000_000


@dataclass(frozen=True, slots=True)
class Candidate:
    """One record's newest value of an attribute. ``since``: its first sighting; ``confirmed_at``: its last, ms."""

    source: str
    record: str
    value: Any
    since: int
    confirmed_at: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """``winner``: None without a candidate or when pinned. ``why``: ``pinned``, ``only``, ``precedence``,
    ``newest``, ``yielded`` (a source with precedence is stale) or ``stale`` (no fresh value is left). ``losers``: best first. ``deadline``: when the winner goes stale and may
    change without anything being observed, ms."""

    value: Any
    winner: Candidate | None
    why: str
    losers: tuple[Candidate, ...]
    deadline: int | None


@dataclass(frozen=True, slots=True)
class Rules:
    """``orders``: (class, attribute or "*") -> source method -> rank, 0 first. Refresh times in ms, None: never."""

    orders: Mapping[tuple[str, str], Mapping[str, int]]
    refresh: int | None
    by_source: Mapping[str, int | None]
    by_rule: Mapping[tuple[str, str], int | None]

    def key(self, lineage: Sequence[str], attribute: str) -> tuple[str, str] | None:
        """The rule that holds: the attribute's own, of the class or its nearest ancestor; else the class's for any."""
        for wanted in (attribute, "*"):
            for class_ in lineage:
                if (class_, wanted) in self.orders:
                    return class_, wanted
        return None

    def stale_at(self, candidate: Candidate, key: tuple[str, str] | None) -> int | None:
        """When the candidate loses its place unless it is confirmed."""
        method = candidate.source.partition(":")[0]
        span = self.by_rule.get(key, self.refresh) if key else self.refresh
        span = self.by_source.get(method, span)
        return None if span is None else candidate.confirmed_at + span


def _refresh(text: str) -> int | None:
    span = duration_ms(text)
    if span is None and text != "never":
        raise ValueError(f"refresh: {text!r} is neither an ISO 8601 duration nor never")
    return span


def rules_of(*tables: Mapping[str, Any]) -> Rules:
    """Rules from TOML tables; of two for one class and attribute the later table's holds."""
    orders: dict[tuple[str, str], Mapping[str, int]] = {}
    by_rule: dict[tuple[str, str], int | None] = {}
    by_source: dict[str, int | None] = {}
    refresh = None
    for table in tables:
        refresh = _refresh(table["refresh"]) if "refresh" in table else refresh
        by_source |= {source: _refresh(text) for source, text in table.get("refresh_by_source", {}).items()}
        for rule in table.get("rule", ()):
            key = rule["class"], rule.get("attribute", "*")
            orders[key] = _ranks(rule["order"])
            if "refresh" in rule:
                by_rule[key] = _refresh(rule["refresh"])
    return Rules(orders, refresh, by_source, by_rule)


def _ranks(order: Sequence[str | Sequence[str]]) -> dict[str, int]:
    return {
        source: rank for rank, entry in enumerate(order) for source in ([entry] if isinstance(entry, str) else entry)
    }


@lru_cache(maxsize=1)
def shipped() -> Rules:
    """The rules that come with the product."""
    return rules_of(tomllib.loads((resources.files("cmdb_server.model") / "precedence.toml").read_text("utf-8")))


def empty(value: Any) -> bool:
    """Whether a value says nothing: absent and empty never overwrite."""
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)


def winner(
    candidates: Iterable[Candidate],
    rules: Rules,
    at: int,
    *,
    lineage: Sequence[str],
    attribute: str,
    pinned: Any = None,
) -> Verdict:
    """The value of ``attribute`` at ``at`` (ms). ``lineage``: the CI's class and its ancestors, itself first."""
    key = rules.key(lineage, attribute)
    ranks = rules.orders[key] if key else {}
    told = [c for c in candidates if not empty(c.value)]
    if len(told) > 1:
        told.sort(key=lambda c: _place(c, rules, key, ranks, at))
    if not empty(pinned):
        return Verdict(pinned, None, "pinned", tuple(told), None)
    if not told:
        return Verdict(None, None, "", (), None)
    first, *rest = told
    stale_at = rules.stale_at(first, key)
    fresh = stale_at is None or stale_at > at
    return Verdict(
        first.value, first, _why(first, rest, ranks, fresh), tuple(rest), stale_at if fresh and rest else None
    )


def _place(
    candidate: Candidate, rules: Rules, key: tuple[str, str] | None, ranks: Mapping[str, int], at: int
) -> tuple[bool, int, int, int, str, str]:
    stale_at = rules.stale_at(candidate, key)
    stale = stale_at is not None and stale_at <= at
    rank = _UNLISTED if stale else _rank(candidate, ranks)
    text = json.dumps(candidate.value, sort_keys=True, default=str)
    return stale, rank, -candidate.confirmed_at, -candidate.since, text, candidate.record


def _rank(candidate: Candidate, ranks: Mapping[str, int]) -> int:
    return ranks.get(candidate.source.partition(":")[0], _UNLISTED)


def _why(first: Candidate, rest: Sequence[Candidate], ranks: Mapping[str, int], fresh: bool) -> str:
    if not rest:
        return "only"
    if not fresh:
        return "stale"
    own, others = _rank(first, ranks), [_rank(c, ranks) for c in rest]
    if min(others) < own:
        return "yielded"
    return "precedence" if max(others) > own else "newest"
