"""The risk of a change as a number with its reasons: each term a share from 0 to 1, the score their weighted mean.

The weights stand in ``risk.toml``. What came of past changes tells what a score is worth: ``calibration``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any

TERMS = (
    "services", "redundancy", "blast_radius", "history", "kind", "collisions", "doubt", "back_out", "window",
)  # fmt: skip
BANDS = ("low", "medium", "high", "very_high")
_Z = 1.96
"""The quantile of a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the risk is told of. ``services``: (criticality or None, whether it goes down) of each one hit.
    ``past``: (changes like this that went wrong, all of them); ``lineages``: of each class changed, itself and its
    ancestors. ``colliding``: bookings with which it is fatal together; ``touching``: bookings that overlap on the same
    CIs or their neighbours. ``in_window``: the share of its time within maintenance windows, None where none is kept.
    ``in_freeze``: whether it lies in a freeze."""

    services: Sequence[tuple[str | None, bool]] = ()
    redundancy_lost: int = 0
    affected: int = 0
    past: tuple[int, int] = (0, 0)
    kind: str = "normal"
    lineages: Sequence[Sequence[str]] = ()
    colliding: int = 0
    touching: int = 0
    uncertain: int = 0
    back_out: bool = False
    in_window: float | None = None
    in_freeze: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """``share``: 0 to 1; ``points``: what it adds to the score; ``why``: what was counted."""

    name: str
    share: float
    weight: float
    points: float
    why: str


@dataclass(frozen=True, slots=True)
class Risk:
    """``score``: 0 to 100, the sum of the points; ``band``: its name; ``terms`` in the order of their points."""

    score: int
    band: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """``risk.toml`` or a table of the same form."""

    weights: Mapping[str, float]
    criticality: Mapping[str, float]
    scale: Mapping[str, float]
    kind: Mapping[str, float]
    class_: Mapping[str, float]
    bands: Mapping[str, float]


def weights_of(table: Mapping[str, Any]) -> Weights:
    """Raises ``ValueError`` naming the table and the key that is missing, unknown or out of bounds."""
    names = {field.name.rstrip("_") for field in fields(Weights)}
    for section in names ^ set(table):
        raise ValueError(f"risk: {'unknown' if section in table else 'missing'} table {section!r}")
    for section, known in (("weights", TERMS), ("bands", BANDS)):
        for name in set(known) ^ set(table[section]):
            raise ValueError(f"risk: {section}: {'missing' if name in known else 'unknown'} {name!r}")
    for section in names:
        for name, value in table[section].items():
            top = 1.0 if section in ("criticality", "kind", "class") else math.inf
            if not isinstance(value, int | float) or not 0 <= value <= top:
                raise ValueError(
                    f"risk: {section}.{name}: {value!r} is no number from 0{f' to {top:g}' if top == 1 else ''}"
                )
    if not sum(table["weights"].values()):
        raise ValueError("risk: weights: all are 0")
    return Weights(**{field.name: table[field.name.rstrip("_")] for field in fields(Weights)})


@cache
def default_weights() -> Weights:
    """Those that come with the product."""
    return weights_of(tomllib.loads(resources.files(__package__).joinpath("risk.toml").read_text(encoding="utf-8")))


def risk(facts: Facts, weights: Weights | None = None) -> Risk:
    """The score and its terms. No term is lowered by more of what it counts."""
    by = weights or default_weights()
    whole = sum(by.weights.values())
    terms = []
    for name, (share, why) in _shares(facts, by).items():
        weight = by.weights[name] / whole
        terms.append(Term(name, share, by.weights[name], 100 * weight * share, why))
    score = round(sum(term.points for term in terms))
    return Risk(score, _band(score, by), tuple(sorted(terms, key=lambda term: (-term.points, term.name))))


def _band(score: int, by: Weights) -> str:
    """The highest that begins at ``score`` or below."""
    reached = [name for name in by.bands if by.bands[name] <= score] or [min(by.bands, key=lambda name: by.bands[name])]
    return max(reached, key=lambda name: by.bands[name])


def _shares(facts: Facts, by: Weights) -> dict[str, tuple[float, str]]:
    down = sum(1 for _, falls in facts.services if falls)
    wrong, changes = facts.past
    scale = by.scale
    history = (wrong + scale["prior"] * scale["prior_weight"]) / (changes + scale["prior_weight"])
    outside = None if facts.in_window is None else 1 - facts.in_window
    return {
        "services": (_services(facts, by), f"{down} down, {len(facts.services) - down} degraded"),
        "redundancy": (_half(facts.redundancy_lost, scale["redundancy"]), f"{facts.redundancy_lost} weakened"),
        "blast_radius": (
            min(1.0, math.log1p(facts.affected) / math.log1p(scale["blast_radius"])), f"{facts.affected} CIs"
        ),
        "history": (history, f"{wrong} of {changes} like it went wrong"),
        "kind": (max(by.kind.get(facts.kind, 1.0), _class(facts, by)), facts.kind),
        "collisions": (
            1.0 if facts.colliding else _half(facts.touching, 2),
            f"{facts.colliding} fatal together, {facts.touching} on the same or neighbouring CIs",
        ),
        "doubt": (_half(facts.uncertain, scale["doubt"]), f"{facts.uncertain} uncertain"),
        "back_out": (0.0 if facts.back_out else 1.0, "planned" if facts.back_out else "no plan"),
        "window": _window(facts.in_freeze, outside),
    }  # fmt: skip


def _services(facts: Facts, by: Weights) -> float:
    """One minus the product of what each leaves: many small ones add up, never beyond 1."""
    left = 1.0
    for criticality, falls in facts.services:
        share = by.criticality.get(criticality or "unknown", by.criticality["unknown"])
        left *= 1 - share * (1 if falls else by.scale["degraded"])
    return 1 - left


def _class(facts: Facts, by: Weights) -> float:
    found = (next((by.class_[name] for name in lineage if name in by.class_), 0.0) for lineage in facts.lineages)
    return max(found, default=0.0)


def _window(in_freeze: bool, outside: float | None) -> tuple[float, str]:
    if in_freeze:
        return 1.0, "in a freeze"
    if outside is None:
        return 0.5, "no maintenance window is kept"
    return outside, "in maintenance windows" if not outside else f"{outside:.0%} of it outside of maintenance windows"


def _half(count: int, half: float) -> float:
    """0 for none, a half for ``half``, towards 1 for many."""
    return count / (count + half) if count else 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of the ``changes`` scored in a band, ``wrong`` went wrong; ``low`` to ``high``: where their true share lies, at
    95 % (Wilson's interval)."""

    band: str
    changes: int
    wrong: int
    low: float
    high: float


def calibration(outcomes: Iterable[tuple[int, bool]], weights: Weights | None = None) -> tuple[Calibration, ...]:
    """What became of (score, went wrong), by band: whether a higher band really goes wrong more often."""
    by = weights or default_weights()
    told: dict[str, list[bool]] = {name: [] for name in sorted(by.bands, key=lambda name: by.bands[name])}
    for score, wrong in outcomes:
        told[_band(score, by)].append(wrong)
    return tuple(Calibration(name, len(all_), sum(all_), *_wilson(sum(all_), len(all_))) for name, all_ in told.items())


def _wilson(wrong: int, changes: int) -> tuple[float, float]:
    if not changes:
        return 0.0, 1.0
    share, spread = wrong / changes, _Z * _Z / changes
    middle = share + spread / 2
    reach = _Z * math.sqrt(share * (1 - share) / changes + spread / (4 * changes))
    return max(0.0, (middle - reach) / (1 + spread)), min(1.0, (middle + reach) / (1 + spread))
