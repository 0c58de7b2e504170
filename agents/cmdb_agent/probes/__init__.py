"""The topics of a host, one module each; whatever module lies here with a ``PROBE`` is part of the scan."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from cmdb_agent.probe import Probe
from cmdb_agent.software import Signatures


@cache
def probes() -> tuple[Probe, ...]:
    """Every probe of this folder, ordered by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    found = [import_module(f"{__name__}.{name}").PROBE for name in names]
    return tuple(sorted(found, key=lambda probe: probe.name))


@cache
def probes_for(known: Signatures) -> tuple[Probe, ...]:
    """Every probe; those that read what signatures ask for, for these signatures."""
    modules = (import_module(f"{__name__}.{name}") for name in ("configuration", "names"))
    made = {probe.name: probe for probe in (module.probe_for(known) for module in modules)}
    return tuple(made.get(probe.name, probe) for probe in probes())
