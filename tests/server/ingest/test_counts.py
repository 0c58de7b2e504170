"""A relation stands once, however many tell of it, and an application speaks for its host."""

from __future__ import annotations

from typing import Any

from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.store import tables
from tests.estate import Estate, minute, named
from tests.factories import host

DB = host("db", "10.0.0.2", listens=[5432])


def using(name: str, address: str, *relations: Relation) -> Observation:
    return Observation(
        name, "server", address, None, {"serial": ["SN" + name * 8]}, {"name": name},
        components=[Component("app", "web_server", "app", attributes={"name": f"{name}-app"})],
        relations=list(relations),
    )  # fmt: skip


def relation(estate: Estate, *ends: str) -> dict[str, Any]:
    names = {row[0]: row[2] for row in estate.rows(tables.CI)}
    (found,) = [
        named(tables.RELATION, row)
        for row in estate.rows(tables.RELATION)
        if (names[row[0]], row[1], names[row[2]]) == ends
    ]
    return found


TO_DB = End(address="10.0.0.2", port=5432)


def test_a_relation_counts_its_claims_and_takes_the_strongest_words(estate: Estate) -> None:
    estate.tell(0, DB, target="db")
    estate.tell(1, using("web", "10.0.0.1", Relation("depends_on", TO_DB, confidence=0.4, weight=2)), target="a")
    other = using("web", "10.0.0.1", Relation("depends_on", TO_DB, confidence=0.9, group="pool"))
    estate.tell(2, other, source="snmp", target="b")
    found = relation(estate, "web", "depends_on", "app")
    assert (found["claims"], found["confidence"], found["weight"], found["group"], found["first_at"]) == (
        2, 0.9, 2, "pool", minute(1)
    )  # fmt: skip
    estate.tell(3, using("web", "10.0.0.1"), source="snmp", target="b")
    found = relation(estate, "web", "depends_on", "app")
    assert (found["claims"], found["confidence"], found["group"]) == (1, 0.4, None)


def test_a_hosts_dependency_is_its_applications_where_one_is_named(estate: Estate) -> None:
    estate.tell(0, DB, target="db")
    seen_by_db = Observation(
        "db", "server", "10.0.0.2", None, {"serial": ["SNdb"]}, {"name": "db"},
        relations=[Relation("depends_on", End(ref=""), from_=End(address="10.0.0.1"))],
    )  # fmt: skip
    estate.tell(0, seen_by_db, target="clients", source="snmp")
    estate.tell(1, using("web", "10.0.0.1"), target="web")
    assert estate.relations("depends_on") == {("web", "depends_on", "db")}
    own = Relation("depends_on", End(address="10.0.0.2"), from_=End(ref="app"), section="configured")
    estate.tell(2, using("web", "10.0.0.1", own), target="web")
    assert estate.relations("depends_on") == {("web-app", "depends_on", "db")}
    estate.tell(3, using("web", "10.0.0.1"), target="web")
    assert estate.relations("depends_on") == {("web", "depends_on", "db")}


def test_an_application_speaks_only_of_what_it_uses_itself(estate: Estate) -> None:
    estate.tell(0, DB, host("mail", "10.0.0.3", listens=[25]), target="providers")
    estate.tell(
        1,
        using(
            "web", "10.0.0.1", Relation("depends_on", TO_DB, from_=End(ref="app")),
            Relation("depends_on", End(address="10.0.0.3")),
        ),
    )  # fmt: skip
    assert estate.relations("depends_on") == {("web-app", "depends_on", "app"), ("web", "depends_on", "mail")}


def test_what_follows_from_a_class_stands_without_a_claim(estate: Estate) -> None:
    estate.tell(0, using("web", "10.0.0.1"))
    found = relation(estate, "web-app", "runs_on", "web")
    assert found["claims"] == 0
    estate.tell(1, using("web", "10.0.0.1", Relation("runs_on", End(ref=""), from_=End(ref="app"))))
    assert relation(estate, "web-app", "runs_on", "web")["claims"] == 1
    estate.tell(2, using("web", "10.0.0.1"))
    assert ("web-app", "runs_on", "web") in estate.relations("runs_on"), "as true as before"


def test_the_feed_tells_of_relations_that_come_and_go(estate: Estate) -> None:
    estate.tell(0, DB, target="db")
    come = estate.tell(1, using("web", "10.0.0.1", Relation("depends_on", TO_DB)), target="web")
    found = relation(estate, "web", "depends_on", "app")
    id_ = " ".join((found["from_ci"], "depends_on", found["to_ci"]))
    gone = estate.tell(2, using("web", "10.0.0.1"), target="web")
    fed = [row for row in estate.rows(tables.FEED) if row[2] == id_]
    assert fed == [(come.revision, "relation", id_, 0), (gone.revision, "relation", id_, 1)]


def test_what_a_former_record_claimed_leaves_with_it(estate: Estate) -> None:
    """Other evidence (a MAC that was hidden) begins another record of the same CI: the former one's claims are old."""
    serial = {"name": ["a"], "serial": ["CZ3412ABCD"]}
    before = host(
        "a", "10.0.0.1", identifiers=serial, listens=[80], uses=[("10.0.0.9", 5432)], packages=["pkg:deb/x@1"]
    )
    seen = {**serial, "mac": ["3c:ec:ef:00:00:01"]}
    after = host("a", "10.0.0.1", identifiers=seen, listens=[80], packages=["pkg:deb/x@2"])
    estate.tell(0, host("db", "10.0.0.9", listens=[5432]), target="db")
    estate.tell(1, before, target="a")
    assert ("a", "installs", "pkg:deb/x@1") in estate.relations("installs")
    estate.tell(2, after, target="a")
    assert estate.relations("installs", "depends_on") == {("a", "installs", "pkg:deb/x@2")}
    assert not estate.cis("pkg:deb/x@1")
    estate.tell(3, before, target="a")
    assert ("a", "installs", "pkg:deb/x@1") in estate.relations("installs")
    assert not estate.cis("pkg:deb/x@2")


def test_what_is_gone_altogether_keeps_what_was_told_of_it_last(estate: Estate) -> None:
    serial = {"name": ["a"], "serial": ["CZ3412ABCD"]}
    estate.tell(1, host("a", "10.0.0.1", identifiers=serial, packages=["pkg:deb/x@1"]), target="a")
    seen = {**serial, "mac": ["3c:ec:ef:00:00:01"]}
    estate.tell(2, host("a", "10.0.0.1", identifiers=seen, packages=["pkg:deb/x@2"]), target="a")
    estate.tell(3, target="a")
    assert "a" not in estate.alive()
    assert estate.relations("installs") == {("a", "installs", "pkg:deb/x@2")}
