"""Late reports correct the history: by further rows, never by changing one."""

from __future__ import annotations

import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_schemas.report import Component
from cmdb_server.ingest.late import corrections, presence, unpacked
from cmdb_server.store import tables
from tests.estate import Estate, history, minute
from tests.factories import host

A, B = host("a", "10.0.0.1"), host("b", "10.0.0.2")
values = st.sampled_from([None, 0, 1, True, "x"])
courses = st.dictionaries(st.integers(0, 6), values, max_size=5).filter(
    lambda told: told.get(min(told, default=0), 0) is not None
)
"""None ends something: nothing begins with it."""


def course_of(rows: dict[int, object]) -> list[tuple[int, object]]:
    """What rows say at each moment from 0 to 7, with types apart."""
    told, value = [], object
    for at in range(8):
        value = rows.get(at, value)
        told.append((type(value), value))
    return told


@given(courses, courses)
def test_corrections_make_what_stands_say_what_is_wanted(known: dict[int, object], wanted: dict[int, object]) -> None:
    added = corrections(known, sorted(wanted.items()))
    first = min(wanted, default=8)
    assert course_of({**known, **dict(added)})[first:] == course_of(wanted)[first:]
    assert [at for at, _ in added] == sorted({at for at, _ in added}), "one row for each time"


@given(courses)
def test_what_stands_already_needs_no_row(known: dict[int, object]) -> None:
    assert corrections(known, sorted(known.items())) == []


@pytest.mark.parametrize(
    ("seen", "without", "course", "ended"),
    [
        ([1, 2, 3], [], [(1, 1)], None),
        ([1, 2], [3, 5], [(1, 1), (3, [0, 2])], 3),
        ([1, 4], [2], [(1, 1), (2, [0, 1]), (4, 1)], None),
        ([2], [1, 2], [(2, 1)], None),
        ([3, 1, 1], [2, 4], [(1, 1), (2, [0, 1]), (3, 1), (4, [0, 3])], 4),
        ([], [1], [], None),
    ],
)
def test_the_course_of_a_presence(
    seen: list[int], without: list[int], course: list[tuple[int, object]], ended: int | None
) -> None:
    assert presence(seen, without) == (course, ended)


def test_a_late_report_adds_rows_and_changes_none(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", os_version="1"), B)
    estate.tell(4, host("a", "10.0.0.1", os_version="3"))
    before = history(estate)
    estate.tell(2, host("a", "10.0.0.1", os_version="2"), now=5)
    assert before < history(estate)
    versions = [(row[2], row[4]) for row in estate.rows(tables.FACT) if row[1] == "os_version"]
    assert versions == [(minute(0), "1"), (minute(2), "2"), (minute(4), "3")]
    assert estate.ci("a")["attributes"]["os_version"] == "3", "never over a newer one"
    assert estate.ci("b")["ended_at"] == minute(2), "gone earlier than was known"


def test_a_late_sighting_shows_that_it_was_there_longer(estate: Estate) -> None:
    estate.tell(0, A, B)
    estate.tell(4, A)
    estate.tell(3, A, B, now=5)
    (record,) = [row for row in estate.rows(tables.RECORD) if row[10] == estate.ci("b")["id"]]
    assert (record[14], record[15]) == (minute(3), minute(4))


def test_a_late_sighting_of_someone_else_ends_the_former_then(estate: Estate) -> None:
    new = host("new", "10.0.0.1", mac="3c:ec:ef:00:00:77")
    estate.tell(0, A, coverage={"scope": "partial"})
    estate.tell(4, new, coverage={"scope": "partial"})
    assert estate.ci("a")["ended_at"] == minute(4)
    estate.tell(2, new, now=5, coverage={"scope": "partial"})
    assert estate.ci("a")["ended_at"] == minute(2)


def test_a_late_first_sighting_gives_the_ci_its_earliest_id(estate: Estate) -> None:
    estate.tell(4, host("a", "10.0.0.1"))
    newer = estate.ci("a")["id"]
    estate.tell(1, host("a", "10.0.0.1", identifiers={"serial": ["SNa"], "name": ["a"]}), source="snmp", now=5)
    older = estate.ci("a")
    assert (older["first_at"], older["id"] != newer) == (minute(1), True)
    assert {row[0] for row in estate.rows(tables.RECORD) if row[10] == older["id"]} == {newer, older["id"]}


def test_components_and_claims_are_corrected_too(estate: Estate) -> None:
    def told(*disks: str, uses: bool) -> object:
        seen = host("a", "10.0.0.1", listens=[80], uses=[("10.0.0.2", 80)] if uses else [])
        seen.components.extend(Component(name, "file_system", name) for name in disks)
        return seen

    estate.tell(0, B, target="b")
    estate.tell(0, told("/srv", "/", uses=True), coverage={"scope": "complete"})
    estate.tell(4, told("/", uses=True))
    assert estate.ci("/srv")["ended_at"] == minute(4)
    estate.tell(2, told("/srv", "/", "/tmp", uses=False), now=5)
    assert estate.ci("/srv")["ended_at"] == minute(4)
    assert (estate.ci("/tmp")["first_at"], estate.ci("/tmp")["ended_at"]) == (minute(2), minute(4))
    assert len(estate.relations("depends_on")) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_three_parts_of_three_scans_in_any_order(estate: Estate, other: Estate, order: tuple[int, ...]) -> None:
    scans = [([A], [B]), ([A], []), ([], [B])]
    tellings = [
        (at, seen, f"s{at}", part) for at, parts in enumerate(scans) for part, seen in enumerate(parts, 1)
    ]  # fmt: skip
    for at, seen, scan, part in tellings:
        estate.tell(at, *seen, scan=scan, part=part, parts=2, now=9, id_=f"{scan}-{part}")
    for index in order:
        for at, seen, scan, part in tellings[index::3]:
            other.tell(at, *seen, scan=scan, part=part, parts=2, now=9, id_=f"{scan}-{part}")
    assert other.digest() == estate.digest()
    assert other.alive() == {"b"}


def test_bodies_are_read_packed_or_plain() -> None:
    body = b'{"ref":"a"}' * 100
    assert unpacked(zlib.compress(body, 1)) == unpacked(body) == body


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_maker_of_a_serial_number_follows_the_newest_word(
    estate: Estate, other: Estate, order: tuple[int, ...]
) -> None:
    """Equal serials of two makers say nothing. Who made it may be told later than the serial, and late."""
    serial = {"serial": ["CZ3412ABCD"]}
    unknown = host("a", "10.0.0.1", identifiers={"name": ["a"], **serial})
    dell = host("a", "10.0.0.1", identifiers={"name": ["a"], **serial}, manufacturer="Dell Inc.")
    lenovo = host("b", "10.0.0.2", identifiers={"name": ["b"], **serial}, manufacturer="Lenovo")
    told = [(1, unknown, "one"), (2, dell, "one"), (2, lenovo, "two")]
    for at, seen, target in told:
        estate.tell(at, seen, now=9, target=target)
    for number in order:
        at, seen, target = told[number]
        other.tell(at, seen, now=9, target=target)
    assert estate.digest() == other.digest()
    assert len(estate.cis("a", "server")) == len(estate.cis("b", "server")) == 1
