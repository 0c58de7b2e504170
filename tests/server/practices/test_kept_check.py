"""Who may, and which CIs may be named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cmdb_server.ingest import decisions
from cmdb_server.practices.kept_check import cis_faults, is_told, may, whole_faults
from cmdb_server.practices.kind_files import kinds
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


@pytest.mark.parametrize(
    ("body", "wrong", "found"),
    [
        ({}, [], ["body.started_at", "cis.down"]),
        ({"started_at": "2026-01-02T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"}, [], ["cis.down", "body.ended_at"]),
        ({"started_at": "2026-01-02T01:00:00+01:00", "ended_at": "2026-01-02T00:00:00Z"}, [], ["cis.down"]),
        ({"started_at": "2026-01-02T00:00:00Z", "ended_at": "noon"}, [("body.ended_at", "x")], ["cis.down"]),
    ],
)
def test_what_is_wrong_with_all_of_it(body: dict[str, str], wrong: list[tuple[str, str]], found: list[str]) -> None:
    assert [path for path, _ in whole_faults(kinds()["outage"], body, {}, wrong)] == found
