"""The topics of a host, one module each; whatever module lies here with a ``PROBE`` is part of the scan."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from cmdb_agent.probe import Probe


@cache
def probes() -> tuple[Probe, ...]:
    """Every probe of this folder, ordered by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    found = [import_module(f"{__name__}.{name}").PROBE for name in names]
    return tuple(sorted(found, key=lambda probe: probe.name))
