"""A cable is one relation, told by whichever ends and protocols, heard in whatever order."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_agent.device import device_observation, read_device
from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.answers.relation_explained import explain_relation
from cmdb_server.answers.viewer import Viewer
from cmdb_server.store.tables import CI, RELATION
from tests.estate import Estate, minute, open_ties
from tests.factories import START, report
from tests.server.ingest.test_order import MINUTE, NOW, assert_order_is_nothing
from tests.server.ingest.test_rewind import assert_equal, filled
from tests.snmprec import Recording

TOPOLOGIES = Path(__file__).parents[3] / "../shared/snmp/topologies"
VIEWER = Viewer("tests", "admin")


def sees(port: str, protocol: str = "LLDP", **identifiers: list[str]) -> Relation:
    """What a device tells of the neighbour at its port, empty for one that it cannot tell."""
    end = End(ref=port)
    return Relation("connects_to", End(identifiers=identifiers), from_=end, evidence=protocol, section=protocol.lower())


def switch(name: str, number: int, *seen: Relation, ports: tuple[str, ...] = ("Gi0/1", "Gi0/2")) -> Observation:
    return Observation(
        name, "switch", f"10.0.0.{number}", None, {"chassis_id": [f"00:1b:21:00:00:0{number}"], "name": [name]},
        {"name": name, "ip_addresses": [f"10.0.0.{number}"]},
        components=[
            Component(port, "network_interface", port, attributes={
                "if_name": port, "if_descr": port.replace("Gi", "GigabitEthernet"), "if_index": 10000 + at,
                "mac_address": f"00:1b:21:00:0{number}:0{at}",
            })
            for at, port in enumerate(ports)
        ],
        relations=list(seen),
    )  # fmt: skip


def ends(estate: Estate) -> set[tuple[frozenset[str], int]]:
    """The links: "device port" or "device" of both ends, and by how many claims."""
    cis = {row[0]: row for row in estate.rows(CI)}

    def said(ci: str) -> str:
        above = cis.get(cis[ci][3])
        return f"{above[2]} {cis[ci][2]}" if above is not None else cis[ci][2]

    rows = [row for row in estate.rows(RELATION) if row[1] == "connects_to"]
    return {(frozenset((said(row[0]), said(row[2]))), row[7]) for row in rows}


CABLE = frozenset(("one Gi0/1", "two Gi0/2"))
ONE = switch("one", 1, sees("Gi0/1", chassis_id=["00:1b:21:00:00:02"], if_name=["GigabitEthernet0/2"]))
TWO = switch("two", 2, sees("Gi0/2", chassis_id=["00:1b:21:00:00:01"], if_mac=["00:1b:21:00:01:00"]))


@pytest.mark.parametrize("order", [(ONE, TWO), (TWO, ONE)])
def test_both_ends_tell_of_one_relation(either: Estate, order: tuple[Observation, ...]) -> None:
    for at, device in enumerate(order):
        either.tell(at, device, target=device.ref, source="snmp")
    assert ends(either) == {(CABLE, 2)}


def test_explained_it_has_the_evidence_of_both_ends_asked_from_either(either: Estate) -> None:
    either.tell(0, ONE, target="one", source="snmp")
    either.tell(0, TWO, target="two", source="snmp")
    near, far = (either.part(name, port)["id"] for name, port in (("one", "Gi0/1"), ("two", "Gi0/2")))
    asked = [explain_relation(either.store, VIEWER, *way, now_ms=minute(9)) for way in (
        (near, "connects_to", far), (far, "connects_to", near))]  # fmt: skip
    assert asked[0] == asked[1]
    assert (asked[0].stands, asked[0].why) == (True, "claimed")
    assert {(claim.near, claim.to, claim.evidence) for claim in asked[0].claims} == {
        (near, far, "LLDP"), (far, near, "LLDP")}  # fmt: skip


def test_when_one_end_says_no_more_the_word_of_the_other_still_holds(estate: Estate) -> None:
    for at, device in enumerate((ONE, TWO, switch("one", 1))):
        estate.tell(at, device, target=device.ref, source="snmp")
    assert ends(estate) == {(CABLE, 1)}
    estate.tell(3, switch("two", 2), target="two", source="snmp")
    assert ends(estate) == set()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_claim_about_a_device_is_the_link_of_its_port(either: Estate, order: tuple[int, ...]) -> None:
    """One protocol does not tell the far port, and a device not its own; only one cable is between the two."""
    vague = switch("one", 1, *ONE.relations, sees("Gi0/1", "CDP", name=["two"]), sees("", "CDP", name=["two"]))
    told = [(0, vague), (1, TWO), (2, vague)]
    for at in order:
        either.tell(told[at][0], told[at][1], target=told[at][1].ref, source="snmp", now=9)
    assert ends(either) == {(CABLE, 2)}
    one, two = either.ci("one")["id"], either.ci("two")["id"]
    assert explain_relation(either.store, VIEWER, one, "connects_to", two, now_ms=minute(9)).why == "port"


def test_between_two_cables_a_claim_about_the_devices_stays_as_it_is(estate: Estate) -> None:
    other = sees("Gi0/2", name=["two"], if_name=["Gi0/1"])
    estate.tell(0, switch("one", 1, *ONE.relations, other, sees("", "CDP", name=["two"])), target="one", source="snmp")
    estate.tell(0, switch("two", 2), target="two", source="snmp")
    expected = {CABLE, frozenset(("one Gi0/2", "two Gi0/1")), frozenset(("one", "two"))}
    assert {link for link, _ in ends(estate)} == expected


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_port_that_is_found_later_is_the_one_that_was_meant(estate: Estate, order: tuple[int, ...]) -> None:
    told = [(0, switch("two", 2, ports=())), (1, ONE), (2, switch("two", 2))]
    for at in order:
        estate.tell(told[at][0], told[at][1], target=told[at][1].ref, source="snmp", now=9)
    assert ends(estate) == {(CABLE, 1)}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_who_is_not_known_by_its_strongest_name_is_looked_for_by_the_next(
    estate: Estate, order: tuple[int, ...]
) -> None:
    """The chassis id is nobody's; the address is two's, and once another bears it, its name tells the two apart."""
    claim = sees("Gi0/1", chassis_id=["00:99:00:00:00:01"], management_address=["10.0.0.2"], name=["two.example.net"])
    third = switch("three", 3)
    third.attributes["ip_addresses"] = ["10.0.0.2"]
    told = [(0, switch("one", 1, claim)), (1, switch("two", 2)), (2, third)]
    for at in order:
        estate.tell(told[at][0], told[at][1], target=told[at][1].ref, source="snmp", now=9)
    assert {link for link, _ in ends(estate)} == {frozenset(("one Gi0/1", "two"))}


def test_a_neighbour_nobody_knows_is_told_and_not_guessed(estate: Estate) -> None:
    estate.tell(0, switch("one", 1, sees("Gi0/1", chassis_id=["00:99:00:00:00:01"], name=["who"])), source="snmp")
    assert ends(estate) == set()
    assert len(open_ties(estate)) == 1


def test_a_cable_from_a_device_to_itself_is_a_link_and_a_port_to_itself_is_not(estate: Estate) -> None:
    loops = (sees("Gi0/1", name=["one"], if_name=[port]) for port in ("Gi0/1", "Gi0/2"))
    estate.tell(0, switch("one", 1, *loops), source="snmp")
    assert ends(estate) == {(frozenset(("one Gi0/1", "one Gi0/2")), 1)}


# --- recorded networks ---

recorded = pytest.mark.skipif(
    not TOPOLOGIES.is_dir(), reason="the recorded networks, ../shared/snmp/topologies, are missing"
)


@cache
def network(name: str) -> dict[str, Observation]:
    found = {}
    for number, path in enumerate(sorted((TOPOLOGIES / name).glob("*.snmprec")), 1):
        reading = read_device(Recording.of(path))
        found[path.stem] = device_observation(reading.walks, reading.facts, f"192.0.2.{number}")[0]
    return found


def scans(name: str, rng: random.Random) -> Iterator[tuple[str, Observation]]:
    """Each device once, in some order."""
    devices = network(name)
    return ((key, devices[key]) for key in rng.sample(sorted(devices), len(devices)))


@recorded
@pytest.mark.parametrize("seed", range(3))
def test_thirteen_links_of_nine_devices_by_two_protocols_from_both_ends(either: Estate, seed: int) -> None:
    known = json.loads((TOPOLOGIES / "nms17216/expected_links.json").read_text(encoding="utf-8"))
    for key, device in scans("nms17216", random.Random(seed)):
        either.tell(sorted(network("nms17216")).index(key), device, target=key, source="snmp", now=99)
    by_lldp = {(row["a"], row["a_port"]) for row in known["lldp"]}
    assert ends(either) == {
        (frozenset((f"{row['a']} {row['a_port']}", f"{row['b']} {row['b_port']}")),
         4 if (row["a"], row["a_port"]) in by_lldp else 2)
        for row in known["physical_all"]
    }  # fmt: skip
    assert open_ties(either) == []


@recorded
@pytest.mark.parametrize("seed", range(3))
def test_ports_that_are_told_by_ifindex(estate: Estate, seed: int) -> None:
    """Junos numbers its LLDP ports by ifIndex, and two of them are cabled to each other."""
    for key, device in scans("nms0123", random.Random(seed)):
        estate.tell(sorted(network("nms0123")).index(key), device, target=key, source="snmp", now=99)
    address = {key: device.address for key, device in network("nms0123").items()}
    found = dict(ends(estate))
    for (one, port), (other, far), claims in [
        (("itpn0111", 639), ("itpn0201", 626), 2), (("itpn0111", 633), ("itpn0112", 622), 2),
        (("itpn0111", 538), ("itpn0111", 617), 2),
    ]:  # fmt: skip
        assert found[frozenset((f"{address[one]} {port}", f"{address[other]} {far}"))] == claims


@recorded
def test_a_device_without_ports_of_its_own_is_linked_as_a_whole(estate: Estate) -> None:
    for at, (key, device) in enumerate(scans("nms7563", random.Random(1))):
        estate.tell(at, device, target=key, source="snmp")
    address = {key: device.address for key, device in network("nms7563").items()}
    assert frozenset((f"{address['cisco01']} Fa0/8", address["switch02"])) in dict(ends(estate))


# --- any order ---

numbers = st.integers(1, 3)
port_sets = st.sampled_from([(), ("Gi0/1",), ("Gi0/2",), ("Gi0/1", "Gi0/2")])


@st.composite
def neighbours(draw: Any, ports: tuple[str, ...]) -> Relation:
    number = draw(numbers)
    names = {
        "chassis_id": [f"00:1b:21:00:00:0{number}"], "name": [draw(st.sampled_from(["one", "two.example.net", "two"]))],
        "management_address": [f"10.0.0.{number}"],
    }  # fmt: skip
    told = draw(st.sets(st.sampled_from(sorted(names)), min_size=1))
    port = draw(
        st.sampled_from([{}, {"if_name": ["Gi0/1"]}, {"if_name": ["GigabitEthernet0/2"]}, {"if_name": ["10000"]}])
    )
    near = draw(st.sampled_from(["", *ports]))
    return sees(near, draw(st.sampled_from(["LLDP", "CDP"])), **{kind: names[kind] for kind in told}, **port)


@st.composite
def devices(draw: Any) -> Observation:
    ports = draw(port_sets)
    seen = draw(st.lists(neighbours(ports), max_size=2))
    device = switch(draw(st.sampled_from(["one", "two"])), draw(numbers), *seen, ports=ports)
    for component in device.components:
        component.attributes["if_alias"] = draw(st.sampled_from(["Gi0/1", "uplink", ""]))
    if draw(st.booleans()):
        device.identifiers["serial"] = [draw(st.sampled_from(["FOC1", "FOC2"]))]
    if draw(st.booleans()):
        del device.identifiers["chassis_id"]
    return device


@st.composite
def links_told(draw: Any) -> list[bytes]:
    moments = draw(st.lists(st.tuples(st.integers(0, 8), st.sampled_from("xyz")), max_size=7, unique=True))
    return [
        report(
            f"r{number}", START + at * MINUTE, [draw(devices())], target=scope, sent=NOW,
            source="ssh" if scope == "z" else "snmp",
            coverage={"scope": "complete", "lldp": draw(st.sampled_from(["complete", "complete", "partial"]))},
        )
        for number, (at, scope) in enumerate(moments)
    ]  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=links_told(), seed=st.integers(0, 2**32))
def test_any_order_and_any_repeats_give_the_same_links(
    tmp_path_factory: pytest.TempPathFactory, told: list[bytes], seed: int
) -> None:
    assert_order_is_nothing(tmp_path_factory.mktemp("order"), told, random.Random(seed))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(told=links_told(), seed=st.integers(0, 2**32))
def test_links_as_they_were_are_what_replaying_gives(
    tmp_path_factory: pytest.TempPathFactory, told: list[bytes], seed: int
) -> None:
    rng = random.Random(seed)
    store = filled(tmp_path_factory.mktemp("past") / "cmdb.db", MINUTE, told, rng)
    for moment in rng.sample(range(9), 2):
        assert_equal(store, START + moment * MINUTE, rng.randint(0, store.revision()))
    store.close()
