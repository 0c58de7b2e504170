"""What a probe is: a command and a pure function from its output to facts.

A probe module lives in ``probes/``, is found by listing that folder, and has one module-level ``PROBE``. Its cases
are the JSON files in ``tests/cases/probes/<name>/``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cmdb_agent.observation import Fact, Walk

Parse = Callable[[str], Iterable[Fact]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to ask. ``when`` is a POSIX test that must succeed on the host (``command -v ip``); the first variant
    whose test succeeds is the one that runs. ``sudo``: run with ``sudo -n`` where that is allowed, which sudoers must
    grant with exactly these arguments; ``partial_without_sudo``: what is read without it is only part of the truth.
    ``codes``: exit codes that still mean "read completely"."""

    command: str
    parse: Parse
    when: str = "true"
    sudo: bool = False
    partial_without_sudo: bool = False
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Probe:
    """One topic of one host. ``name`` is the report's section."""

    name: str
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Mib:
    """One MIB of one device: the roots to walk and a pure function from the walks (by root) to facts."""

    name: str
    roots: tuple[tuple[int, ...], ...]
    parse: Callable[[Mapping[tuple[int, ...], Walk]], Iterable[Fact]]
