"""Who may, and which CIs may be named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmdb_server.ingest import decisions
from cmdb_server.practices.kept_check import cis_faults, is_told, may
from cmdb_server.practices.kind import kinds
from cmdb_server.store.port import Store
from tests.factories import START


@pytest.mark.parametrize(
    ("who", "subject", "roles", "allowed"),
    [
        (["operator"], "ann", ["operator"], True),
        (["operator"], "ann", ["admin"], True),
        (["operator"], "ann", ["reader", "approver"], False),
        (["requester"], "ann", ["reader"], True),
        (["requester"], "bob", ["admin"], False),
        (["approver", "not requester"], "ann", ["approver", "admin"], False),
        (["approver", "not requester"], "bob", ["approver"], True),
        (["owner"], "cy", ["reader"], True),
        (["owner"], "bob", ["reader"], False),
    ],
)
def test_who_may(
    store: Store, ci: Callable[..., str], who: list[str], subject: str, roles: list[str], allowed: bool
) -> None:
    cis = [ci("web-1", owned_by="cy"), "no such"]
    assert store.read(lambda tx: may(tx, who, subject, roles, "ann", cis)) is allowed


def test_which_cis_may_be_named(store: Store, ci: Callable[..., str]) -> None:
    web, gone = ci("web-1"), ci("db-1")
    decisions.decide(store, "ann", "tombstone", {"sides": [[gone]], "hold_back": True}, "gone", START + 1)
    change = kinds()["change"]
    told = {"changed": [web, gone, "no such"], "moved": [web]}
    faults = store.read(lambda tx: list(cis_faults(tx, change, told)))
    assert [path for path, _ in faults] == ["cis.changed[1]", "cis.changed[2]", "cis.moved"]
    held = store.read(lambda tx: list(cis_faults(tx, change, {"changed": [gone, "no such"]}, held=[gone])))
    assert [path for path, _ in held] == ["cis.changed[1]"]


def test_what_says_nothing() -> None:
    assert not any(is_told(value) for value in (None, "", [], {}))
    assert all(is_told(value) for value in (0, False, "x", [0], {"a": None}))
