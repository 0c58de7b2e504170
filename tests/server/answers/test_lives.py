"""How alive CIs are, by whom they were seen, and what was measured last."""

from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.history import graph_at
from cmdb_server.answers.life import Life
from cmdb_server.answers.lives import Lives
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.ingest.declare import create
from cmdb_server.store import tables
from cmdb_server.store.port import Reading
from tests.estate import MINUTE, Estate, minute
from tests.factories import host

SERVER = classes()["server"].life
assert SERVER is not None


def life(estate: Estate, name: str, at: int) -> Life:
    def work(tx: Reading) -> Life:
        (row,) = tx.find(tables.CI, ("name",), [(name,)])
        lives = Lives(tx, at, classes())
        lives.load([row[0]])
        return lives.of(row)

    return estate.store.read(work)


@pytest.mark.parametrize(
    ("after", "stage"),
    [
        (0, "current"), (SERVER.ageing_ms - 1, "current"), (SERVER.ageing_ms, "ageing"), (SERVER.missing_ms, "missing"),
        (SERVER.retired_ms, "retired"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a", "eth0"])
def test_what_nobody_looks_at_ages(estate: Estate, name: str, after: int, stage: str) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    found = life(estate, name, minute(0) + after)
    assert (found.last, found.site) == (minute(0), "lab")
    if name == "a":
        assert found.stage == stage


def test_a_lane_confirms_all_of_its_records_and_their_components(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    later = SERVER.missing_ms / MINUTE
    estate.tell(later, host("a", "10.0.0.1"))
    for name in ("a", "eth0"):
        assert life(estate, name, minute(later)) == Life("current", minute(later), "lab")


def test_it_lives_while_any_source_claims_it(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    estate.tell(0, host("a", "10.0.0.1"), source="snmp")
    estate.tell(1)
    assert life(estate, "a", minute(2)).stage == "current"
    estate.tell(1, source="snmp")
    assert life(estate, "a", minute(2)).stage == "missing"


def test_what_people_enter_never_ages(estate: Estate) -> None:
    create(estate.store, "ann", "business_service", {"name": "Shop"}, now_ms=minute(0))
    assert life(estate, "Shop", minute(0) + 100 * SERVER.retired_ms) == Life("current", None, "*")


def test_sources_are_told_once(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    estate.tell(1, host("a", "10.0.0.1"), source="snmp", agent="agent-2")

    def work(tx: Reading) -> tuple[list[str], list[bool]]:
        (row,) = tx.find(tables.CI, ("name",), [("a",)])
        lives = Lives(tx, minute(2), classes())
        lives.load([row[0]])
        lives.load([row[0]])
        held = list(lives.holding(row[0]))
        return [s.agent for s in lives.sources(row[0])], [record is top for record, top in held]

    assert estate.store.read(work) == (["agent-1", "agent-2"], [True, True])


def test_a_ci_that_only_came_to_be_by_being_named_is_there_while_named(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", packages=["pkg:x"]))
    assert life(estate, "pkg:x", minute(0) + 100 * SERVER.retired_ms) == Life("current", None, "")


@pytest.mark.parametrize("hold_back", [False, True])
def test_what_people_deleted_is_retired_until_it_is_seen_again_or_they_take_it_back(
    either: Estate, *, hold_back: bool
) -> None:
    for scope in ("a", "b"):
        either.tell(0, host(scope, "10.0.0.1" if scope == "a" else "10.0.0.2"), target=scope)
    body = {"sides": [[either.ci("a")["id"]]], "hold_back": hold_back}
    decision = decide(either.store, "ann", "tombstone", body, "sold", minute(5))
    assert {name: life(either, name, minute(6)).stage for name in ("a", "b")} == {"a": "retired", "b": "current"}
    past = either.store.read(lambda tx: graph_at(tx, minute(6), None))
    before = either.store.read(lambda tx: graph_at(tx, minute(4), None))
    gone = either.ci("a")["id"]
    assert (past.life(gone, minute(6)).stage, before.life(gone, minute(4)).stage) == ("retired", "current")
    either.tell(10, host("a", "10.0.0.1"), target="a")
    assert life(either, "a", minute(11)).stage == ("retired" if hold_back else "current")
    undo(either.store, "ann", decision, "not sold", minute(12))
    assert life(either, "a", minute(13)).stage == "current"
