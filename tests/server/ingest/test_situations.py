"""The situations identity must tell apart, from observations through ingest, in every order of arrival."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path

import pytest

from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.answers.duplicates import duplicates_in
from cmdb_server.answers.history import graph_at
from cmdb_server.answers.timeline import timeline
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI
from tests.delivered import Outcome, bodies, deliver, recorded, sighted
from tests.estate import Estate, minute, opened
from tests.factories import START
from tests.observed import Scan, Thing
from tests.situations import SITUATIONS, Situation

MOST = 5
"""Of up to so many reports every order is tried; of more, a sample."""
SAMPLE = 120


def orders(told: Sequence[bytes], most: int = MOST, sample: int = SAMPLE) -> Iterable[Sequence[bytes]]:
    if len(told) <= most:
        yield from permutations(told)
        return
    rng = random.Random(len(told))
    yield told
    for _ in range(sample):
        yield rng.sample(told, len(told))


def expected(case: Situation) -> set[str]:
    """The sightings by CI: all of one record are where its last one belongs."""
    letter_of = {letter: group for group in case.cis for letter in group}
    latest: dict[object, tuple[int, str]] = {}
    record_of: dict[str, object] = {}
    for scan in case.scans:
        for thing in scan.things:
            record_of[thing.id] = key = _record(scan, thing)
            latest[key] = max(latest.get(key, (-1, "")), (scan.at, thing.id))
    return grouped({id_: letter_of[latest[key][1]] for id_, key in record_of.items()})


def _record(scan: Scan, thing: Thing) -> object:
    evidence = tuple((kind, tuple(values)) for kind, values in sorted(thing.identifiers.items()))
    return scan.source, scan.scope, thing.key or thing.address, thing.class_, evidence


def grouped(ci_of: Mapping[str, str]) -> set[str]:
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for sighting in sorted(ci_of):
        groups[ci_of[sighting]].append(sighting)
    return {"".join(group) for group in groups.values()}


def check(case: Situation, store: Store, told: Sequence[bytes]) -> Outcome:
    found = deliver(store, told)
    assert grouped(sighted(store, bodies(case.scans), case.scans)) == expected(case)
    assert {task["value"][0] for task in found.tasks.get("distrusted", ())} == case.distrusted  # type: ignore[index]
    assert len(found.tasks.get("review", ())) == case.reviews
    assert replaced(case, store, found) == case.replaces
    assert befell(case, store, found) == case.events
    return found


def replaced(case: Situation, store: Store, found: Outcome) -> set[str]:
    """The pairs of CIs, new and old, that tasks ask about, each by its sightings."""
    letters: defaultdict[str, str] = defaultdict(str)
    for sighting, ci in sorted(sighted(store, bodies(case.scans), case.scans).items()):
        letters[ci] += sighting
    return {" ".join(letters[ci] for ci in task["cis"]) for task in found.tasks.get("replaces", ())}  # type: ignore[index]


def befell(case: Situation, store: Store, found: Outcome) -> set[str]:
    """The events in the timelines of all CIs, each with the first sighting of its record, which is when it is told of."""
    first: dict[str, str] = {}
    for sighting, record in sorted(recorded(store, bodies(case.scans), case.scans).items()):
        first.setdefault(record, sighting)
    at = {thing.id: START + scan.at for scan in case.scans for thing in scan.things}
    told = [one for ci in set(found.ci_of.values()) for one in timeline(store, ci, ["event"]).entries]
    assert all(one.at == at[first[one.record]] and one.cause and one.cause.report for one in told)
    return {f"{one.name} {first[one.record]}" for one in told}


@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.title)
def test_every_situation_comes_out_the_same_in_every_order(case: Situation, tmp_path: Path) -> None:
    first: Outcome | None = None
    for n, told in enumerate(orders(bodies(case.scans))):
        store = SqliteStore(tmp_path / f"{n}.sqlite")
        found = check(case, store, told)
        store.close()
        first = first or found
        assert found == first


@pytest.mark.neo4j
@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.title)
def test_every_situation_on_neo4j(case: Situation, neo4j_opener: Callable[[], Store], tmp_path: Path) -> None:
    """Told backwards, which is the hardest order; the digest is the embedded store's."""
    told = bodies(case.scans)
    embedded, graph = SqliteStore(tmp_path / "cmdb.sqlite"), neo4j_opener()
    assert check(case, graph, told[::-1]) == check(case, embedded, told)
    embedded.close(), graph.close()


# What else follows from a situation ------------------------------------------------------------------------------------


def told_in_every_order(told: Sequence[tuple[int, Observation]], source: str) -> Iterable[Estate]:
    for order in permutations(told):
        with opened() as estate:
            for at, seen in order:
                estate.tell(at, seen, source=source, now=9)
            yield estate


def test_a_vm_that_moves_is_the_same_ci_on_another_hypervisor() -> None:
    def manager(host: str) -> list[Observation]:
        vm = Observation(
            "vm", "virtual_machine", None, "vm-17", {"uuid": ["564d4cbc-c6a9-1969-3fee-fa0f3887b6a5"]}, {"name": "web"},
            relations=[Relation("hosted_on", End(native_key=host))],
        )  # fmt: skip
        hosts = [Observation(key, "hypervisor", None, key, {"name": [key]}, {"name": key}) for key in ("esx1", "esx2")]
        return [vm, *hosts]

    for order in permutations([(0, "esx1"), (1, "esx2"), (2, "esx2")]):
        with opened() as estate:
            for at, host in order:
                estate.tell(at, *manager(host), source="vcenter:prod", now=9)
            assert estate.relations("hosted_on") == {("web", "hosted_on", "esx2")}
            assert len(estate.cis("web")) == 1
            past = estate.store.read(lambda tx: graph_at(tx, minute(0), None))
            names = {id_: row[2] for id_, row in past.cis.items()}
            hosted = {(names[row[0]], names[row[2]]) for row in past.relations if row[1] == "hosted_on"}
            assert hosted == {("web", "esx1")}


def test_a_stack_of_which_a_member_is_exchanged_has_the_new_one() -> None:
    def stack(*serials: str) -> Observation:
        members = [
            Component(serial, "chassis", serial, attributes={"serial_number": serial, "stack_number": number})
            for number, serial in enumerate(serials, 1)
        ]
        identifiers = {"serial": [*serials], "mac": ["70:6d:15:00:00:01"], "name": ["st"]}
        return Observation("st", "stack", "10.0.0.3", None, identifiers, {"name": "st"}, components=members)

    old, new = stack("FOC1A", "FOC2A", "FOC3A"), stack("FOC1A", "FOC2A", "FOC9A")
    for estate in told_in_every_order([(0, old), (1, new), (2, new)], "snmp"):
        assert len(estate.cis("st")) == 1
        there = {row[5]["serial_number"] for row in estate.rows(CI) if row[1] == "chassis" and row[7] is None}
        assert there == {"FOC1A", "FOC2A", "FOC9A"}


def test_a_floating_address_is_told_of_the_pair_and_not_of_either() -> None:
    """Two boxes that answer at one address in turn, and the group that both are members of."""

    def box_of(name: str, address: str, serial: str) -> Observation:
        return Observation(
            name, "firewall", address, None, {"serial": [serial], "name": [name]}, {"name": name},
            relations=[Relation("member_of", End(native_key="pair"))],
        )  # fmt: skip

    group = Observation(
        "pair", "vip_cluster", None, "pair", {}, {"name": "fw", "protocol": "vrrp", "ip_address": "10.0.0.5"}
    )
    far = End(address="10.0.0.5"), End(address="10.0.0.5", port=443)
    client = Observation(
        "web", "server", "10.0.9.1", None, {"serial": ["CZ1A"]}, {"name": "web"},
        relations=[Relation("depends_on", end) for end in far],
    )  # fmt: skip
    one, two = ("10.0.0.3", "FOC1A"), ("10.0.0.4", "FOC2A")
    scans = [
        (0, [group, box_of("a", *one), box_of("b", *two), box_of("a", "10.0.0.5", one[1])]),
        (1, [group, box_of("a", *one), box_of("b", *two), box_of("b", "10.0.0.5", two[1])]),
        (2, [client]),
    ]
    for order in permutations(scans):
        with opened() as estate:
            for at, seen in order:
                target = {"target": "web"} if seen == [client] else {}
                estate.tell(at, *seen, source="snmp", now=9, **target)
            assert estate.relations("depends_on") == {("web", "depends_on", "fw")}
            assert estate.store.read(lambda tx: list(duplicates_in(tx))) == []
            assert estate.relations("member_of") == {("a", "member_of", "fw"), ("b", "member_of", "fw")}
            assert estate.alive() == {"a", "b", "fw", "web"}


def pair(*floating: str, members: str = "ab", number: int = 0) -> list[Observation]:
    """Two boxes and the group that they are; ``floating``: who answers at its address."""
    group = Observation("pair", "vip_cluster", None, "pair", {}, {"name": "fw", "ip_address": "10.0.0.5"})
    boxes = [
        Observation(
            name, "firewall", address, None, {"serial": [f"FOC{name}1"], "name": [name]}, {"name": name, "os_version": str(number)},
            relations=[Relation("member_of", End(native_key="pair"))] if name in members else [],
        )
        for name, address in [("a", "10.0.0.3"), ("b", "10.0.0.4"), *((name, "10.0.0.5") for name in floating)]
    ]  # fmt: skip
    return [group, *boxes]


def client(at: int) -> Observation:
    told = {"name": "web", "os_version": str(at)}
    to = Relation("depends_on", End(address="10.0.0.5", port=443))
    return Observation("web", "server", "10.0.9.1", None, {"serial": ["CZ1A"]}, told, relations=[to])


def asked(either: Estate, told: Iterable[tuple[int, str, list[Observation]]]) -> set[str]:
    """Whom the client is held to depend on."""
    for at, target, seen in told:
        either.tell(at, *seen, source="snmp", target=target, now=9)
    return {to for _, _, to in either.relations("depends_on")}


GROUP_GOES = [
    (0, "pair", pair("a")), (1, "web", [client(1)]), (2, "pair", pair("b")[1:]), (3, "web", [client(3)]),
    (4, "pair", pair("b", number=4)[1:]),
]  # fmt: skip


def test_once_the_group_is_gone_its_address_is_of_who_answers_there(either: Estate) -> None:
    assert asked(either, GROUP_GOES[:2]) == {"fw"}
    assert asked(either, GROUP_GOES[2:]) == {"b"}


def test_whose_the_address_is_does_not_depend_on_the_order() -> None:
    found = set()
    for order in orders(GROUP_GOES):  # type: ignore[arg-type]
        with opened() as estate:
            found.add((frozenset(asked(estate, order)), estate.digest()))  # type: ignore[arg-type]
    assert {who for who, _ in found} == {frozenset({"b"})} and len(found) == 1


def test_who_is_no_member_shares_the_address_by_mistake(estate: Estate) -> None:
    assert asked(estate, [(0, "pair", pair("a", "b")), (1, "web", [client(1)])]) == {"fw"}
    assert estate.store.read(lambda tx: list(duplicates_in(tx))) == []
    stranger = Observation("c", "server", "10.0.0.5", None, {"serial": ["CZ9"]}, {"name": "c"})
    estate.tell(2, stranger, source="ssh", target="c")
    (shared,) = estate.store.read(lambda tx: list(duplicates_in(tx)))
    names = {row[0]: row[2] for row in estate.rows(CI)}
    assert (shared.address, {names[ci] for ci in shared.cis}) == ("10.0.0.5", {"fw", "c"})
    assert asked(estate, [(3, "web", [client(3)])]) == {"fw"}, "the group still has it"
