"""A sighting newer than all that is known: what changed is written, and what a section did not read ends nothing."""

from __future__ import annotations

from typing import get_args

import pytest

from cmdb_schemas.report import Component, CoverageStatus, End, Observation, Relation
from cmdb_server.ingest.apply import PRESENCE, TRAFFIC_FORGOTTEN_MS
from cmdb_server.store import tables
from tests.estate import MINUTE, Estate, minute, named
from tests.factories import host

TELLS_ABSENCE = {"complete", "unsupported"}
FORGOTTEN = TRAFFIC_FORGOTTEN_MS / MINUTE


def device(*parts: Component, relations: list[Relation] | None = None, **attributes: object) -> Observation:
    return Observation(
        ref="h", class_="server", address="10.0.0.1", identifiers={"serial": ["S1"], "name": ["h"]},
        attributes={"name": "h", **attributes}, components=list(parts), relations=relations or [],
    )  # fmt: skip


def disk(name: str, **attributes: object) -> Component:
    return Component(name, "file_system", name, section="filesystems", attributes=attributes)


def facts(estate: Estate, ci: str, attribute: str) -> list[tuple[int, object]]:
    """(minutes, value) of one attribute of a CI with one record."""
    return [((row[2] - minute(0)) // MINUTE, row[4]) for row in estate.rows(tables.FACT) if row[:2] == (ci, attribute)]


def test_an_attribute_has_one_row_for_each_value_it_took(estate: Estate) -> None:
    for at, version in enumerate(("1", "1", "2", "2", "1")):
        estate.tell(at, device(os_version=version, role=f"at {at}"))
    ci = estate.ci("h")
    assert facts(estate, ci["id"], "os_version") == [(0, "1"), (2, "2"), (4, "1")]
    assert ci["attributes"]["os_version"] == "1"


@pytest.mark.parametrize("empty", ["", None, [], {}])
def test_absent_and_empty_never_overwrite(estate: Estate, empty: object) -> None:
    estate.tell(0, device(os_version="1", role="web"))
    estate.tell(1, device(os_version=empty))
    assert estate.ci("h")["attributes"] == {"name": "h", "os_version": "1", "role": "web"}
    assert facts(estate, estate.ci("h")["id"], "role") == [(0, "web")]


def test_a_value_of_another_type_is_another_value(estate: Estate) -> None:
    """Of what the class does not know any type is told, and none is taken for another."""
    for at, value in enumerate((True, 1, 1.0, "1")):
        estate.tell(at, device(of_tomorrow=value))
    told = facts(estate, estate.ci("h")["id"], "of_tomorrow")
    assert [(at, type(value)) for at, value in told] == [(0, bool), (1, int), (2, float), (3, str)]


def test_when_a_value_was_last_confirmed_is_kept(estate: Estate) -> None:
    estate.tell(0, device(os_version="1", role="web"))
    estate.tell(1, device(os_version="1", role="web"))
    estate.tell(2, device(os_version="2"))
    (record,) = [named(tables.RECORD, row) for row in estate.rows(tables.RECORD)]
    assert record["attributes"]["role"] == ["web", minute(0), minute(1)]
    assert record["attributes"]["os_version"] == ["2", minute(2), None]


@pytest.mark.parametrize("status", get_args(CoverageStatus))
def test_a_component_ends_only_where_its_section_was_read(estate: Estate, status: str) -> None:
    estate.tell(0, device(disk("/"), disk("/srv")))
    estate.tell(1, device(disk("/"), role="changed"), coverage={"scope": "complete", "filesystems": status})
    assert (estate.ci("/srv")["ended_at"] is not None) == (status in TELLS_ABSENCE)
    assert estate.ci("/")["ended_at"] is None


def test_sections_end_table_by_table(estate: Estate) -> None:
    card = Component("if", "network_interface", "eth0", section="interfaces")
    estate.tell(0, device(disk("/srv"), card))
    estate.tell(1, device(), coverage={"scope": "partial", "filesystems": "complete", "interfaces": "timeout"})
    assert estate.ci("/srv")["ended_at"] == minute(1)
    assert estate.ci("eth0")["ended_at"] is None


def test_a_component_that_returns_is_the_same_one(estate: Estate) -> None:
    estate.tell(0, device(disk("/srv", type="ext4")))
    first = estate.ci("/srv")["id"]
    estate.tell(1, device())
    estate.tell(2, device(disk("/srv", type="ext4")))
    assert estate.ci("/srv")["id"] == first
    assert estate.ci("/srv")["ended_at"] is None
    assert facts(estate, first, PRESENCE) == [(0, 1), (1, [0, minute(0)]), (2, 1)]


def test_a_claim_ends_where_its_section_was_read(estate: Estate) -> None:
    uses = [Relation("depends_on", End(address="10.0.0.9"), section="configured")]
    estate.tell(0, host("db", "10.0.0.9"), target="other")
    estate.tell(0, device(relations=uses))
    estate.tell(1, device(role="a"), coverage={"scope": "complete", "configured": "failed"})
    assert estate.relations("depends_on") == {("h", "depends_on", "db")}
    estate.tell(2, device(role="b"), coverage={"scope": "complete", "configured": "complete"})
    assert estate.relations("depends_on") == set()
    (claim,) = {row[1] for row in estate.rows(tables.CLAIM)}
    assert [(row[2], row[5] is None) for row in estate.rows(tables.CLAIM) if row[1] == claim] == [
        (minute(0), False), (minute(2), True)
    ]  # fmt: skip


def test_a_connection_not_seen_for_a_while_is_not_therefore_gone(estate: Estate) -> None:
    uses = [Relation("depends_on", End(address="10.0.0.9"), section="connections")]
    estate.tell(0, host("db", "10.0.0.9"), target="other")
    estate.tell(0, device(relations=uses))
    estate.tell(1, device(role="a"))
    estate.tell(FORGOTTEN, device(role="b"))
    assert estate.relations("depends_on") == {("h", "depends_on", "db")}
    estate.tell(FORGOTTEN + 1, device(role="c"))
    assert estate.relations("depends_on") == set()


def test_a_claim_told_otherwise_is_written_and_counted_again(estate: Estate) -> None:
    def claim(confidence: float) -> list[Relation]:
        return [Relation("depends_on", End(address="10.0.0.9"), confidence=confidence)]

    estate.tell(0, host("db", "10.0.0.9"), target="other")
    for at, confidence in enumerate((0.5, 0.5, 0.9)):
        estate.tell(at, device(relations=claim(confidence), role=str(at)))
    (relation,) = [named(tables.RELATION, row) for row in estate.rows(tables.RELATION) if row[1] == "depends_on"]
    assert (relation["confidence"], relation["claims"], relation["first_at"]) == (0.9, 1, minute(0))
    assert [row[5]["confidence"] for row in estate.rows(tables.CLAIM)] == [0.5, 0.9]
