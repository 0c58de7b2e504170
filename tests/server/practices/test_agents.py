"""What an agent looks after, and what becomes of it when the agent is retired: it ages, or another takes it over."""

from __future__ import annotations

from pathlib import Path

import pytest

from cmdb_server.answers.inventory import show
from cmdb_server.answers.viewer import Viewer
from cmdb_server.api import token
from cmdb_server.errors import Conflict, NotFound, Unauthenticated
from cmdb_server.ingest.caller import Grant
from cmdb_server.practices.agents import check_serving, every, restore, retire, work
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import DAY, MINUTE, Estate, minute
from tests.factories import host

NOW = minute(10)


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    estate = Estate(SqliteStore(tmp_path / "cmdb.db"))
    estate.tell(0, host("a", "10.0.0.1"), host("b", "10.0.0.2"), agent="north")
    estate.tell(1, host("b", "10.0.0.2"), source="snmp", target="switches", agent="south")
    return estate


def test_what_each_looks_after(estate: Estate) -> None:
    north, south = every(estate.store, NOW)
    assert (north.name, north.last_report, north.scopes, north.things, north.retired) == (
        "north",
        minute(0),
        1,
        2,
        None,
    )
    assert (south.name, south.things) == ("south", 1)
    told = work(estate.store, "north", NOW)
    assert [(s.source, s.site, s.target, s.things) for s in told.scopes] == [("ssh", "lab", "10.0.0.0/24", 2)]
    assert told.alone == (estate.ci("a")["id"],), "the other one is confirmed by another agent too"
    with pytest.raises(NotFound):
        work(estate.store, "west", NOW)


def test_people_who_import_are_no_agents(estate: Estate) -> None:
    estate.tell(2, host("c", "10.0.0.3"), source="import:old", agent="ann")
    assert [agent.name for agent in every(estate.store, NOW)] == ["north", "south"]
    with pytest.raises(NotFound):
        retire(estate.store, "ann", "eva", "gone", NOW)


def test_its_tokens_and_codes_are_void_at_once_and_it_can_buy_no_other(estate: Estate) -> None:
    text, _ = token.create(estate.store, "north", "agent", Grant("north"), NOW, DAY)
    other, _ = token.create(estate.store, "south", "agent", Grant("south"), NOW, DAY)
    code, *_ = token.offer(estate.store, Grant("north"), NOW, DAY)
    retire(estate.store, "north", "eva", "replaced", NOW + 1)
    with pytest.raises(Unauthenticated):
        token.find(estate.store, text, NOW + 2)
    with pytest.raises(Unauthenticated):
        token.enrol(estate.store, code, NOW + 2, DAY)
    with pytest.raises(Conflict):
        estate.store.read(lambda tx: check_serving(tx, "north"))
    assert token.find(estate.store, other, NOW + 2).subject == "south"
    (told,) = [one for one in every(estate.store, NOW + 2) if one.name == "north"]
    assert told.retired is not None
    assert (told.retired.by, told.retired.at, told.retired.reason, told.tokens) == ("eva", NOW + 1, "replaced", 0)


def test_what_it_alone_saw_ages_unless_another_takes_it_over(estate: Estate) -> None:
    retire(estate.store, "north", "eva", "replaced", NOW)

    def stage(name: str, days: float) -> str:
        shown = show(estate.store, Viewer("tests", "admin"), estate.ci(name)["id"], now_ms=minute(days * DAY / MINUTE))
        return shown.summary.stage

    assert [stage("a", days) for days in (0.1, 10, 400)] == ["current", "missing", "retired"]
    estate.tell(9 * DAY / MINUTE, host("a", "10.0.0.1"), agent="west")
    assert stage("a", 10) == "current"
    assert work(estate.store, "north", NOW).scopes == ()
    assert estate.ci("a")["ended_at"] is None


def test_a_retirement_is_taken_back_and_made_once(estate: Estate) -> None:
    before = estate.digest()
    retire(estate.store, "north", "eva", "replaced", NOW)
    with pytest.raises(Conflict):
        retire(estate.store, "north", "eva", "again", NOW)
    restore(estate.store, "north", NOW)
    estate.store.read(lambda tx: check_serving(tx, "north"))
    assert estate.digest() == before
    with pytest.raises(NotFound):
        restore(estate.store, "north", NOW)
    with pytest.raises(NotFound):
        retire(estate.store, "west", "eva", "typo", NOW)
