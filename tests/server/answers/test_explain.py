"""Why a CI is what it is: who said what, from where and when, who wins and why, and what holds its records together."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.report import Component, Observation
from cmdb_server.answers.explain import AttributeExplained, explain
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import NotFound
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.ingest.declare import edit
from tests.estate import DAY, MINUTE, Estate, minute

VIEWER = Viewer("tests", "admin")
IDS = {"serial": ["CZ3411AB0C"], "mac": ["3c:ec:ef:92:dc:74"], "name": ["h"]}
FORTNIGHT = 14 * DAY / MINUTE


def box(*parts: Component, sections: dict[str, str] | None = None, **attributes: Any) -> Observation:
    return Observation(
        "h", "server", "10.0.0.1", None, IDS, {"name": "h", **attributes}, sections or {}, components=list(parts)
    )


def of(estate: Estate, name: str, at: float = 10) -> AttributeExplained:
    (found,) = explain(estate.store, VIEWER, estate.ci("h")["id"], name, now_ms=minute(at)).attributes
    return found


def test_the_winner_and_every_loser_are_named_with_their_origin(estate: Estate) -> None:
    estate.tell(0, box(os_name="Linux", sections={"os_name": "system"}), source="snmp", agent="agent-2")
    estate.tell(1, box(os_name="Debian", sections={"os_name": "os-release"}))
    estate.tell(2, box(os_name="Linux", sections={"os_name": "system"}), source="snmp", agent="agent-2")
    found = of(estate, "os_name")
    assert (found.value, found.why) == ("Debian", "precedence")
    first, (loser,) = found.winner, found.losers
    assert first is not None
    assert (first.source, first.agent, first.section, first.since, first.confirmed) == (
        "ssh", "agent-1", "os-release", minute(1), minute(1),
    )  # fmt: skip
    assert (loser.value, loser.source, loser.agent, loser.section, loser.since, loser.confirmed) == (
        "Linux", "snmp", "agent-2", "system", minute(0), minute(2),
    )  # fmt: skip


def test_the_only_word_and_the_newest(estate: Estate) -> None:
    estate.tell(0, box(os_name="1"), target="a")
    assert of(estate, "os_name").why == "only"
    other = Observation("h", "server", "10.0.0.2", None, IDS, {"name": "h", "os_name": "2"})
    estate.tell(1, other, target="b")
    found = of(estate, "os_name")
    assert (found.value, found.why, [word.value for word in found.losers]) == ("2", "newest", ["1"])


def test_a_stale_word_yields(estate: Estate) -> None:
    estate.tell(0, box(os_name="Debian"))
    estate.tell(FORTNIGHT + 5, box(os_name="Linux"), source="snmp")
    found = of(estate, "os_name", at=FORTNIGHT + 6)
    assert (found.value, found.why) == ("Linux", "yielded")


def test_what_is_gone_has_no_say_while_another_is_there(estate: Estate) -> None:
    estate.tell(0, box(os_name="Debian"))
    estate.tell(1, box(os_name="Linux"), source="snmp")
    estate.tell(2)
    found = of(estate, "os_name")
    assert (found.value, [word.value for word in found.losers]) == ("Linux", ["Debian"])


def test_a_pinned_value_is_explained_as_such(estate: Estate) -> None:
    estate.tell(0, box(os_name="Debian"))
    body = {"sides": [[estate.ci("h")["id"]]], "attribute": "os_name", "pinned": "Other"}
    decide(estate.store, "ann", "pin", body, "known better", minute(1))
    found = of(estate, "os_name")
    assert estate.ci("h")["attributes"]["os_name"] == "Other"
    assert (found.value, found.why, found.winner) == ("Other", "pinned", None)
    assert [word.value for word in found.losers] == ["Debian"]


def test_what_is_pinned_though_nobody_tells_it_is_explained_too(estate: Estate) -> None:
    estate.tell(0, box())
    body = {"sides": [[estate.ci("h")["id"]]], "attribute": "os_name", "pinned": "Other"}
    decide(estate.store, "ann", "pin", body, "known better", minute(1))
    assert (of(estate, "os_name").value, of(estate, "os_name").losers) == ("Other", ())


def test_the_bonds_between_records_are_weighed(estate: Estate) -> None:
    estate.tell(0, box())
    estate.tell(1, box(), source="snmp")
    told = explain(estate.store, VIEWER, estate.ci("h")["id"], now_ms=minute(2))
    (bond,) = told.ties
    assert set(bond.records) == {source.record for source in told.sources}
    assert bond.score == sum(term["points"] for term in bond.terms) >= 8
    assert {"serial", "mac"} <= {term["kind"] for term in bond.terms}


def test_sources_and_decisions_are_listed(estate: Estate) -> None:
    estate.tell(0, box())
    ci = estate.ci("h")
    edit(estate.store, "ann", ci["id"], {"role": "web"}, ci["revision"], now_ms=minute(1))
    told = explain(estate.store, VIEWER, ci["id"], now_ms=minute(2))
    assert [(source.source, source.site, source.agent) for source in told.sources] == [
        ("ssh", "lab", "agent-1"), ("manual", "*", "ann")
    ]  # fmt: skip
    assert [(decision["verb"], decision["by"], decision["at"]) for decision in told.decisions] == [
        ("merge", "ann", minute(1))
    ]  # fmt: skip


def test_a_components_word_comes_from_its_section(estate: Estate) -> None:
    estate.tell(0, box(Component("/", "file_system", "/", section="filesystems", attributes={"type": "ext4"})))
    (found,) = explain(estate.store, VIEWER, estate.ci("/")["id"], "type", now_ms=minute(1)).attributes
    assert found.winner is not None
    assert (found.value, found.winner.section) == ("ext4", "filesystems")


def test_what_is_not_there_is_not_explained(estate: Estate) -> None:
    estate.tell(0, box())
    assert explain(estate.store, VIEWER, estate.ci("h")["id"], "role", now_ms=minute(1)).attributes == ()
    with pytest.raises(NotFound):
        explain(estate.store, VIEWER, estate.ci("h")["id"], "nothing", now_ms=minute(1))
    with pytest.raises(NotFound):
        explain(estate.store, VIEWER, "nobody", now_ms=minute(1))


def test_what_holds_records_together_honours_what_people_decided(estate: Estate) -> None:
    """A value they distrust weighs nothing, and what they merged is told to be held by their word."""
    mine = Observation("h", "server", "10.0.0.1", None, {"serial": ["CZ3411AB0C"], "name": ["h"]}, {"name": "h"})
    theirs = Observation("o", "server", "10.0.0.2", None, {"serial": ["CZ3411AB0C"], "name": ["o"]}, {"name": "o"})
    estate.tell(0, mine, theirs)
    ci = estate.ci("h")["id"] if estate.cis("h") else estate.ci("o")["id"]
    (tie,) = explain(estate.store, VIEWER, ci, now_ms=minute(1)).ties
    assert (tie.how, tie.score, tie.decision) == ("evidence", 9, None)
    decide(estate.store, "eva", "distrust", {"value": ["serial", "CZ3411AB0C"]}, "all of them say so", minute(1))
    merged = decide(estate.store, "eva", "merge", {"sides": [[id_] for id_ in tie.records]}, "I looked", minute(2))
    (tie,) = explain(estate.store, VIEWER, ci, now_ms=minute(3)).ties
    assert (tie.how, tie.score, tie.decision) == ("decision", -5, merged)
    assert [term["kind"] for term in tie.terms] == ["name"]


def test_a_sighting_without_proof_is_held_by_its_place(estate: Estate) -> None:
    estate.tell(0, box())
    estate.tell(1, Observation("p", "unknown_device", "10.0.0.1", None, {}, {}), source="ping")
    (tie,) = explain(estate.store, VIEWER, estate.ci("h")["id"], now_ms=minute(2)).ties
    assert tie.how == "place"


def test_the_past_is_explained_as_it_was_explained_then(either: Estate) -> None:
    either.tell(0, box(os_name="Debian", sections={"os_name": "os-release"}))
    either.tell(1, box(os_name="Linux"), source="snmp", agent="agent-2")
    ci = either.ci("h")["id"]
    then = explain(either.store, VIEWER, ci, now_ms=minute(3))
    either.tell(4, box(os_name="Other"))
    pin = {"sides": [[ci]], "attribute": "os_name", "pinned": "Pinned"}
    decide(either.store, "ann", "pin", pin, "known better", minute(5))
    either.tell(6, box(os_name="BSD"), source="snmp", agent="agent-2")
    either.tell(7)
    now = explain(either.store, VIEWER, ci, now_ms=minute(8))
    assert explain(either.store, VIEWER, ci, at=minute(3), known_at=minute(3), now_ms=minute(8)) == then != now
    told = explain(either.store, VIEWER, ci, "os_name", minute(5), now_ms=minute(8)).attributes[0]
    assert (told.value, {word.value for word in told.losers}) == ("Pinned", {"Other", "Linux"})
    with pytest.raises(NotFound):
        explain(either.store, VIEWER, ci, at=minute(-1), now_ms=minute(8))


def test_what_was_undone_is_told_so(estate: Estate) -> None:
    estate.tell(0, box())
    pin = {"sides": [[estate.ci("h")["id"]]], "attribute": "os_name", "pinned": "Other"}
    made = decide(estate.store, "ann", "pin", pin, "known better", minute(1))
    undo(estate.store, "bob", made, "no", minute(2))
    (told,) = explain(estate.store, VIEWER, estate.ci("h")["id"], now_ms=minute(3)).decisions
    assert (told["id"], told["in_effect"]) == (made, False)
    (told,) = explain(estate.store, VIEWER, estate.ci("h")["id"], known_at=minute(1), now_ms=minute(3)).decisions
    assert told["in_effect"] is True
