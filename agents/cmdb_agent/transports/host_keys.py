"""Pinned SSH host keys: from known_hosts files and from pins in the settings. No key is ever taken on trust unless
an enrolment file was named, and a changed one never is.

A pin is ``ssh-ed25519 AAAA…`` or ``SHA256:…``; the latter does not say which kind of key to ask the host for, so give
the fingerprint of every key the host has. ``@cert-authority`` lines are not used.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import functools
import hashlib
import hmac
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cmdb_agent.errors import SettingsError, TransportError
from cmdb_agent.settings import SshAccess

_enrolling = threading.Lock()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a known_hosts file."""

    patterns: tuple[str, ...]
    type: str
    key: str
    revoked: bool = False

    def names(self, name: str) -> bool:
        """Whether this line speaks of ``name`` (``host`` or ``[host]:port``)."""
        if any(_matches(pattern[1:], name) for pattern in self.patterns if pattern.startswith("!")):
            return False
        return any(_matches(pattern, name) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class Pinned:
    """What is known of one host's keys."""

    name: str
    entries: tuple[Entry, ...]
    fingerprints: frozenset[str]
    enrol: str = ""

    @property
    def types(self) -> list[str]:
        """Key types to ask the host for first: another type than the pinned would look like a changed key."""
        return list(dict.fromkeys(entry.type for entry in self.entries if not entry.revoked))

    def check(self, type_: str, blob: bytes) -> None:
        """Accepts the key the host proved or raises ``TransportError`` of kind ``host-key`` naming both."""
        key, shown = base64.b64encode(blob).decode(), f"{type_} {fingerprint(blob)}"
        if any(entry.revoked and entry.key == key for entry in self.entries):
            raise TransportError(f"{self.name}: host key {shown} is revoked", "host-key")
        known = [entry for entry in self.entries if not entry.revoked]
        if any(entry.key == key for entry in known) or fingerprint(blob) in self.fingerprints:
            return
        if known or self.fingerprints:
            pinned = sorted({*self.fingerprints, *(f"{e.type} {fingerprint(_decode(e.key))}" for e in known)})
            raise TransportError(f"{self.name}: host key changed: {shown}, pinned {', '.join(pinned)}", "host-key")
        if not self.enrol:
            raise TransportError(f"{self.name}: unknown host key {shown}; pin it or enrol it", "host-key")
        _enrol(Path(self.enrol), self.name, type_, key)


def pinned(host: str, port: int, access: SshAccess) -> Pinned:
    """All pins for one host. Raises ``SettingsError`` for a file that cannot be read or a pin that is none."""
    name = host if port == 22 else f"[{host}]:{port}"
    files = [Path(file).expanduser() for file in access.known_hosts]
    if access.enrol_host_keys and Path(access.enrol_host_keys).exists():
        files.append(Path(access.enrol_host_keys))
    entries = [entry for file in files for entry in _read(file) if entry.names(name)]
    fingerprints = {pin for pin in access.pins if pin.startswith("SHA256:")}
    for pin in set(access.pins) - fingerprints:
        type_, _, key = pin.partition(" ")
        if not _decode(key.split(" ")[0]):
            raise SettingsError(f"{name}: {pin[:80]!r} is not a host key pin")
        entries.append(Entry((name,), type_, key.split(" ")[0]))
    return Pinned(name, tuple(entries), frozenset(fingerprints), access.enrol_host_keys)


def fingerprint(blob: bytes) -> str:
    """As ``ssh-keygen -l`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def parse(text: str) -> Iterable[Entry]:
    """The usable lines of a known_hosts file, format of sshd(8); what it does not know is passed over."""
    for line in text.splitlines():
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0) if fields[0].startswith("@") else ""
        if len(fields) >= 3 and marker in ("", "@revoked") and _decode(fields[2]):
            yield Entry(tuple(fields[0].split(",")), fields[1], fields[2], marker == "@revoked")


def _read(file: Path) -> tuple[Entry, ...]:
    try:
        stat = file.stat()
        return _parsed(file, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None


@functools.lru_cache(maxsize=16)
def _parsed(file: Path, _mtime_ns: int, _size: int) -> tuple[Entry, ...]:
    return tuple(parse(file.read_text(encoding="utf-8", errors="replace")))


def _matches(pattern: str, name: str) -> bool:
    if pattern.startswith("|1|"):
        _, _, salt, digest = [*pattern.split("|"), "", ""][:4]
        return hmac.compare_digest(hmac.digest(_decode(salt), name.encode(), "sha1"), _decode(digest))
    if "*" in pattern or "?" in pattern:
        # Square brackets are literal here: [host]:port.
        return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))
    return pattern == name


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _enrol(file: Path, name: str, type_: str, key: str) -> None:
    """Pins a key on first use, on disk before the session goes on."""
    with _enrolling:
        try:
            with file.open("a", encoding="utf-8") as stream:
                stream.write(f"{name} {type_} {key}\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise TransportError(f"{name}: host key not enrolled: {file}: {error.strerror}", "host-key") from None
