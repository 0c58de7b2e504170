"""The formats that can be imported: one module each, found by listing this folder.

A module has ``TITLE`` (one line), ``MEDIA`` (the media type of its files) and
``read(text, options) -> Iterator[Entry | Fault]``. It is pure: text in, entries out. With ``OF_SUBJECT = True`` its one
entry is the CI that the options name.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module

from cmdb_server.practices.imports.entry import Entry, Fault, Options


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    title: str
    media: str
    read: Callable[[str, Options], Iterator[Entry | Fault]]
    of_subject: bool = False


@cache
def formats() -> Mapping[str, Format]:
    """All formats by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = import_module(f"{__name__}.{module.name}")
        of_subject = getattr(loaded, "OF_SUBJECT", False)
        found[module.name] = Format(module.name, loaded.TITLE, loaded.MEDIA, loaded.read, of_subject)
    return found
