"""How owners are reached: the mail addresses of people and of groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cmdb_schemas.ci_class import CIClass
from cmdb_server.notify.mail import is_address
from cmdb_server.store.port import Reading
from cmdb_server.store.tables import CI

REACHED = ("person", "organisation")
"""These classes and those below them have an address."""
_NAMES = ("name", "user_name", "email")


def directory(tx: Reading, kinds: Mapping[str, CIClass]) -> dict[str, str]:
    """By all that an owner may be told by (id, name, user name, address): the address. A name that two have with
    different addresses reaches nobody."""
    reached = [(name,) for name, kind in kinds.items() if {name, *kind.ancestors} & set(REACHED)]
    rows = tx.find(CI, ("class",), reached)
    ended, attributes = CI.position("ended_at"), CI.position("attributes")
    return addresses((row[0], row[attributes] or {}) for row in rows if row[ended] is None)


def addresses(people: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    """``directory`` of (id, attributes)."""
    found: dict[str, set[str]] = {}
    for id_, told in people:
        address = told.get("email")
        if isinstance(address, str) and is_address(address):
            for key in (id_, *(told.get(name) for name in _NAMES)):
                if isinstance(key, str) and key:
                    found.setdefault(key, set()).add(address)
    return {key: next(iter(one)) for key, one in found.items() if len(one) == 1}


def address_of(owner: object, known: Mapping[str, str]) -> str | None:
    """Where an owner is reached; an owner that is an address is reached there."""
    if not isinstance(owner, str):
        return None
    return known.get(owner) or (owner if is_address(owner) else None)
