"""A report becomes part of the graph, at a cost that follows the change; absence counts only where all was looked at."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from cmdb_schemas.report import CoverageStatus, Sample
from cmdb_server.errors import Invalid
from cmdb_server.store import tables
from tests.estate import Estate, history, minute, named
from tests.factories import host

A, B, C = (host(name, f"10.0.0.{number}") for number, name in enumerate("abc", 1))


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {table: after[table] - before[table] for table in after if after[table] != before[table]}


# What is written -------------------------------------------------------------------------------------------------------


def test_an_unchanged_report_writes_only_its_time(estate: Estate) -> None:
    first = estate.tell(0, A, B)
    before, rows = estate.sizes(), {t.name: estate.rows(t) for t in tables.TABLES if t not in (tables.LANE,)}
    again = estate.tell(1, A, B)
    assert (first.unchanged, again.unchanged, again.observations) == (False, True, 0)
    assert again.revision == first.revision + 1
    assert grown(before, estate.sizes()) == {"report": 1}
    for table in tables.TABLES:
        if table not in (tables.LANE, tables.REPORT):
            assert estate.rows(table) == rows[table.name], table.name
    (lane,) = [named(tables.LANE, row) for row in estate.rows(tables.LANE)]
    assert (lane["observed_at"], lane["revision"]) == (minute(1), again.revision)


def test_only_what_changed_is_read_and_fed(estate: Estate) -> None:
    estate.tell(0, A, B, C)
    ack = estate.tell(1, A, host("b", "10.0.0.2", os_version="2"), C)
    assert (ack.observations, ack.unchanged) == (1, False)
    fed = [named(tables.FEED, row) for row in estate.rows(tables.FEED) if row[0] == ack.revision]
    assert [(row["kind"], row["id"], row["deleted"]) for row in fed] == [("ci", estate.ci("b")["id"], 0)]


def test_an_unchanged_report_keeps_a_thing_alive(estate: Estate) -> None:
    estate.tell(0, A)
    estate.tell(5, A)
    estate.tell(3, B, target="scope-2", now=6)
    assert estate.alive() == {"a", "b"}
    (record,) = [row for row in estate.rows(tables.RECORD) if row[10] == estate.ci("a")["id"]]
    assert named(tables.RECORD, record)["last_at"] is None, "confirmed with its lane"


def test_samples_stand_outside_of_the_history(estate: Estate) -> None:
    estate.tell(0, A, samples=[Sample("a", "system.uptime", 1.0, "s")])
    before, told = estate.digest(), history(estate)
    ack = estate.tell(1, A, samples=[Sample("a", "system.uptime", 61.0, "s")])
    assert ack.unchanged
    assert (estate.digest(), history(estate)) == (before, told)
    (row,) = estate.rows(tables.SAMPLE)
    assert (row[2], row[3][0][3]) == (minute(1), 61.0)


def test_late_samples_do_not_replace_newer_ones(estate: Estate) -> None:
    estate.tell(5, A, samples=[Sample("a", "system.uptime", 5.0)])
    estate.tell(1, A, now=6, samples=[Sample("a", "system.uptime", 1.0)])
    assert estate.rows(tables.SAMPLE)[0][3][0][3] == 5.0
    estate.tell(7, A)
    assert estate.rows(tables.SAMPLE)[0][3][0][3] == 5.0, "a report without samples says nothing of them"


def test_the_same_bytes_in_two_scopes_are_two_records_of_one_ci(estate: Estate) -> None:
    one = estate.tell(0, A, target="scope-1")
    two = estate.tell(1, A, target="scope-2")
    assert not two.unchanged
    assert two.observations == one.observations == 1
    assert len({row[0] for row in estate.rows(tables.CONTENT)}) == 2
    assert len(estate.rows(tables.THING)) == 1, "an observation's bytes are kept once"
    assert len([row for row in estate.rows(tables.RECORD) if not row[7]]) == 2
    estate.tell(2, target="scope-1")
    assert estate.alive() == {"a"}, "seen in the other scope since"
    estate.tell(3, target="scope-2")
    assert estate.alive() == set()


def test_a_report_is_taken_in_once(estate: Estate) -> None:
    first = estate.tell(0, A, id_="r1")
    estate.tell(1, B, id_="r2", target="other")
    before = (estate.digest(), estate.store.revision(), estate.sizes())
    again = estate.tell(0, A, id_="r1")
    assert (again.duplicate, again.revision) == (True, first.revision)
    assert (estate.digest(), estate.store.revision(), estate.sizes()) == before


@pytest.mark.parametrize("changes", [{"agent": "agent-2"}, {"seen": B}])
def test_another_report_under_a_used_id_is_refused(estate: Estate, changes: dict[str, Any]) -> None:
    estate.tell(0, A, id_="r1")
    before = estate.digest()
    with pytest.raises(Invalid, match="'r1' was delivered before"):
        estate.tell(0, changes.pop("seen", A), id_="r1", **changes)
    assert estate.digest() == before


def test_an_answer_tells_how_far_it_is_durable(estate: Estate) -> None:
    ack = estate.tell(0, A)
    assert ack.durable_revision >= ack.revision == estate.store.revision() == 1


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


def test_a_part_beyond_the_parts_is_refused(estate: Estate) -> None:
    with pytest.raises(Invalid) as refused:
        part(estate, 0, 3, 2, "s1", A)
    assert refused.value.extra["errors"][0]["path"] == "scan.part"
    assert estate.store.revision() == 0


# What comes to be by being named ---------------------------------------------------------------------------------------


def test_keyed_cis_come_and_go_by_being_named(estate: Estate) -> None:
    curl = "pkg:deb/debian/curl@8"
    estate.tell(0, host("a", "10.0.0.1", packages=[curl]), host("b", "10.0.0.2", packages=[curl]))
    package = estate.ci(curl, "software_package")
    assert package["attributes"]["purl"] == curl
    assert estate.relations("installs") == {("a", "installs", curl), ("b", "installs", curl)}
    estate.tell(1, A, host("b", "10.0.0.2", packages=[curl]))
    assert estate.relations("installs") == {("b", "installs", curl)}
    gone = estate.tell(2, A, B)
    assert estate.cis(curl) == []
    fed = {row[1:] for row in estate.rows(tables.FEED) if row[0] == gone.revision}
    assert ("ci", package["id"], 1) in fed
    estate.tell(3, A, host("b", "10.0.0.2", packages=[curl]))
    assert estate.ci(curl)["id"] == package["id"]
