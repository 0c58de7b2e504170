"""Late reports correct the history: by further rows, never by changing one."""

from __future__ import annotations

import itertools
import zlib

import pytest

from cmdb_schemas.report import Component, Observation
from cmdb_server.ingest.late import unpacked
from cmdb_server.store import tables
from tests.estate import Estate, history, minute
from tests.factories import host

A, B = host("a", "10.0.0.1"), host("b", "10.0.0.2")


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


def test_what_tells_of_a_component_may_be_another_section_later(estate: Estate, other: Estate) -> None:
    """Whether its absence counts is a matter of the section that told of it last, then."""

    def seen(*sections: str | None) -> Observation:
        parts = [Component("/", "file_system", "/", section=section) for section in sections]
        return Observation("a", "server", "10.0.0.1", None, {"serial": ["CZ3411AB00"]}, {"name": "a"}, components=parts)

    told = [(0, seen(None), {}), (1, seen("mounts"), {}), (2, seen(), {"scope": "complete", "mounts": "partial"})]
    for into, order in ((estate, told), (other, told[::-1])):
        for at, thing, coverage in order:
            into.tell(at, thing, now=9, coverage=coverage)
        assert into.ci("/")["ended_at"] is None
    assert estate.digest() == other.digest()
