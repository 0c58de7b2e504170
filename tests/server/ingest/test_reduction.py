"""Which reports the log can do without. That nothing differs without them is tested with retention itself."""

from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.ingest import reduction
from cmdb_server.ingest.reduction import Spared, neighbourhoods, superfluous
from cmdb_server.store import tables
from tests.estate import Estate, minute
from tests.factories import host

A = host("a", "10.0.0.1")


def spared(estate: Estate, until: float, revision: int | None = None) -> Spared:
    def work(tx: object) -> Spared:
        (scopes,) = neighbourhoods(tx)  # type: ignore[arg-type]
        return superfluous(tx, scopes, minute(until), revision or 10**6, classes())  # type: ignore[arg-type]

    return estate.store.read(work)


def test_what_only_repeats_can_go(estate: Estate) -> None:
    told = [estate.tell(at, A).revision for at in range(8)]
    assert spared(estate, 6) == Spared(tuple((revision,) for revision in told[1:6]))
    assert spared(estate, 2) == Spared(), "few are not worth it"


def test_the_turns_stay(estate: Estate) -> None:
    versions = ["1", "1", "2", "3", "3", "3", "3"]
    told = [estate.tell(at, host("a", "10.0.0.1", os_version=one)).revision for at, one in enumerate(versions)]
    assert spared(estate, 10).reports == tuple((told[at],) for at in (1, 4, 5))


def test_claims_that_are_over_leave_no_trace(estate: Estate) -> None:
    told = [estate.tell(at, host("a", "10.0.0.1", packages=[f"pkg:deb/p@{min(at, 5)}"])).revision for at in range(9)]
    assert spared(estate, 10).reports == tuple((told[at],) for at in (1, 2, 3, 6, 7))


def test_what_was_not_known_then_is_left_alone(estate: Estate) -> None:
    told = [estate.tell(at, A).revision for at in range(8)]
    late = estate.tell(3.5, host("a", "10.0.0.1", note="x"), now=20).revision
    found = spared(estate, 7, told[-1])
    assert (late,) not in found.reports
    assert all(revision < told[4] for (revision,) in found.reports)


def test_scopes_that_share_an_address_stay_together(estate: Estate) -> None:
    estate.tell(0, A, target="10.0.0.0/24")
    estate.tell(1, A, target="10.0.0.1")
    estate.tell(2, host("b", "10.0.0.2"), target="10.0.0.2")
    estate.tell(3, A, target="10.0.0.1", source="snmp")
    assert sorted(map(len, estate.store.read(neighbourhoods))) == [1, 1, 2]


def test_where_the_state_would_differ_nothing_goes(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in range(8):
        estate.tell(at, host("a", "10.0.0.1", note=str(at)))
    monkeypatch.setattr(reduction, "_needed", lambda _, rows, over: {row[2]: set() for row in rows} | {"": set()})
    assert spared(estate, 6) == Spared(whole=True)
    assert len(estate.rows(tables.REPORT)) == 8
