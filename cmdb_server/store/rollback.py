"""Writes whose outcome is wanted and which are not: what something would do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cmdb_server.store.port import Store, Writing

T = TypeVar("T")


class _RolledBackError(Exception):
    """Ends the transaction."""

    def __init__(self, outcome: Any) -> None:
        super().__init__()
        self.outcome = outcome


def rolled_back(store: Store, work: Callable[[Writing], T]) -> T:
    """Run ``work`` in a write transaction and give what it gives; nothing is stored."""

    def run(tx: Writing) -> T:
        raise _RolledBackError(work(tx))

    try:
        return store.write(run)
    except _RolledBackError as end:
        outcome: T = end.outcome
        return outcome
