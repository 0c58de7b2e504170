"""A drawing: nodes and arrows of bounded number, before it is known how they are written. Texts in it may be hostile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from cmdb_server.answers.render.report import MARKS, name
from cmdb_server.answers.told import Named

MOST_NODES = 250
MOST_ARROWS = 500
LONGEST = 80
"""Characters of one line of a label."""
State = Literal["failed", "down", "degraded", "up", "asked", "plain", "note"]


@dataclass(frozen=True, slots=True)
class Node:
    """``ci``: None for a note. ``lines``: what its label says below the name. ``state`` gives its shape; where it is one
    that a CI can be in, the label says it in words too."""

    ci: Named | None
    state: State
    lines: tuple[str, ...] = ()

    @property
    def label(self) -> tuple[str, ...]:
        """Line by line."""
        if self.ci is None:
            return self.lines
        told = (
            "✖ fails itself"
            if self.state == "failed"
            else f"{MARKS[self.state]} {self.state}"
            if self.state in MARKS
            else ""
        )
        return tuple(line for line in (name(self.ci), self.ci.class_ or "", told, *self.lines) if line)


@dataclass(frozen=True, slots=True)
class Arrow:
    """From who is stood on to who stands on it, the way a failure runs. ``label``: the gate. ``holds``: nothing runs
    along it, as the gate holds."""

    source: str
    target: str
    label: str = ""
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """``nodes`` by id, in order. ``left_out``: what is not drawn, in words."""

    title: str
    nodes: dict[str, Node]
    arrows: tuple[Arrow, ...]
    left_out: tuple[str, ...] = ()

    def every(self) -> dict[str, Node]:
        """The nodes, and one more with what is left out."""
        if not self.left_out:
            return self.nodes
        return {**self.nodes, "note": Node(None, "note", ("Not drawn:", *self.left_out))}


@dataclass(slots=True)
class Canvas:
    """A drawing while it is made. What comes first is drawn; what is beyond the bounds is counted."""

    title: str
    nodes: dict[str, Node] = field(default_factory=dict)
    _arrows: dict[Arrow, None] = field(default_factory=dict)
    _beyond: set[str] = field(default_factory=set)

    def put(self, ci: Named, state: State, *lines: str) -> None:
        """Draw a CI; one that is drawn already keeps its state and gets the lines."""
        if (drawn := self.nodes.get(ci.id)) is not None:
            more = tuple(line for line in lines if line not in drawn.lines)
            self.nodes[ci.id] = replace(drawn, lines=drawn.lines + more)
        elif len(self.nodes) < MOST_NODES:
            self.nodes[ci.id] = Node(ci, state, lines)
        else:
            self._beyond.add(ci.id)

    def lead(self, source: Named | str, target: Named | str, label: str = "", *, holds: bool = False) -> None:
        """Draw an arrow, if both its ends are drawn in the end."""
        first, last = (one if isinstance(one, str) else one.id for one in (source, target))
        self._arrows[Arrow(first, last, label, holds)] = None

    def done(self, *left_out: str) -> Drawing:
        """``left_out``: what was not even given; empty ones do not count."""
        drawn = [one for one in self._arrows if one.source in self.nodes and one.target in self.nodes]
        beyond = f"{len(self._beyond)} CIs" if self._beyond else ""
        arrows = f"{len(drawn) - MOST_ARROWS} arrows" if len(drawn) > MOST_ARROWS else ""
        told = tuple(one for one in (*left_out, beyond, arrows) if one)
        return Drawing(self.title, self.nodes, tuple(drawn[:MOST_ARROWS]), told)
