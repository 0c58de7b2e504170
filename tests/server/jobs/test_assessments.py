"""What is booked soon is assessed again where the graph has moved, and kept where that matters."""

from __future__ import annotations

from pathlib import Path

from cmdb_server.jobs import assessments as job
from cmdb_server.jobs import standing
from cmdb_server.jobs.timed import Running
from cmdb_server.practices import kept_rows
from cmdb_server.practices.timed import Job
from cmdb_server.settings import Settings
from cmdb_server.store.sqlite import SqliteStore
from tests.booked_shop import HOUR, BookedShop
from tests.shop import VIEWER

ONE = Job("assessments", "assessments", {}, 0)


def test_owners_are_asked_anew_before_the_change_begins(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    shop = BookedShop(store)
    running = Running(Settings(), store, shop.projections, VIEWER.kinds, {})
    soon, late = shop.book("db-host"), shop.book("db-host", at=(24 * 30, 24 * 31), note="again")

    def approvals(number: str) -> set[tuple[str, str]]:
        return {(one.body.get("approver", "any"), one.state) for one in shop.approvals(number)}

    shop.enter("elsewhere", "server")
    before = kept_rows.every(store, "assessment").items
    assert job.assess(running, ONE, shop.at) == standing.again(standing.ASSESSMENTS, shop.at)
    assert kept_rows.every(store, "assessment").items == before
    shop.enter("bank", "business_service", owned_by="cleo")
    shop.relate("bank", "depends_on", "db")
    job.assess(running, ONE, shop.at)
    assert approvals(soon.number) == {("any", "requested"), ("cleo", "requested")}
    assert approvals(late.number) == {("any", "approved")}
    shop.at += 20 * HOUR
    job.assess(running, ONE, shop.at)
    assert kept_rows.one(store, soon.number).state == "scheduled"
    store.close()
