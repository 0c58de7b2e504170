"""Device profiles: what each maker's devices are, and where they keep model, version and serial number.

A profile is one TOML file in ``profiles/``, found by listing; a user's own folders add theirs in the same format, and
one of the same name replaces the shipped one. A file holds::

    extends = "cisco"                          # or a list; what this file does not say is taken from there
    sysobjectid = ["1.3.6.1.4.1.9.1"]          # itself or below; none: only there to be extended
    sysdescr = "Cisco NX-OS"                   # a regular expression that must be found, if given
    exists = ["1.3.6.1.4.1.6574.1.5.1.0"]      # of these one must be there, if given
    class = "switch"
    manufacturer = "Cisco"
    model_number = [{ oid = "1.3.6.1.2.1.1.1.0", match = 'Model: (\\S+)', as = '\\1' }]

Each fact is a text or a list of sources, of which the first that gives something counts. ``oid`` ends with ``.0`` for
a scalar and is else a column, read in its order or only at ``index``; ``match`` is searched in the value; ``as`` says
what to make of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cmdb_agent.component import told
from cmdb_agent.errors import SettingsError
from cmdb_agent.observation import HostFacts, Value
from cmdb_agent.smi import OID, Walks, below, oid, text

SHIPPED = Path(__file__).parent / "profiles"
FACTS = (
    "class", "manufacturer", "model_number", "serial_number", "os_name", "os_version", "hardware_version",
    "firmware_version", "asset_tag", "host.arch",
)  # fmt: skip
_CONDITIONS = frozenset({"sysobjectid", "sysdescr", "exists"})
_KEYS = frozenset({"extends", *_CONDITIONS, *FACTS})


@dataclass(frozen=True, slots=True)
class Source:
    """One place where a fact may stand."""

    oid: OID
    match: re.Pattern[str] | None = None
    template: str = ""
    index: OID = ()

    def read(self, walks: Walks) -> str:
        for varbind in below(walks, (*self.oid, *self.index)):
            if value := self._made(text(varbind.value)):
                return value
        return ""

    def _made(self, value: str) -> str:
        if self.match is None:
            return (self.template or value) if value else ""
        if (found := self.match.search(value)) is None:
            return ""
        return found.expand(self.template or (r"\1" if self.match.groups else r"\g<0>")).strip()


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of device. ``facts``: name -> sources, or the text itself."""

    name: str
    sysobjectid: tuple[OID, ...]
    sysdescr: re.Pattern[str] | None
    exists: tuple[OID, ...]
    facts: Mapping[str, str | tuple[Source, ...]]

    @property
    def oids(self) -> tuple[OID, ...]:
        """What has to be read from a device of this kind."""
        sources = (source for fact in self.facts.values() if not isinstance(fact, str) for source in fact)
        return tuple(dict.fromkeys(source.oid for source in sources))

    def fit(self, object_id: OID, descr: str) -> int:
        """How well the device's kind and description fit: 0 for not at all, more for a more specific match."""
        arcs = max((len(p) for p in self.sysobjectid if object_id[: len(p)] == p), default=0)
        if not arcs or (self.sysdescr and not self.sysdescr.search(descr)):
            return 0
        return arcs * 4 + (2 if self.exists else 0) + (1 if self.sysdescr else 0)

    def read(self, walks: Walks) -> HostFacts:
        """What the profile finds: attributes, the serial number as an identifier, and the class."""
        found = {name: self._fact(name, walks) for name in FACTS}
        class_ = found.pop("class") or None
        serial = found["serial_number"]
        attributes: dict[str, Value] = {**found}
        return HostFacts({"serial": [serial]} if serial else {}, told(attributes), class_)

    def _fact(self, name: str, walks: Walks) -> str:
        fact = self.facts.get(name, "")
        if isinstance(fact, str):
            return fact
        return next((value for source in fact if (value := source.read(walks))), "")


class Profiles:
    """All profiles of some folders."""

    def __init__(self, profiles: Iterable[Profile]) -> None:
        self._profiles = tuple(profiles)

    def __iter__(self) -> Iterator[Profile]:
        return iter(self._profiles)

    def candidates(self, object_id: OID, descr: str) -> list[Profile]:
        """Those that may fit, best first; which one does may hang on what ``exists``."""
        fitting = [(profile.fit(object_id, descr), profile) for profile in self._profiles]
        return [profile for fit, profile in sorted(fitting, key=lambda pair: (-pair[0], pair[1].name)) if fit]

    def choose(self, object_id: OID, descr: str, present: Collection[OID]) -> Profile:
        """The most specific profile; ``present`` are those of the candidates' ``exists`` that the device has."""
        for profile in self.candidates(object_id, descr):
            if not profile.exists or any(name in present for name in profile.exists):
                return profile
        return Profile("none", (), None, (), {})


@cache
def profiles(*folders: Path) -> Profiles:
    """The shipped profiles and those of the users' ``folders``. Raises ``SettingsError`` with file and key."""
    bodies: dict[str, tuple[Path, dict[str, Any]]] = {}
    for folder in (SHIPPED, *folders):
        if not folder.is_dir():
            raise SettingsError(f"{folder}: no such folder of profiles")
        for path in sorted(folder.glob("*.toml")):
            bodies[path.stem] = path, _body(path)
    return Profiles(_profile(name, bodies) for name in sorted(bodies))


def _body(path: Path) -> dict[str, Any]:
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    if unknown := sorted(body.keys() - _KEYS):
        raise SettingsError(f"{path}: {unknown[0]}: unknown key; known are {', '.join(sorted(_KEYS))}")
    return body


def _profile(name: str, bodies: Mapping[str, tuple[Path, dict[str, Any]]]) -> Profile:
    path, body = bodies[name]
    try:
        return Profile(
            name,
            tuple(oid(pattern.removesuffix(".*")) for pattern in body.get("sysobjectid", [])),
            re.compile(body["sysdescr"]) if "sysdescr" in body else None,
            tuple(oid(wanted) for wanted in body.get("exists", [])),
            {key: _fact(value) for key, value in _inherited(name, bodies, ()).items() if key in FACTS},
        )
    except (ValueError, TypeError, KeyError, AttributeError, re.error) as error:
        raise SettingsError(f"{path}: {error}") from error


def _inherited(name: str, bodies: Mapping[str, tuple[Path, dict[str, Any]]], children: Sequence[str]) -> dict[str, Any]:
    if name not in bodies:
        raise ValueError(f"extends {name!r}, which does not exist")
    if name in children:
        raise ValueError(f"extends itself by way of {' and '.join(children)}")
    _, body = bodies[name]
    extends = body.get("extends", [])
    facts: dict[str, Any] = {}
    for parent in [extends] if isinstance(extends, str) else extends:
        facts |= _inherited(parent, bodies, (*children, name))
    return facts | {key: value for key, value in body.items() if key in FACTS}


def _fact(value: str | list[dict[str, str]]) -> str | tuple[Source, ...]:
    if isinstance(value, str):
        return value
    for source in value:
        if unknown := source.keys() - {"oid", "index", "match", "as"}:
            raise ValueError(f"unknown key {min(unknown)!r} of a source; known are oid, index, match, as")
    return tuple(_source(source) for source in value)


def _source(source: dict[str, str]) -> Source:
    match = re.compile(source["match"]) if "match" in source else None
    index = oid(source["index"]) if "index" in source else ()
    return Source(oid(source["oid"]), match, source.get("as", ""), index)
