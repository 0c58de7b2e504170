"""The MIBs of a device, one module each; whatever module lies here with a ``MIB`` is read."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from cmdb_agent.probe import Mib


@cache
def mibs() -> tuple[Mib, ...]:
    """Every MIB of this folder, ordered by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    found: list[Mib] = [import_module(f"{__name__}.{name}").MIB for name in names]
    return tuple(sorted(found, key=lambda mib: mib.name))
