"""Attributes that identify: by these, what people enter or bring in files meets what is discovered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = {
    "name": "name", "fqdn": "fqdn", "serial_number": "serial", "serial_numbers": "serial", "mac_address": "mac",
    "mac_addresses": "mac", "machine_uuid": "uuid", "machine_id": "machine_id", "lldp_chassis_id": "chassis_id",
    "snmp_engine_id": "engine_id",
}  # fmt: skip
"""Attribute -> the kind of identifier that its value is."""


def identifiers_of(attributes: Mapping[str, Any], more: Mapping[str, list[str]] | None = None) -> dict[str, list[str]]:
    """By kind, in order, what the attributes of a thing identify it by, besides ``more``."""
    found = {kind: set(values) for kind, values in (more or {}).items()}
    for name, kind in KINDS.items():
        value = attributes.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and one:
                found.setdefault(kind, set()).add(one)
    return {kind: sorted(values) for kind, values in sorted(found.items())}
