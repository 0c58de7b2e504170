"""The far end of a claim is found in whatever order the two became known, and left open where nobody or several are it."""

from __future__ import annotations

import itertools

import pytest

from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.store import tables
from tests.estate import Estate, open_ties
from tests.factories import host

CLAIMANT = "10.0.9.9"


def claimant(end: End, **more: object) -> Observation:
    return Observation(
        "web", "server", CLAIMANT, None, {"serial": ["CZ3411AB0C"]}, {"name": "web"},
        relations=[Relation("depends_on", end, **more)],  # type: ignore[arg-type]
    )  # fmt: skip


DB = Observation(
    "db", "server", "10.0.0.2", "vm-7",
    {"serial": ["MX88420XYZ"], "mac": ["3c:ec:ef:20:42:a2"], "fqdn": ["db.example.net"]}, {"name": "db"},
    components=[
        Component("if", "network_interface", "eth0", attributes={"ip_addresses": ["10.0.7.7/24"]}),
        Component("pg", "database_instance", "postgres", attributes={"name": "pg", "listens": ["tcp:0.0.0.0:5432"]}),
    ],
)  # fmt: skip
GROUP = Observation("g", "support_group", None, "g-1", {}, {"name": "Operators"})
WAYS = {
    "address": (End(address="10.0.0.2"), "db"),
    "address of an interface": (End(address="10.0.7.7"), "db"),
    "address and port": (End(address="10.0.0.2", port=5432, protocol="tcp"), "pg"),
    "address and another port": (End(address="10.0.0.2", port=99), "db"),
    "native key": (End(native_key="vm-7"), "db"),
    "identifiers": (End(identifiers={"serial": ["mx88420xyz"]}), "db"),
    "a MAC in another form": (End(identifiers={"mac": ["3CEC.EF20.42A2"]}), "db"),
    "a full name": (End(identifiers={"fqdn": ["DB.example.net."]}), "db"),
    "a full name for a host name": (End(identifiers={"name": ["db.example.net"]}), "db"),
    "a short name": (End(identifiers={"name": ["DB"]}), "db"),
    "a short name for a full one": (End(identifiers={"fqdn": ["db"]}), "db"),
    "a short name and a port": (End(identifiers={"name": ["db"]}, port=5432), "db"),
    "interface": (End(identifiers={"serial": ["MX88420XYZ"], "if_name": ["eth0"]}), "eth0"),
    "declared": (End(class_="support_group", name="Operators"), "Operators"),
}
STEPS = {
    "claim": lambda estate, end, at: estate.tell(at, claimant(end), target="web", now=9),
    "db": lambda estate, end, at: estate.tell(at, DB, target="db", now=9),
    "group": lambda estate, end, at: estate.tell(at, GROUP, target="groups", now=9),
}


@pytest.mark.parametrize("order", [*list(itertools.permutations(STEPS))[:3], ("db", "group", "claim")])
@pytest.mark.parametrize("way", WAYS)
def test_a_far_end_is_found_in_any_order(estate: Estate, way: str, order: tuple[str, ...]) -> None:
    end, name = WAYS[way]
    for step in order:
        STEPS[step](estate, end, 1)
    assert estate.relations("depends_on") == {("web", "depends_on", name)}
    assert open_ties(estate) == []


@pytest.mark.parametrize("way", WAYS)
def test_an_end_nobody_is_known_to_be_stays_open_and_named(estate: Estate, way: str) -> None:
    estate.tell(0, claimant(WAYS[way][0]))
    assert estate.relations("depends_on") == set()
    assert len(open_ties(estate)) == 1


def test_an_end_by_id_is_that_ci_by_any_of_its_ids(estate: Estate) -> None:
    estate.tell(0, DB, target="db")
    estate.tell(1, host("x", "10.0.0.2", identifiers={"serial": ["MX88420XYZ"]}), source="snmp", target="s")
    records = [row[0] for row in estate.rows(tables.RECORD) if row[10] == estate.ci("db", "server")["id"]]
    assert len(records) == 2
    for at, record in enumerate(records, 2):
        estate.tell(at, claimant(End(ci=record)))
        assert ("web", "depends_on", estate.ci("db", "server")["name"]) in estate.relations("depends_on")


def test_the_address_means_whoever_held_it_when_it_was_claimed(estate: Estate) -> None:
    old, new = host("old", "10.0.0.5"), host("new", "10.0.0.5", mac="3c:ec:ef:00:00:77")
    estate.tell(0, old, target="x")
    estate.tell(2, old, target="x")
    estate.tell(3, claimant(End(address="10.0.0.5")), coverage={"scope": "partial"})
    assert estate.relations("depends_on") == {("web", "depends_on", "old")}
    estate.tell(8, new, target="x")
    assert estate.relations("depends_on") == {("web", "depends_on", "old")}
    estate.tell(9, claimant(End(address="10.0.0.5")), coverage={"scope": "partial"})
    assert estate.relations("depends_on") == {("web", "depends_on", "new")}


def test_an_end_that_several_may_be_stays_open(estate: Estate) -> None:
    twins = [
        Observation(name, "server", address, None, {"serial": [serial], "mac": [mac]}, {"name": name},
                    components=[Component("if", "network_interface", "eth1", attributes={"ip_addresses": ["10.0.5.5/24"]})])
        for name, address, serial, mac in (
            ("one", "10.0.0.1", "AA11111111", "3c:ec:ef:00:01:01"), ("two", "10.0.0.2", "BB22222222", "3c:ec:ef:00:02:02"),
        )
    ]  # fmt: skip
    estate.tell(0, *twins, target="twins")
    estate.tell(0, claimant(End(address="10.0.5.5")), target="web")
    assert estate.relations("depends_on") == set()
    assert open_ties(estate) == ["address:lab|10.0.5.5"]
    estate.tell(1, twins[0], target="twins")
    estate.tell(2, claimant(End(address="10.0.5.5"), evidence="again"), target="web")
    assert estate.relations("depends_on") == {("web", "depends_on", "one")}


def bearing(ref: str, number: int, **identifiers: list[str]) -> Observation:
    told = {"serial": [f"CZ34110B{number}X"], **identifiers}
    return Observation(ref, "server", f"10.0.1.{number}", None, told, {"name": ref})


def calls(name: str) -> Observation:
    return claimant(End(identifiers={"name": [name]}))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_short_name_that_several_full_ones_begin_with_means_none_of_them(
    either: Estate, order: tuple[int, ...]
) -> None:
    told = [calls("pay"), bearing("one", 1, fqdn=["pay.example.net"]), bearing("two", 2, fqdn=["pay.example.org"])]
    for place in order:
        either.tell(1, told[place], target=f"t{place}", now=9)
    assert either.relations("depends_on") == set()
    assert open_ties(either) == ["host:lab|pay"]
    either.tell(2, target="t2", now=9)
    either.tell(3, told[1], target="t1", now=9)
    either.tell(3, calls("pay"), target="t0", now=9)
    assert either.relations("depends_on") == {("web", "depends_on", "one")}, "the other is gone"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_whose_very_name_it_is_comes_before_whose_full_name_begins_with_it(
    estate: Estate, order: tuple[int, ...]
) -> None:
    told = [calls("pay"), bearing("one", 1, name=["pay"]), bearing("two", 2, fqdn=["pay.example.org"])]
    for place in order:
        estate.tell(1, told[place], target=f"t{place}", now=9)
    assert estate.relations("depends_on") == {("web", "depends_on", "one")}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_short_name_means_one_of_its_own_site_before_any_other(estate: Estate, order: tuple[int, ...]) -> None:
    told = [
        (calls("pay"), "lab"),
        (bearing("one", 1, fqdn=["pay.example.net"]), "lab"),
        (bearing("two", 2, name=["pay"]), "far"),
    ]
    for place in order:
        estate.tell(1, told[place][0], target=f"t{place}", site=told[place][1], now=9)
    assert estate.relations("depends_on") == {("web", "depends_on", "one")}


def test_a_short_name_means_no_full_name_of_another_site(estate: Estate) -> None:
    estate.tell(1, bearing("one", 1, fqdn=["pay.example.net"]), target="x", site="far")
    estate.tell(1, calls("pay"), target="y")
    assert estate.relations("depends_on") == set()
    assert open_ties(estate) == ["host:lab|pay"]


def test_a_claim_may_come_from_the_other_side(estate: Estate) -> None:
    told = Observation(
        "db", "server", "10.0.0.2", None, {"serial": ["MX88420XYZ"]}, {"name": "db"},
        relations=[Relation("depends_on", End(ref=""), from_=End(address="10.0.0.1"))],
    )  # fmt: skip
    estate.tell(0, told, target="db")
    estate.tell(0, host("client", "10.0.0.1"), target="x")
    assert estate.relations("depends_on") == {("client", "depends_on", "db")}


def test_a_listener_that_appears_takes_over_from_its_host(estate: Estate) -> None:
    estate.tell(0, host("db", "10.0.0.2"), target="db")
    estate.tell(0, claimant(End(address="10.0.0.2", port=80)), target="web")
    assert estate.relations("depends_on") == {("web", "depends_on", "db")}
    estate.tell(1, host("db", "10.0.0.2", listens=[80]), target="db")
    assert estate.relations("depends_on") == {("web", "depends_on", "app")}


def test_a_relation_of_two_components_of_one_observation(estate: Estate) -> None:
    seen = Observation(
        "h", "server", "10.0.0.1", None, {"serial": ["CZ3411AB0C"]}, {"name": "h"},
        components=[Component("a", "web_server", "a"), Component("b", "database_instance", "b")],
        relations=[Relation("depends_on", End(ref="b"), from_=End(ref="a"))],
    )  # fmt: skip
    estate.tell(0, seen)
    assert estate.relations("depends_on") == {("a", "depends_on", "b")}


def test_of_a_keyed_ci_the_fullest_word_wins_in_any_order(estate: Estate, other: Estate) -> None:
    def installing(on: str, at: str, **attributes: str) -> Observation:
        end = End(class_="software_package", key="pkg:a", attributes=attributes)
        return Observation(on, "server", at, None, {"serial": ["SN" + on * 8]}, {"name": on},
                           relations=[Relation("installs", end)])  # fmt: skip

    tellings = [
        installing("a", "10.0.0.1", version="1", name="curl"),
        installing("b", "10.0.0.2", version="2", vendor="x"),
    ]
    for one, order in ((estate, (0, 1)), (other, (1, 0))):
        for index in order:
            one.tell(1, tellings[index], target=f"t{index}", now=5, id_=f"r{index}")
    assert estate.digest() == other.digest()
    told = estate.ci("curl", "software_package")["attributes"]
    assert told == {"name": "curl", "version": "2", "vendor": "x", "purl": "pkg:a"}


def test_what_listens_anew_is_meant_by_every_address_of_its_host(estate: Estate) -> None:
    """Whichever record bears the address: one source knows it, another finds out what listens."""
    estate.tell(0, host("a", "10.0.0.2", mac="3c:ec:ef:00:00:02"), host("b", "10.0.0.1", uses=[("10.0.0.2", 443)]))
    assert estate.relations("depends_on") == {("app", "depends_on", "a")}
    estate.tell(1, host("a", "10.0.0.3", mac="3c:ec:ef:00:00:02", listens=[443]), source="snmp")
    assert estate.relations("depends_on") == {("app", "depends_on", "app")}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_two_that_listened_at_a_port_the_one_that_is_left_is_meant(estate: Estate, order: tuple[int, ...]) -> None:
    def serving(*names: str) -> Observation:
        told = host("db", "10.0.0.2")
        for name in names:
            told.components.append(Component(name, "web_server", name, attributes={"listens": ["tcp:*:80"]}))
        return told

    web = host("web", "10.0.0.1", uses=[("10.0.0.2", 80)])
    told = [(0, serving("p", "q"), "d"), (1, web, "w"), (2, serving("q"), "d")]
    for step in order:
        estate.tell(told[step][0], told[step][1], target=told[step][2], now=9)
    assert estate.relations("depends_on") == {("app", "depends_on", "q")}
