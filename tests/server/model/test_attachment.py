from __future__ import annotations

from cmdb_server.model.attachment import (
    Bearers,
    apart_from,
    at_place,
    beyond,
    by_age,
    declared_as,
    nameless,
    owner,
    owners,
    tenures,
)
from tests.records import record

PING = record("p", source="ping", address="10.0.0.1", seen=[(5, 30)])
A = record("a", serial="CZ1", name="web.a.net", address="10.0.0.1", seen=[(10, 12), (25, 26)])
B = record("b", serial="CZ2", name="db", address="10.0.0.1", seen=[(20, 21)])


def test_whoever_last_proved_the_place_owns_the_sighting_else_the_first_who_does() -> None:
    for proofs in ([A, B], [B, A]):
        assert [owner(PING, proofs, at) for at in (5, 10, 19, 20, 24, 25, 30)] == ["a", "a", "a", "b", "b", "a", "a"]
    assert owner(PING, [], 5) is None


def test_owners_over_time() -> None:
    assert owners(PING, [A, B]) == ((5, 19, "a"), (20, 24, "b"), (25, 30, "a"))
    assert owners(PING, []) == ((5, 30, None),)


def test_names_that_contradict_rule_a_proof_out() -> None:
    named = record("p", source="snmp", name="web", address="10.0.0.1", seen=[(22, 22)])
    assert owner(named, [A, B], 22) == "a"
    assert owner(record("p", name="mail", address="10.0.0.1"), [A, B], 22) is None


def test_a_declaration_belongs_with_the_earliest_bearer_of_its_full_name() -> None:
    wanted = record("d", source="manual", declared=True, name="web.a.net")
    earlier = record("e", name="web.a.net", serial="CZ9", seen=[(1, 2)])
    short = record("s", name="web", serial="CZ8", seen=[(0, 2)])
    assert declared_as([wanted], Bearers([A, earlier, short, B])) == declared_as([wanted], Bearers([earlier, A])) == "e"
    assert declared_as([record("d", declared=True, name="web")], Bearers([A, short])) is None
    assert declared_as([wanted], Bearers([A, earlier]), apart_from(["d"], [(("d",), ("e", "x"))])) == "a"


def test_without_an_observed_bearer_it_belongs_with_who_declared_it_first() -> None:
    first, then = (
        record(id_, source=id_, declared=True, name="web.a.net", seen=[(at, 9)]) for id_, at in (("x", 1), ("y", 2))
    )
    again = record("z", source="y", declared=True, name="web.a.net", seen=[(3, 9)])
    told = [again, then, first]
    assert [declared_as([one], Bearers(told)) for one in (first, then, again)] == [None, "x", "x"]
    assert declared_as([again], Bearers([then])) is None, "what one source tells twice is two things"
    assert [group[0].id for group in by_age([[again], [then], [first]])] == ["x", "y", "z"]


def test_other_hardware_is_another_thing_whatever_its_name() -> None:
    wanted = record("d", source="import:x", declared=True, name="web.a.net", serial="CZ1")
    assert declared_as([wanted], Bearers([record("e", name="web.a.net", serial="CZ2")])) is None
    assert declared_as([wanted], Bearers([record("e", name="web.a.net", mac="3c:ec:ef:00:00:01")])) == "e"


def test_what_bears_nothing_is_one_thing_at_one_place() -> None:
    bare = [
        record(id_, address=address, seen=[(at, 9)])
        for id_, address, at in (("x", "10.0.0.1", 2), ("y", "10.0.0.1", 1), ("z", "10.0.0.2", 0))
    ]
    told = [*bare, record("n", name="web", address="10.0.0.1"), record("d", declared=True)]
    assert nameless(told) == nameless(told[::-1]) == {"x": "y", "y": "y", "z": "z"}


def test_the_place_is_again_the_formers_once_the_latter_is_not_seen_there_any_more() -> None:
    long = record("long", source="snmp", serial="CZ3", address="10.0.0.1", seen=[(4, 28)])
    short = record("short", serial="CZ4", address="10.0.0.1", seen=[(10, 12)])
    assert owners(PING, [long, short]) == ((5, 9, "long"), (10, 12, "short"), (13, 30, "long"))


def test_tenures_name_cis_where_several_held_a_place() -> None:
    spans = owners(PING, [A, B])
    assert tenures(spans, {"a": "one", "b": "two"}) == [(5, "one"), (20, "two"), (25, "one")]
    assert tenures(spans, {"a": "one", "b": "one"}) == tenures(owners(PING, []), {}) == []


def test_who_was_separated_or_elsewhere_owns_nothing() -> None:
    elsewhere = record("e", serial="CZ5", address="10.0.0.2")
    assert at_place(PING, [A, elsewhere, B]) == [A, B]
    assert at_place(record("n"), [A]) == []
    assert beyond(PING, [A, B], [(("p",), ("a",))]) == [B]
    assert beyond(PING, [A, B], [(("a",), ("b",))]) == [A, B]
