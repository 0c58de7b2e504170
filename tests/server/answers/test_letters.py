"""Owners hear of their own services and of nobody else's."""

from __future__ import annotations

from typing import Any

from cmdb_server.answers.impact import Affected, AffectedService
from cmdb_server.answers.letters import Event, Letter, letter, notice, recipients
from cmdb_server.answers.told import Named, StepTold

KNOWN = {"ann": "ann@example.org", "crew": "crew@example.org"}
EVENT = Event("CHG0000007", 4, "change", "schedule", "scheduled", "move rack", "olga", spans=((0, 3_600_000),))


def service(name: str, owner: Any) -> AffectedService:
    ci, below = Named(name, name, "business_service"), Named("db", "db", "server")
    path = (StepTold(below, "down", None), StepTold(ci, "down", None, True))
    return AffectedService(Affected(ci, "down", 1, path), "critical", owner)


SHOP, WIKI, MAIL, LOST = service("shop", "ann"), service("wiki", "crew"), service("mail", "ann"), service("lost", "zed")


def letters(event: Event, *services: AffectedService) -> list[Letter]:
    """One for each recipient, in order of their addresses."""
    return [letter(event, address, theirs) for address, theirs in sorted(recipients(services, KNOWN).items())]


def test_each_owner_is_told_of_their_services_in_one_letter() -> None:
    assert recipients((SHOP, WIKI, MAIL, LOST), KNOWN) == {"ann@example.org": (SHOP, MAIL), "crew@example.org": (WIKI,)}
    ann, crew = letters(EVENT, SHOP, WIKI, MAIL, LOST)
    assert (ann.to, crew.to) == ("ann@example.org", "crew@example.org")
    assert ann.subject == "CHG0000007 scheduled: move rack (shop, mail)"
    for part in (ann.text, ann.html):
        assert "shop" in part and "mail" in part and "wiki" not in part and "1970-01-01T01:00:00" in part
    assert letters(EVENT, LOST) == []


def test_a_letter_bears_the_same_id_for_the_same_version_alone() -> None:
    (first,), (again,) = letters(EVENT, SHOP), letters(EVENT, SHOP, MAIL)
    (later,) = letters(Event("CHG0000007", 5, "change", "cancel", "cancelled", "", "olga"), SHOP)
    assert first.id == again.id != later.id and first.thread == later.thread


def test_what_is_only_degraded_is_not_told_as_down() -> None:
    event = Event("CHG0000007", 4, "change", "schedule", "scheduled", "", "olga", effect="degraded")
    (section,) = notice(event, (SHOP,)).told()
    assert section.rows[0].cells == ("◑ degraded", "shop", "critical", ("server db", "business_service shop"))


def test_what_is_endless_or_many_is_told_shortly() -> None:
    outage = Event("OUT0000001", 1, "outage", "open", "open", "", "olga", "fire", spans=((0, None),))
    facts = dict(notice(outage, (SHOP,)).facts)
    assert facts["When"].endswith("to not known yet") and facts["Note"] == "fire"
    weekly = Event("CHG1", 1, "change", "schedule", "scheduled", "", "olga", spans=((0, 1),) * 9)
    assert [value for name, value in notice(weekly, (SHOP,)).facts if name == "When"][-1] == "and 4 times more"
    many = notice(EVENT, [service(f"s{number}", "ann") for number in range(8)])
    assert "8 of your services" in many.verdict and "s4 and 3 more" in many.verdict
