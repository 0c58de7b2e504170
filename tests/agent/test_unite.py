from __future__ import annotations

import math
import random

import msgspec
import pytest

from cmdb_agent.observation import Component, Coverage, End, Fact, HostFacts, Relation, Sample, ScanError
from cmdb_agent.unite import short_of, unite, within_bounds
from cmdb_schemas.report import Observation


def interface(name: str, **attributes: object) -> Component:
    return Component(f"network_interface:{name}", "network_interface", name, attributes=attributes)  # type: ignore[arg-type]


def link(evidence: str = "") -> Relation:
    return Relation("depends_on", End(address="10.0.0.2", port=5432), End(ref="application:web"), evidence)


def test_identifiers_of_all_sections_are_united_and_sorted() -> None:
    facts = {"a": [HostFacts({"mac": ["b", "a"]})], "b": [HostFacts({"mac": ["a", "c"], "serial": [""]})]}
    assert unite("h", "server", None, facts).observation.identifiers == {"mac": ["a", "b", "c"]}


def test_of_two_sections_the_first_that_says_something_counts_and_is_named() -> None:
    facts = {
        "a": [HostFacts(attributes={"name": "", "os": None})],
        "b": [HostFacts(attributes={"name": "web1", "os": "x"})],
        "c": [HostFacts(attributes={"name": "other"})],
    }
    observation = unite("h", "server", None, facts).observation
    assert observation.attributes == {"name": "web1", "os": "x"}
    assert observation.sections == {"name": "b", "os": "b"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([None], "server"),
        ([None, "virtual_machine"], "virtual_machine"),
        (["server", "virtual_machine"], "virtual_machine"),
    ],
)
def test_the_class_is_the_usual_one_unless_told_better(told: list[str | None], expected: str) -> None:
    facts = {str(number): [HostFacts(class_=class_)] for number, class_ in enumerate(told)}
    assert unite("h", "server", None, facts).observation.class_ == expected


def test_the_order_of_facts_does_not_show() -> None:
    facts: list[Fact] = [interface(f"eth{n}", mtu=n) for n in range(20)]
    facts += [Relation("installs", End(class_="software_package", key=f"p{n}")) for n in range(20)]
    facts += [HostFacts({"mac": [str(n)]}, {f"attribute{n}": n}) for n in range(20)]
    seen = set()
    for seed in range(5):
        shuffled = facts[:]
        random.Random(seed).shuffle(shuffled)
        seen.add(msgspec.json.encode(unite("h", "server", "10.0.0.1", {"s": shuffled}).observation))
    assert len(seen) == 1


def test_two_sections_tell_of_one_component() -> None:
    facts = {"a": [interface("eth0", mtu=1500)], "b": [interface("eth0", mtu=9000, speed=10)]}
    [component] = unite("h", "server", None, facts).observation.components
    assert component.attributes == {"mtu": 1500, "speed": 10}
    assert component.section == "a"


def test_a_relation_told_twice_is_one() -> None:
    assert len(unite("h", "server", None, {"a": [link(), link()]}).observation.relations) == 1


def test_samples_are_told_of_this_observation_and_stay_outside_it() -> None:
    facts = {"uptime": [Sample("", "system.uptime", 5.0), Sample("x", "bad", math.inf), Sample("x", "worse", math.nan)]}
    united = unite("h", "server", None, facts)
    assert united.samples == [Sample("h", "system.uptime", 5.0)]
    assert united.observation == Observation("h", "server")


def test_secrets_go_wherever_they_stand() -> None:
    secret = "postgres://app:hunter2@db/shop"
    facts: dict[str, list[Fact]] = {
        "a": [
            HostFacts(attributes={"one": secret, "many": [secret]}),
            interface("eth0", alias=secret),
            link(secret),
            Relation("installs", End(class_="x", key="y", attributes={"url": secret})),
        ]
    }
    told = msgspec.json.encode(unite("h", "server", None, facts).observation)
    assert b"hunter2" not in told
    assert told.count(b"postgres://app:***@db/shop") == 5


def test_text_that_json_or_the_server_refuses_is_mended() -> None:
    facts = {"a": [HostFacts(attributes={"name": "a\0b\ud800c", "note": "x" * 100_000, "city": "Zürich"})]}
    attributes = unite("h", "server", None, facts).observation.attributes
    assert (attributes["name"], attributes["city"]) == ("ab?c", "Zürich")
    assert len(str(attributes["note"])) == 65_536


def test_what_the_wire_cannot_carry_is_left_out_by_name_and_the_rest_stays() -> None:
    facts: dict[str, list[Fact]] = {
        "interfaces": [interface("eth0"), interface("x" * 300), interface("eth1")],
        "packages": [Relation("installs", End(class_="software_package", key="k" * 300)), link()],
    }
    united = unite("h", "server", None, facts)
    assert [one.local_key for one in united.observation.components] == ["eth0", "eth1"]
    assert united.observation.relations == unite("h", "server", None, {"packages": [link()]}).observation.relations
    assert [(error.kind, error.section) for error in united.errors] == [
        ("invalid", "interfaces"),
        ("invalid", "packages"),
    ]


def test_coverage_is_lowered_only_where_something_was_lost() -> None:
    coverage = [Coverage("a", "complete"), Coverage("b", "complete"), Coverage("c", "timeout")]
    lowered = short_of([ScanError("invalid", "x", "a"), ScanError("invalid", "x", "c")], coverage)
    assert [one.status for one in lowered] == ["partial", "complete", "timeout"]


def test_a_devices_observation_is_held_to_the_same_bounds() -> None:
    given = Observation("d", "switch", identifiers={"name": ["a\0"]}, components=[interface("x" * 300)])
    united = within_bounds(given)
    assert united.observation == Observation("d", "switch", identifiers={"name": ["a"]})
    assert len(united.errors) == 1


def package(name: str, **attributes: object) -> Relation:
    end = End(class_="software_package", key=f"pkg:deb/{name}", attributes={"name": name, **attributes})  # type: ignore[dict-item]
    return Relation("installs", end)


def test_what_a_probe_remembers_is_told_alike_of_every_host_and_in_every_section() -> None:
    remembered = [package("b"), package("a", note="password=hunter2secret"), package("lost", size=2**70)]
    again = [package("b"), package("a", note="password=hunter2secret"), package("lost", size=2**70)]
    for section in ("packages", "packages", "other", "packages"):
        told = unite("h", "server", None, {section: remembered})
        fresh = unite("h", "server", None, {section: [msgspec.structs.replace(one) for one in again]})
        assert msgspec.json.encode(told.observation) == msgspec.json.encode(fresh.observation)
        assert [one.to.key for one in told.observation.relations] == ["pkg:deb/a", "pkg:deb/b"]
        assert {one.section for one in told.observation.relations} == {section}
        assert [error.section for error in told.errors] == [section]
        assert b"hunter2secret" not in msgspec.json.encode(told.observation)


def test_no_more_is_remembered_than_hosts_have_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cmdb_agent.unite._REMEMBERED", 3)
    facts = [package(f"p{number}") for number in range(10)]
    for _ in range(2):
        told = unite("h", "server", None, {"packages": list(facts)}).observation.relations
        assert [one.to.key for one in told] == [f"pkg:deb/p{number}" for number in range(10)]
