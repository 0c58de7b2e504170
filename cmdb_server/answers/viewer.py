"""Who looks at the graph, and by which classes it is read. Every read takes one; all see everything for now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cmdb_schemas.ci_class import CIClass, classes


@dataclass(frozen=True, slots=True)
class Viewer:
    """``subject`` and ``role`` of the token that asks. ``kinds``: the classes in use, the installation's own included."""

    subject: str
    role: str
    kinds: Mapping[str, CIClass] = field(default_factory=classes, repr=False, compare=False)
