"""How a host's dependent things are keyed, so that every probe does it alike."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from typing import cast

from cmdb_agent.observation import Component, End, Value

_LONGEST = 180


def local_key(text: str) -> str:
    """``text`` as a key: itself, or its beginning and a digest when it is longer than the wire allows."""
    if len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 17]}~{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def component_ref(class_: str, key: str) -> str:
    """The ref by which relations and samples of the same observation name a component."""
    return f"{class_}:{local_key(key)}"


def component(
    class_: str,
    key: str,
    attributes: Mapping[str, Value | list[str]],
    identifiers: Mapping[str, Sequence[str]] | None = None,
) -> Component:
    """A component of the host; what was not told (``None``, empty) is left out."""
    return Component(
        ref=component_ref(class_, key),
        class_=class_,
        local_key=local_key(key),
        identifiers={kind: list(values) for kind, values in (identifiers or {}).items() if values},
        attributes=told(attributes),
    )


def far_end(host: str, port: int) -> End:
    """The TCP end at ``host``. A name that nothing resolved is told as a name, with the port that it was named with: the
    server may know who bears it."""
    try:
        return End(address=str(ipaddress.ip_address(host)), port=port, protocol="tcp")
    except ValueError:
        return End(identifiers={"fqdn" if "." in host else "name": [host.lower()]}, port=port, protocol="tcp")


def told(attributes: Mapping[str, Value | list[str]]) -> dict[str, Value]:
    """Only the attributes that say something."""
    return {name: cast(Value, value) for name, value in attributes.items() if value not in (None, "", [], {})}


def in_bytes(size: int | None) -> Value:
    """A size as a quantity; None stays None."""
    return None if size is None else {"value": size, "unit": "By"}
