"""Why a relation is there, by whose word and evidence, and why what one would expect is not."""

from __future__ import annotations

import pytest

from cmdb_schemas.report import End, Observation, Relation
from cmdb_server.answers.relation_explained import RelationExplained, explain_relation
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Invalid, NotFound
from tests.estate import Estate, minute
from tests.factories import host

VIEWER = Viewer("tests", "admin")
DB = host("db", "10.0.0.2", listens=[5432])
WEB = host("web", "10.0.0.1", uses=[("10.0.0.2", 5432)])


def told(estate: Estate, from_: str, type_: str, to: str) -> RelationExplained:
    return explain_relation(estate.store, VIEWER, from_, type_, to, now_ms=minute(100))


def app(estate: Estate, name: str) -> str:
    return str(estate.part(name, "app")["id"])


def test_a_claim_with_its_evidence_and_how_its_end_was_found(estate: Estate) -> None:
    estate.tell(0, DB)
    estate.tell(1, WEB, target="b")
    found = told(estate, app(estate, "web"), "depends_on", app(estate, "db"))
    assert (found.stands, found.why, found.since, found.others) == (True, "claimed", minute(1), ())
    (claim,) = found.claims
    assert (claim.counts, claim.source, claim.agent, claim.section) == (True, "ssh", "agent-1", "connections")
    assert (claim.near, claim.to) == (found.from_, found.to)
    assert claim.far == "address lab|10.0.0.2 tcp/5432"
    (bearer,) = claim.bearers
    assert (bearer.ci, bearer.name, bearer.chosen) == (estate.ci("db")["id"], "db", True)


def test_why_it_is_not_that(estate: Estate) -> None:
    """The address was another's by the time the claim was made."""
    estate.tell(0, DB)
    estate.tell(1, host("new", "10.0.0.2", mac="3c:ec:ef:00:00:77", listens=[5432]))
    estate.tell(2, WEB, target="b")
    old, new = estate.ci("db")["id"], estate.ci("new")["id"]
    found = told(estate, app(estate, "web"), "depends_on", app(estate, "db"))
    assert (found.stands, found.why, found.claims) == (False, "elsewhere", ())
    (other,) = found.others
    assert other.to == app(estate, "new")
    assert {bearer.ci: bearer.chosen for bearer in other.bearers} == {old: False, new: True}


def test_a_short_name_that_two_full_ones_begin_with_is_told_with_both(estate: Estate) -> None:
    estate.tell(
        0, *(host(name, f"10.0.0.{at}", identifiers={"fqdn": [f"pay.{name}.net"]}) for at, name in enumerate("ab", 2))
    )
    claim = Observation(
        "web", "server", "10.0.0.1", None, {"serial": ["CZ3411AB0C"]}, {"name": "web"},
        relations=[Relation("depends_on", End(identifiers={"name": ["pay"]}))],
    )  # fmt: skip
    estate.tell(1, claim, target="b")
    ci = {name: estate.ci(name)["id"] for name in ("web", "a", "b")}
    found = told(estate, ci["web"], "depends_on", ci["a"])
    assert (found.stands, found.why) == (False, "elsewhere")
    (other,) = found.others
    assert (other.to, other.far) == (None, "host lab|pay")
    assert {bearer.ci: bearer.chosen for bearer in other.bearers} == {ci["a"]: True, ci["b"]: True}


def test_what_was_claimed_once_and_is_no_more(estate: Estate) -> None:
    configured = Relation("depends_on", End(address="10.0.0.2"))
    web = Observation("w", "server", "10.0.0.1", None, {"serial": ["SNweb"]}, {"name": "w"}, relations=[configured])
    estate.tell(0, DB, web)
    estate.tell(1, DB, Observation("w", "server", "10.0.0.1", None, {"serial": ["SNweb"]}, {"name": "w"}))
    found = told(estate, estate.ci("w")["id"], "depends_on", estate.ci("db")["id"])
    assert (found.stands, found.why) == (False, "ended")
    assert [(claim.counts, claim.first, claim.ended) for claim in found.claims] == [(False, minute(0), minute(1))]


def test_an_application_that_is_known_to_have_it_speaks_for_its_host(estate: Estate) -> None:
    by_host = Relation("depends_on", End(address="10.0.0.2", port=5432), section="connections")
    web = host("web", "10.0.0.1", uses=[("10.0.0.2", 5432)])
    web.relations.append(by_host)
    estate.tell(0, DB, web)
    found = told(estate, estate.ci("web")["id"], "depends_on", app(estate, "db"))
    assert (found.stands, found.why, len(found.claims)) == (False, "application", 1)


def test_what_follows_from_the_class_and_what_nobody_ever_said(estate: Estate) -> None:
    estate.tell(0, DB, WEB)
    assert told(estate, app(estate, "db"), "runs_on", estate.ci("db")["id"]).why == "class"
    nothing = told(estate, estate.ci("db")["id"], "depends_on", estate.ci("web")["id"])
    assert (nothing.stands, nothing.why, nothing.claims, nothing.others) == (False, "unclaimed", (), ())


def test_a_named_thing_is_meant_by_its_key(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", packages=["pkg:deb/x@1"]))
    package = estate.ci("pkg:deb/x@1")["id"]
    assert told(estate, estate.ci("a")["id"], "installs", package).claims[0].far == "key software_package|pkg:deb/x@1"
    estate.tell(1, host("a", "10.0.0.1", packages=["pkg:deb/x@2"]))
    estate.tell(1, host("b", "10.0.0.2", packages=["pkg:deb/x@1"]), target="b")
    assert told(estate, estate.ci("a")["id"], "installs", package).why == "ended"


def test_ends_and_types_that_there_are_not(estate: Estate) -> None:
    estate.tell(0, DB)
    db = estate.ci("db")["id"]
    with pytest.raises(NotFound):
        told(estate, db, "depends_on", "00000000-0000-0000-0000-000000000000")
    with pytest.raises(Invalid, match="worships"):
        told(estate, db, "worships", db)


def test_a_reverse_name_is_read_from_the_other_end(estate: Estate) -> None:
    estate.tell(0, DB)
    estate.tell(1, WEB, target="b")
    web, db = app(estate, "web"), app(estate, "db")
    assert told(estate, db, "used_by", web) == told(estate, web, "depends_on", db)


def test_the_past_is_explained_as_it_was_explained_then(either: Estate) -> None:
    def web(*to: Relation) -> Observation:
        return Observation("w", "server", "10.0.0.1", None, {"serial": ["SNw"]}, {"name": "w"}, relations=[*to])

    either.tell(0, DB)
    either.tell(1, web(Relation("depends_on", End(address="10.0.0.2"))), target="b")
    relation = either.ci("w")["id"], "depends_on", either.ci("db")["id"]
    then = told(either, *relation)
    either.tell(3, web(), target="b")
    assert (then.why, told(either, *relation).why) == ("claimed", "ended")
    past = explain_relation(either.store, VIEWER, *relation, minute(2), minute(2), now_ms=minute(100))
    assert past == then
    with pytest.raises(NotFound):
        explain_relation(either.store, VIEWER, *relation, minute(0.5), now_ms=minute(100))
