"""Gates: how many of its providers a consumer needs. Pure arithmetic on integers.

A gate counts the providers a consumer has under one key. ``serving`` are those not down, ``fully up`` those neither
down nor degraded; with kind ``weighted`` each counts with its weight. The gate is down when serving < need; else
degraded when fully up < need, or serving < want. An empty gate never fires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, get_args

from cmdb_server.errors import Invalid

Kind = Literal["all", "at_least", "weighted", "degrade_only"]
KINDS: tuple[str, ...] = get_args(Kind)


class State(IntEnum):
    """Ordered: the worst counts."""

    UP = 0
    DEGRADED = 1
    DOWN = 2


@dataclass(frozen=True, slots=True)
class Gate:
    """What a gate asks for, before its members are known.

    ``at_least`` takes ``k`` (members) or ``percent`` (of them); ``weighted`` takes ``t`` (weight) or ``percent``.
    With ``inclusive`` exactly k (t, percent) serving is not enough. ``want``, in the same unit as ``k`` or ``t``: fewer
    serving is degraded; for ``weighted`` all by default.
    """

    kind: Kind = "all"
    k: int | None = None
    percent: int | None = None
    inclusive: bool = False
    t: int | None = None
    want: int | None = None

    def __post_init__(self) -> None:
        if problem := _problem(self):
            raise Invalid(f"gate {self.kind}: {problem}")

    @property
    def weighs(self) -> bool:
        """Whether members count with their weight; else each counts once."""
        return self.kind == "weighted"

    @classmethod
    def of(cls, value: Any, path: str = "gate") -> Gate:
        """The gate of a plain mapping such as ``{"kind": "at_least", "k": 2}``. Raises ``Invalid`` with its path."""
        if not isinstance(value, Mapping):
            raise _refuse(path, "must be a mapping with a kind")
        if unknown := sorted(str(key) for key in value if key not in cls.__slots__):
            raise _refuse(path, f"unknown member {unknown[0]}; known are {', '.join(cls.__slots__)}")
        if value.get("kind") not in KINDS:
            raise _refuse(f"{path}.kind", f"must be one of {', '.join(KINDS)}")
        try:
            return cls(**value)
        except Invalid as error:
            raise _refuse(path, error.detail) from error

    def value(self) -> dict[str, Any]:
        """The plain mapping that ``of`` reads back."""
        set_ = {name: getattr(self, name) for name in ("k", "percent", "t", "want") if getattr(self, name) is not None}
        return {"kind": self.kind, **set_, **({"inclusive": True} if self.inclusive else {})}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A gate with its members counted. All in members, or in weight when the gate weighs.

    ``need``: fewer serving is down. ``want``: fewer serving is degraded. ``full``: fewer fully up is degraded.
    ``asked``: the need before it was clamped to ``total``.
    """

    total: int
    need: int
    want: int
    full: int
    asked: int

    @property
    def under_provisioned(self) -> bool:
        """There are fewer members than the gate asks for."""
        return self.asked > self.total

    def state(self, serving: int, fully_up: int) -> State:
        """The gate's state; ``fully_up`` <= ``serving`` <= ``total``."""
        if self.total == 0 or (serving >= self.want and fully_up >= self.full):
            return State.UP
        return State.DOWN if serving < self.need else State.DEGRADED


def threshold(gate: Gate, total: int) -> Threshold:
    """The thresholds of ``gate`` over members that count ``total`` together."""
    if gate.kind == "all":
        return Threshold(total, total, total, total, total)
    if gate.kind == "degrade_only":
        return Threshold(total, 0, total, total, 0)
    asked = _asked(gate, total)
    need = min(asked, total)
    default = total if gate.weighs else need
    want = default if gate.want is None else min(gate.want, total)
    return Threshold(total, need, max(want, need), need, asked)


def _asked(gate: Gate, total: int) -> int:
    """The smallest count that is enough: 100 * count >= percent * total, or more than that when inclusive."""
    if gate.percent is None:
        count = gate.t if gate.weighs else gate.k
        assert count is not None
        return count + gate.inclusive
    part = gate.percent * total
    return part // 100 + 1 if gate.inclusive else -(-part // 100)


def _problem(gate: Gate) -> str | None:
    counts = {"k": gate.k, "percent": gate.percent, "t": gate.t, "want": gate.want}
    for name, count in counts.items():
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            return f"{name} must be a whole number, 0 or more"
    if not isinstance(gate.inclusive, bool):
        return "inclusive must be true or false"
    allowed = {"at_least": ("k", "percent"), "weighted": ("t", "percent")}.get(gate.kind, ())
    given = [name for name in ("k", "percent", "t") if counts[name] is not None]
    if allowed and (len(given) != 1 or given[0] not in allowed):
        return f"takes {' or '.join(allowed)}"
    if not allowed and (given or gate.want is not None or gate.inclusive):
        return "takes nothing else"
    if gate.percent is not None and gate.percent > 100:
        return "percent must be at most 100"
    return None


def _refuse(path: str, problem: str) -> Invalid:
    return Invalid(f"{path}: {problem}", errors=[{"path": path, "message": problem}])


ALL = Gate()
