"""What an import's file says, before it is an observation: plain values, one entry a CI, each with its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.report import End


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row (from 1; 0: the file as a whole) and where in it."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Link:
    """A relation. ``to``: another entry's key or id, ``class:name``, a CI's id, or an end that is told outright."""

    type: str
    to: str | End
    reverse: bool = False
    group: str | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """``key``: the source's own key; ``id``: another name for it within the file. ``parent``: key or id of the entry
    that this one is a component of."""

    row: int
    class_: str
    key: str
    attributes: Mapping[str, Any]
    identifiers: Mapping[str, list[str]] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    parent: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """``top``: the CI that a file is about, or the thing that this is a component of. ``way``: class and name from
    there down to it; a component's name is what tells it from others of its class there."""

    top: str
    way: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Options:
    """What a file does not say itself. ``host``: whose software a bill of materials lists, as it was told;
    ``subject``: the CI that this is, None where there is none yet."""

    kinds: Mapping[str, CIClass]
    host: str = ""
    subject: Subject | None = None
