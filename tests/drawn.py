"""Drawings whose every text may be hostile."""

from __future__ import annotations

from hypothesis import strategies as st

from cmdb_server.answers.render.drawing import Arrow, Drawing, Node
from cmdb_server.answers.told import Named
from tests.hostile import NAMES

STATES = ("failed", "down", "degraded", "up", "asked", "plain")


def _drawing(
    title: str, told: list[tuple[str, str, str, list[str]]], arrows: list[tuple[int, int, str, bool]]
) -> Drawing:
    nodes = {
        str(place): Node(Named(str(place), name, class_), state, tuple(lines))  # type: ignore[arg-type]
        for place, (name, class_, state, lines) in enumerate(told)
    }
    ends = len(nodes)
    found = tuple(dict.fromkeys(Arrow(str(a % ends), str(b % ends), label, holds) for a, b, label, holds in arrows))
    return Drawing(title, nodes, found, (title,))


DRAWINGS: st.SearchStrategy[Drawing] = st.builds(
    _drawing,
    NAMES,
    st.lists(st.tuples(NAMES, NAMES, st.sampled_from(STATES), st.lists(NAMES, max_size=2)), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), NAMES, st.booleans()), max_size=4),
)
