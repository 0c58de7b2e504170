"""A report becomes part of the graph, at a cost that follows the change; absence counts only where all was looked at."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.errors import Invalid
from cmdb_server.store import tables
from tests.estate import Estate, minute, named
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


def test_a_part_beyond_the_parts_is_refused(estate: Estate) -> None:
    with pytest.raises(Invalid) as refused:
        estate.tell(0, A, scan="s1", part=3, parts=2)
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
