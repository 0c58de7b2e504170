"""Absence counts only where all was looked at, and whoever answers at an address drives the former away."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from cmdb_schemas.report import CoverageStatus
from cmdb_server.store import tables
from tests.estate import Estate, history, minute
from tests.factories import host

A, B, C = (host(name, f"10.0.0.{number}") for number, name in enumerate("abc", 1))


# What ends -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", get_args(CoverageStatus))
def test_a_thing_ends_only_by_a_complete_scan_without_it(estate: Estate, status: str) -> None:
    estate.tell(0, A, B)
    estate.tell(1, A, coverage={"scope": status})
    assert estate.alive() == ({"a"} if status == "complete" else {"a", "b"})


@pytest.mark.parametrize("sections", [{}, {"identity": "complete"}, {"identity": "unsupported"}])
def test_without_a_word_on_the_whole_a_scan_is_as_complete_as_its_sections(
    estate: Estate, sections: dict[str, str]
) -> None:
    estate.tell(0, A, B)
    estate.tell(1, A, coverage=sections)
    assert estate.alive() == {"a"}


def test_one_failed_section_spares_everything(estate: Estate) -> None:
    estate.tell(0, A, B)
    estate.tell(1, A, coverage={"identity": "complete", "interfaces": "timeout"})
    assert estate.alive() == {"a", "b"}


def test_what_a_partial_scan_missed_ends_with_the_next_complete_one(estate: Estate) -> None:
    estate.tell(0, A, B)
    estate.tell(1, A, coverage={"scope": "partial"})
    estate.tell(2, A)
    assert estate.ci("b")["ended_at"] == minute(2)
    components = [row for row in estate.rows(tables.CI) if row[3] == estate.ci("b")["id"]]
    assert components
    assert {row[7] for row in components} == {minute(2)}


def test_a_thing_that_comes_back_is_the_same_ci(estate: Estate) -> None:
    estate.tell(0, A, B)
    first = estate.ci("b")
    estate.tell(1, A)
    estate.tell(2, A, B)
    assert (estate.ci("b")["id"], estate.ci("b")["ended_at"], estate.ci("b")["first_at"]) == (
        first["id"], None, minute(0)
    )  # fmt: skip


def test_an_empty_complete_scan_of_another_scope_ends_nothing(estate: Estate) -> None:
    estate.tell(0, A, B)
    estate.tell(1, target="10.9.0.0/16")
    assert estate.alive() == {"a", "b"}


# Displacement ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["10.0.0.0/24", "another"])
def test_whoever_is_seen_at_an_address_drives_the_former_away(estate: Estate, scope: str) -> None:
    estate.tell(0, A)
    new = host("new", "10.0.0.1", mac="3c:ec:ef:00:00:77")
    estate.tell(1, new, target=scope, coverage={"scope": "partial"})
    assert estate.alive() == {"new"}
    assert estate.ci("a")["ended_at"] == minute(1)


def test_an_address_at_another_site_is_another_address(estate: Estate) -> None:
    estate.tell(0, A)
    estate.tell(1, host("new", "10.0.0.1", mac="3c:ec:ef:00:00:77"), site="elsewhere")
    assert estate.alive() == {"a", "new"}


def test_another_method_at_the_same_address_drives_nobody_away(estate: Estate) -> None:
    estate.tell(0, A)
    estate.tell(1, host("a", "10.0.0.1", identifiers={"name": ["a"], "serial": ["SNa"]}), source="snmp")
    assert estate.alive() == {"a"}
    assert {row[1] for row in estate.rows(tables.RECORD) if row[10] == estate.ci("a")["id"]} == {"ssh", "snmp"}


# Scans of many parts ---------------------------------------------------------------------------------------------------


def part(estate: Estate, at: float, number: int, of: int, scan: str, *seen: Any, **more: Any) -> None:
    estate.tell(at, *seen, scan=scan, part=number, parts=of, **more)


def test_absence_counts_once_all_parts_are_there(estate: Estate) -> None:
    part(estate, 0, 1, 2, "s1", A), part(estate, 0, 2, 2, "s1", B, C)
    part(estate, 1, 2, 2, "s2", B)
    assert estate.alive() == {"a", "b", "c"}
    part(estate, 1, 1, 2, "s2", A)
    assert estate.alive() == {"a", "b"}


def test_one_failed_part_spares_all(estate: Estate) -> None:
    part(estate, 0, 1, 2, "s1", A), part(estate, 0, 2, 2, "s1", B)
    part(estate, 1, 1, 2, "s2"), part(estate, 1, 2, 2, "s2", B, coverage={"scope": "failed"})
    assert estate.alive() == {"a", "b"}


def test_a_thing_may_move_between_parts(estate: Estate) -> None:
    part(estate, 0, 1, 2, "s1", A, B), part(estate, 0, 2, 2, "s1", C)
    part(estate, 1, 1, 2, "s2", A), part(estate, 1, 2, 2, "s2", B, C)
    assert estate.alive() == {"a", "b", "c"}


def test_parts_that_are_no_more_confirm_nothing(estate: Estate) -> None:
    for number, thing in enumerate((A, B, C), 1):
        part(estate, 0, number, 3, "s1", thing)
    part(estate, 1, 1, 1, "s2", A)
    assert estate.alive() == {"a"}


def test_who_was_driven_away_by_a_later_word_is_back_with_the_same_report(estate: Estate, other: Estate) -> None:
    """The same bytes again, at the moment somebody else is seen at the address too: it never left."""
    rival = host("a", "10.0.0.1", identifiers={"name": ["rival"]})
    told = {"before": (1, A, "x"), "again": (2, A, "x"), "rival": (2, rival, "y")}
    for order, into in (("before again rival", estate), ("rival before again", other)):
        for name in order.split():
            at, seen, target = told[name]
            into.tell(at, seen, now=9, target=target)
    assert estate.digest() == other.digest()


def test_of_two_at_one_address_the_one_seen_next_drives_the_other_away(estate: Estate, other: Estate) -> None:
    """Also by bytes that are the same again, which would else not be read."""
    rival = host("rival", "10.0.0.1", mac="3c:ec:ef:00:00:77")
    for into, told in ((estate, (0, 1)), (other, (1, 0))):
        for at in told:
            seen, coverage = ((A, rival), "complete") if at == 0 else ((A,), "partial")
            into.tell(at, *seen, now=9, coverage={"scope": coverage})
        assert into.alive() == {"a"}
    assert estate.digest() == other.digest()


def test_two_that_answer_at_one_address_in_every_scan_stand_still(estate: Estate) -> None:
    rival = host("rival", "10.0.0.1", mac="3c:ec:ef:00:00:77")
    estate.tell(0, A, rival)
    before = history(estate)
    for at in (1, 2, 3):
        estate.tell(at, A, rival)
    assert history(estate) == before
    assert estate.alive() == {"a", "rival"}


# Sweeps that overlap ---------------------------------------------------------------------------------------------------

HALF = "10.0.0.0/25"


def test_sweeps_that_overlap_leave_each_others_records_alone(estate: Estate) -> None:
    nameless = host("p", "10.0.0.9", identifiers={}, class_="unknown_device")
    for at, target in enumerate(("10.0.0.0/24", HALF)):
        estate.tell(at, A, B, nameless, target=target)
    before, changed = history(estate), {row[0]: row[6] for row in estate.rows(tables.CI)}
    for at in range(2, 8):
        estate.tell(at, A, B, nameless, target=HALF if at % 2 else "10.0.0.0/24")
    assert history(estate) == before
    assert {row[0]: row[6] for row in estate.rows(tables.CI)} == changed
    assert estate.alive() == {"a", "b", "p"}
    assert len([row for row in estate.rows(tables.CI) if not row[3]]) == 3, "each is one thing"


def test_a_thing_is_there_until_the_last_sweep_misses_it_or_another_answers(estate: Estate) -> None:
    for target in ("10.0.0.0/24", HALF):
        estate.tell(0, A, B, target=target)
    estate.tell(1, B, target=HALF)
    assert estate.alive() == {"a", "b"}, "the wider sweep has not missed it yet"
    estate.tell(2, B)
    assert estate.alive() == {"b"}
    estate.tell(3, host("new", "10.0.0.2", mac="3c:ec:ef:00:00:77"), target=HALF, coverage={"scope": "partial"})
    assert estate.alive() == {"new"}, "a sighting of another ends it in every scope"


FULL = {
    "name": ["a"], "mac": ["3c:ec:ef:00:00:01"], "machine_id": ["8a" * 16], "serial": ["CZ3412AB01"],
    "uuid": ["4c4c4544-0042-3510-8053-b4c04f564433"],
}  # fmt: skip
RIGHTS = {
    "without root": {kind: FULL[kind] for kind in ("name", "mac", "machine_id")},
    "by name alone": {"name": ["a.example.net"]},
    "without any": {},
}


@pytest.mark.parametrize("rights", RIGHTS)
def test_sweeps_with_different_rights_leave_each_other_alone(either: Estate, rights: str) -> None:
    """One may read what needs root, the other may not: two records of one machine, both of which stay."""
    seen = {
        "10.0.0.0/24": host("a", "10.0.0.1", identifiers=FULL),
        HALF: host("a", "10.0.0.1", identifiers=RIGHTS[rights]),
    }
    for at, (target, thing) in enumerate(seen.items()):
        either.tell(at, thing, target=target)
    before, changed = history(either), {row[0]: row[6] for row in either.rows(tables.CI)}
    for at in range(2, 8):
        target = HALF if at % 2 else "10.0.0.0/24"
        either.tell(at, seen[target], target=target, coverage={"scope": "complete" if at % 3 else "partial"})
    assert history(either) == before
    assert {row[0]: row[6] for row in either.rows(tables.CI)} == changed
    assert [row[2] for row in either.rows(tables.CI) if not row[3]] == ["a"]
    assert either.alive() == {"a"}


def test_rights_that_are_lost_begin_another_record_in_the_same_sweep(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", identifiers=FULL))
    estate.tell(1, host("a", "10.0.0.1", identifiers=RIGHTS["without root"]), coverage={"scope": "partial"})
    ends = [row[tables.RECORD.position("ended_at")] for row in estate.rows(tables.RECORD) if not row[7]]
    assert sorted(ends, key=str) == [minute(1), None]
    assert estate.alive() == {"a"}


def test_another_machine_with_the_same_name_drives_it_away_in_every_sweep(estate: Estate) -> None:
    """As an image does that was cloned: all its software is the same, and its hardware is not."""
    estate.tell(0, host("a", "10.0.0.1", identifiers=FULL))
    clone = {**RIGHTS["without root"], "mac": ["3c:ec:ef:00:00:99"]}
    estate.tell(1, host("a", "10.0.0.1", identifiers=clone), target=HALF, coverage={"scope": "partial"})
    assert sorted(str(row[7]) for row in estate.rows(tables.CI) if not row[3]) == sorted(["None", str(minute(1))])
