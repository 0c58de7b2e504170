"""What people enter: a source among others, bound to what was discovered, and never over someone else's change."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.errors import Conflict, Invalid, NotFound, PreconditionFailed
from cmdb_server.ingest.declare import DeclaredRelation, create, edit, resolve
from cmdb_server.store import tables
from tests.estate import Estate, minute
from tests.factories import host


def entered(estate: Estate, class_: str, name: str, *relations: DeclaredRelation, at: float = 1, **more: Any) -> str:
    return create(estate.store, "ann", class_, {"name": name, **more}, relations, now_ms=minute(at)).ci


def edited(
    estate: Estate, ci: str, *relations: DeclaredRelation, at: float = 5, keep: bool = True, **changes: Any
) -> str:
    revision = next(row[6] for row in estate.rows(tables.CI) if row[0] == ci)
    told = None if keep else relations
    return edit(estate.store, "ann", ci, changes, revision, told, now_ms=minute(at)).ci


def paths(refused: pytest.ExceptionInfo[Any]) -> list[str]:
    return [fault["path"] for fault in refused.value.extra["errors"]]


def test_an_entry_is_there_with_who_made_it(estate: Estate) -> None:
    ci = entered(estate, "business_service", "Shop", code="S1")
    assert estate.ci("Shop")["id"] == ci
    assert estate.ci("Shop")["attributes"] == {"name": "Shop", "code": "S1"}
    (report,) = estate.rows(tables.REPORT)
    assert (report[3], report[7]) == ("manual", "ann")


@pytest.mark.parametrize(
    ("class_", "attributes", "path"),
    [
        ("teapot", {"name": "x"}, "class"),
        ("server", {}, "attributes.name"),
        ("server", {"name": 5}, "attributes.name"),
        ("server", {"name": "x", "colour": "red"}, "attributes.colour"),
        ("file_system", {"name": "x", "size": "big"}, "attributes.size"),
    ],
)
def test_what_does_not_fit_the_class_is_named(
    estate: Estate, class_: str, attributes: dict[str, Any], path: str
) -> None:
    with pytest.raises(Invalid) as refused:
        create(estate.store, "ann", class_, attributes, now_ms=minute(1))
    assert path in paths(refused)
    assert (estate.rows(tables.CI), estate.store.revision()) == ([], 0)


def test_a_name_is_given_once_within_a_class_without_discovery(estate: Estate) -> None:
    entered(estate, "business_service", "Shop")
    with pytest.raises(Conflict, match="Shop"):
        entered(estate, "business_service", "Shop")
    entered(estate, "support_group", "Shop")
    assert len(estate.cis("Shop")) == 2


def test_relations_are_checked_end_by_end(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    server = estate.ci("a")["id"]
    wrong = [
        DeclaredRelation("envies", server), DeclaredRelation("depends_on", "nobody"), DeclaredRelation("runs_on", server)
    ]  # fmt: skip
    with pytest.raises(Invalid) as refused:
        entered(estate, "business_service", "Shop", *wrong)
    assert paths(refused) == ["relations[0].type", "relations[1].ci", "relations[2]"]
    entered(estate, "business_service", "Shop", DeclaredRelation("depends_on", server))
    assert estate.relations("depends_on") == {("Shop", "depends_on", "a")}


def test_an_edit_ties_itself_to_what_was_discovered(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1", os_name="Debian"))
    ci = estate.ci("a")["id"]
    assert edited(estate, ci, environment="production", os_name="Windows") == ci
    assert estate.ci("a")["attributes"] == {"environment": "production", "name": "a", "os_name": "Debian"}
    assert [row[2] for row in estate.rows(tables.DECISION)] == ["merge"]
    estate.tell(9, host("a", "10.0.0.1", os_name="Debian", role="web"))
    assert estate.ci("a")["attributes"]["environment"] == "production"


def test_an_edit_over_someone_elses_change_is_refused(estate: Estate) -> None:
    ci = entered(estate, "business_service", "Shop")
    seen = estate.ci("Shop")["revision"]
    edited(estate, ci, code="S1")
    with pytest.raises(PreconditionFailed):
        edit(estate.store, "bob", ci, {"code": "S2"}, seen, now_ms=minute(6))
    assert estate.ci("Shop")["attributes"]["code"] == "S1"


def test_a_persons_word_can_be_taken_back(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    ci = estate.ci("a")["id"]
    edited(estate, ci, environment="production", location="hall 2", at=5)
    edited(estate, ci, environment=None, at=6)
    assert estate.ci("a")["attributes"] == {"location": "hall 2", "name": "a"}


def test_relations_stay_unless_all_are_told_anew(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"), host("b", "10.0.0.2"))
    a, b = estate.ci("a")["id"], estate.ci("b")["id"]
    shop = entered(estate, "business_service", "Shop", DeclaredRelation("depends_on", a, group="pool", weight=2))
    edited(estate, shop, at=5, code="S1")
    assert estate.relations("depends_on") == {("Shop", "depends_on", "a")}
    edited(estate, shop, DeclaredRelation("depends_on", b), at=6, keep=False)
    assert estate.relations("depends_on") == {("Shop", "depends_on", "b")}
    edited(estate, shop, at=7, keep=False)
    assert estate.relations("depends_on") == set()


def test_a_relation_may_be_entered_from_its_other_end(estate: Estate) -> None:
    estate.tell(0, host("a", "10.0.0.1"))
    entered(estate, "server", "san", DeclaredRelation("depends_on", estate.ci("a")["id"], reverse=True))
    assert estate.relations("depends_on") == {("a", "depends_on", "san")}


def test_an_id_stands_for_ever_for_the_ci_that_holds_its_record(estate: Estate) -> None:
    estate.tell(4, host("a", "10.0.0.1"))
    newer = estate.ci("a")["id"]
    estate.tell(1, host("a", "10.0.0.1"), source="snmp", now=5)
    now = estate.ci("a")["id"]
    assert newer != now
    assert estate.store.read(lambda tx: [resolve(tx, newer), resolve(tx, now)]) == [now, now]
    with pytest.raises(NotFound):
        estate.store.read(lambda tx: resolve(tx, "nobody"))


def test_who_is_entered_with_a_serial_is_met_by_discovery(estate: Estate) -> None:
    entered(estate, "server", "anything", serial_number="CZ3411AB0C")
    estate.tell(3, host("web-1", "10.0.0.1", serial="CZ3411AB0C"))
    assert len([row for row in estate.rows(tables.CI) if row[1] == "server"]) == 1


def test_who_corrects_all_identifiers_of_an_entry_corrects_that_entry(estate: Estate) -> None:
    ids = {"serial_number": "CZ3411AB0C", "machine_uuid": "45709961-232d-4ed8-b219-28947dbdd047"}
    ci = entered(estate, "server", "X", **ids, mac_addresses=["3c:ec:ef:92:dc:74"])
    other = {"serial_number": "MX88420XYZ", "machine_uuid": "9f2a5843-af33-4720-9f7b-8a2e04aa72d1"}
    assert edited(estate, ci, **other, mac_addresses=["3c:ec:ef:20:42:a2"]) == ci
    (row,) = estate.rows(tables.CI)
    assert row[5]["serial_number"] == "MX88420XYZ"


def test_a_service_is_no_host_of_its_name(estate: Estate) -> None:
    estate.tell(1, host("www.example.com", "10.0.0.1"))
    ci = entered(estate, "application_service", "www.example.com", at=2)
    assert estate.ci("www.example.com", "application_service")["id"] == ci
    assert estate.ci("www.example.com", "server")["id"] != ci
