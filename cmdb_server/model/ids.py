"""Ids are derived, never drawn: the same observation gives the same id in every store and every order.

An id is a UUIDv5 over a canonical form that is frozen: a version word, then every part as its length in characters,
a colon and the part. Changing any of it would give every CI in every store another id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_NAMESPACE = bytes.fromhex("6f0e4c1bd7a5527eb0f3a6c1e2937d58")


def _uuid5(parts: Iterable[str]) -> str:
    form = "".join([f"{len(part)}:{part}" for part in parts])
    digest = hashlib.sha1(_NAMESPACE + form.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    variant = _VARIANT[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def record_id(
    source: str,
    site: str,
    class_: str,
    identifiers: Mapping[str, Sequence[str]],
    *,
    target: str | None = None,
    native_key: str | None = None,
) -> str:
    """The id of a record. ``identifiers`` are the raw values as they were told, before any distrust: neither a new
    rule nor a person's decision may move a record. A source with keys of its own is keyed by them, whatever the site
    it was read from; anything else by where it was seen."""
    place = ("native", source, native_key) if native_key is not None else ("target", source, site, target or "")
    parts = ["record-1", *place, class_]
    for kind, values in sorted(identifiers.items()):
        parts += (kind, "=", *(sorted(set(values)) if len(values) > 1 else values))
    return _uuid5(parts)


def component_id(parent: str, class_: str, local_key: str) -> str:
    """The id of a dependent record: ``parent`` is its parent's record id."""
    return _uuid5(("component-1", parent, class_, local_key))


def keyed_id(class_: str, key: str) -> str:
    """The id of a CI that is identified by its content or by a code of its class: a package's purl, a certificate's
    fingerprint, a service's number."""
    return _uuid5(("keyed-1", class_, key))
