"""Who looks at the graph, by which classes it is read, and what of it they may see. Every read takes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cmdb_schemas.ci_class import CIClass, classes
from cmdb_server.answers.past_graphs import PastGraphs

if TYPE_CHECKING:
    from cmdb_server.answers.sight import Sight


@dataclass(frozen=True, slots=True)
class Viewer:
    """``subject`` and ``role`` of the token that asks. ``kinds``: the classes in use, the installation's own included.
    ``sight``: what it sees; None: everything. ``past``: where graphs of the past are kept for the next question."""

    subject: str
    role: str
    kinds: Mapping[str, CIClass] = field(default_factory=classes, repr=False, compare=False)
    sight: Sight | None = field(default=None, repr=False, compare=False)
    past: PastGraphs = field(default_factory=PastGraphs, repr=False, compare=False)
