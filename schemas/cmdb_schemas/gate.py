"""Gates as they are written: in relation types, in classes, and as an attribute of one CI.

A gate is a mapping with ``kind``:

- ``all``: every provider must serve; ``degrade_only``: the same, but never worse than degraded;
- ``at_least`` with ``k`` (how many must serve) or ``percent``; ``weighted`` with ``t`` (how much weight) or ``percent``;
  ``inclusive``: exactly that many are too few; ``want``: fewer are degraded;
- ``path``: some path to a gateway must be left (relation types only).
"""

from __future__ import annotations

from collections.abc import Mapping

MEMBERS: dict[str, frozenset[str]] = {
    "all": frozenset(),
    "degrade_only": frozenset(),
    "path": frozenset(),
    "at_least": frozenset({"k", "percent", "inclusive", "want"}),
    "weighted": frozenset({"t", "percent", "inclusive", "want"}),
}


def gate_problem(value: object) -> str | None:
    """What is wrong with a gate, in words; None when it can be used."""
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str) or value["kind"] not in MEMBERS:
        return f"must be a mapping whose kind is one of {', '.join(MEMBERS)}"
    kind = value["kind"]
    if unknown := sorted(str(name) for name in value if name != "kind" and name not in MEMBERS[kind]):
        return f"{kind} has no {unknown[0]}"
    counted = [name for name in ("k", "t", "percent") if name in MEMBERS[kind]]
    if counted and sum(name in value for name in counted) != 1:
        return f"{kind} takes {' or '.join(counted)}"
    for name, count in value.items():
        if name not in ("kind", "inclusive") and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
            return f"{name} must be a whole number, 0 or more"
    if not isinstance(value.get("inclusive", False), bool):
        return "inclusive must be true or false"
    return "percent must be at most 100" if value.get("percent", 0) > 100 else None


def gates_problem(value: object) -> str | None:
    """The same of what a class or CI sets: one gate, or gates by relation type (``depends_on``) or by relation type and
    group or class of provider (``depends_on/database_instance``)."""
    if not isinstance(value, Mapping):
        return "must be a gate, or gates by relation type"
    if "kind" in value:
        return _own_problem(value)
    for name, gate in value.items():
        if problem := _own_problem(gate):
            return f"{name}: {problem}"
    return None


def _own_problem(value: object) -> str | None:
    if isinstance(value, Mapping) and value.get("kind") == "path":
        return "path is a gate of relation types alone"
    return gate_problem(value)
