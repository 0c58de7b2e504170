"""What befell a thing: told from its records alone, whatever the order, and never from what is merely not there."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.events import Event, events
from cmdb_server.model.identity import Resolution
from cmdb_server.model.record import Record
from tests.observed import Observed
from tests.situations import BOX, DAY, HARDWARE, OTHER, SITUATIONS, SOFTWARE, Situation, box, of, snmp, ssh


def befell(resolution: Resolution) -> list[Event]:
    """What befell the CIs of a component."""
    without = resolution.without | {said.value for said in resolution.distrusted}
    return [
        one for group in resolution.groups for one in events([resolution.records[id_] for id_ in group], without)
    ]  # fmt: skip


def told(*scans: object) -> list[Event]:
    return [one for resolution in Observed(scans).resolutions for one in befell(resolution)]  # type: ignore[arg-type]


@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.title)
def test_situations(case: Situation) -> None:
    observed = Observed(case.scans)
    first = {id_: min(sighting for _, _, sighting in held.seen) for id_, held in observed.held.items()}
    found = [one for resolution in observed.resolutions for one in befell(resolution)]
    assert {f"{one.name} {first[one.record]}" for one in found} == case.events
    for order in permutations(case.scans):
        again = [one for resolution in Observed(order).resolutions for one in befell(resolution)]
        assert sorted(again, key=repr) == sorted(found, key=repr)


def test_an_event_tells_what_was_borne_before_and_after_and_who_showed_it() -> None:
    scans = [ssh(1, box("a", BOX)), ssh(2, box("b", BOX)), ssh(4, box("c", {**BOX, **of(OTHER, *SOFTWARE)}))]
    (event,) = told(*scans)
    observed = Observed(scans)
    record = {held.seen[0][2]: id_ for id_, held in observed.held.items()}
    assert (event.after, event.at) == (2 * DAY, 4 * DAY)
    assert (event.former, event.record) == (record["a"], record["c"])
    assert {kind: set(values) for kind, values in event.before.items()} == {kind: set(BOX[kind]) for kind in SOFTWARE}
    assert {kind: set(values) for kind, values in event.value.items()} == {kind: set(OTHER[kind]) for kind in SOFTWARE}


def test_one_reinstallation_seen_kind_by_kind_is_one_event() -> None:
    """A source that reads host keys alone notices it before the one that reads everything does."""
    keys = of(BOX, "mac", "ssh_host_key", "name")
    scans = [
        ssh(1, box("a", BOX), box("b", keys, "10.0.0.2")),
        ssh(3, box("c", {**keys, **of(OTHER, "ssh_host_key")}, "10.0.0.2")),
        ssh(4, box("d", {**BOX, **of(OTHER, *SOFTWARE)})),
    ]
    (event,) = told(*scans)
    assert (event.name, event.at, sorted(event.value)) == ("reinstalled", 3 * DAY, ["machine_id", "ssh_host_key"])


def test_two_installations_that_run_in_turn_are_none_that_replaced_the_other() -> None:
    other = {**BOX, **of(OTHER, *SOFTWARE)}
    assert told(*(ssh(day, box(str(day), other if day % 2 else BOX)) for day in range(1, 7))) == []


def test_sources_that_bear_fewer_kinds_say_nothing_of_the_others() -> None:
    bare = {"mac": BOX["mac"], "name": BOX["name"]}
    assert told(ssh(1, box("a", BOX)), snmp(2, box("b", bare)), snmp(3, box("c", of(BOX, "serial", "name")))) == []


def test_a_nic_alone_is_no_mainboard() -> None:
    assert told(ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, "mac")}))) == []


def test_what_is_distrusted_shows_nothing() -> None:
    records = list(
        Observed([ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *SOFTWARE)}))]).records.values()
    )
    assert [one.name for one in events(records)] == ["reinstalled"]
    void = {(kind, value) for kind in SOFTWARE for value in (*BOX[kind], *OTHER[kind])}
    assert events(records, void) == []


def test_what_people_entered_outlives_what_it_tells_of_and_is_no_witness() -> None:
    before, after = ssh(1, box("a", BOX)), ssh(3, box("b", {**BOX, **of(OTHER, *SOFTWARE)}))
    seen = list(Observed([before, after]).records.values())
    file = replace(seen[0], id="from a file", source="import:netbox", intervals=((0, 9 * DAY),))
    assert [one.name for one in events([*seen, file])] == ["reinstalled"]


def borne() -> st.SearchStrategy[dict[str, tuple[str, ...]]]:
    """Evidence of few values, so that they come back."""
    few = st.lists(st.sampled_from("uvw"), min_size=1, max_size=2, unique=True).map(tuple)
    return st.dictionaries(st.sampled_from([*HARDWARE, *SOFTWARE, "name"]), few)


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        first = draw(st.integers(0, 8))
        runs = ((first, first + draw(st.integers(0, 3))),)
        found.append(
            Record(f"r{number}", "ssh", "main", "", None, "computer", "", draw(borne()), None, runs, False, first)
        )
    return found


@given(some=records(), order=st.randoms())
def test_the_order_of_records_has_no_say_and_nothing_lasts_that_was_replaced(
    some: list[Record], order: random.Random
) -> None:
    found = events(some)
    shuffled = list(some)
    order.shuffle(shuffled)
    assert events(shuffled) == found
    for event in found:
        assert event.after < event.at and event.before.keys() == event.value.keys()
        for one in some:
            proves = any(kind in one.identifiers for kind in (*HARDWARE, *SOFTWARE))
            if proves and one.last_at >= event.at:
                assert all(
                    set(values).isdisjoint(one.identifiers.get(kind, ())) for kind, values in event.before.items()
                )


@given(some=records(), into=st.integers(1, 3))
def test_a_record_that_merely_bears_less_changes_nothing(some: list[Record], into: int) -> None:
    """What stands beside a record, and bears some of its evidence while it is there, adds no event."""
    beside = [
        replace(one, id=f"{one.id} again", identifiers=dict(list(one.identifiers.items())[:into])) for one in some
    ]  # fmt: skip
    shapes = [[(e.name, e.after, e.at, e.before, e.value) for e in events(all_)] for all_ in (some, [*some, *beside])]
    assert shapes[0] == shapes[1]
