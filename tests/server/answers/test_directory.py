from __future__ import annotations

from pathlib import Path

from cmdb_schemas.ci_class import classes
from cmdb_server.answers.directory import address_of, addresses, directory
from cmdb_server.ingest.declare import create
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START


def test_people_and_groups_are_found_by_all_their_names(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    ann = create(store, "x", "person", {"name": "Ann", "user_name": "ann", "email": "ann@example.org"}, now_ms=START).ci
    crew = create(store, "x", "support_group", {"name": "Crew", "email": "crew@example.org"}, now_ms=START).ci
    create(store, "x", "person", {"name": "Bob"}, now_ms=START)
    create(store, "x", "server", {"name": "web"}, now_ms=START)
    assert store.read(lambda tx: directory(tx, classes())) == {
        ann: "ann@example.org", "Ann": "ann@example.org", "ann": "ann@example.org", "ann@example.org": "ann@example.org",
        crew: "crew@example.org", "Crew": "crew@example.org", "crew@example.org": "crew@example.org",
    }  # fmt: skip
    store.close()


def test_a_name_of_two_reaches_nobody() -> None:
    people = [("1", {"name": "Sam", "email": "s1@example.org"}), ("2", {"name": "Sam", "email": "s2@example.org"})]
    known = addresses(people)
    assert "Sam" not in known and (known["1"], known["2"]) == ("s1@example.org", "s2@example.org")


def test_what_is_no_address_is_not_kept() -> None:
    assert (
        addresses([("1", {"name": "Eve", "email": "eve@example.org\nBcc: all@example.org"}), ("2", {"email": 7})]) == {}
    )


def test_an_owner_that_is_an_address_is_reached_there() -> None:
    known = {"ann": "ann@example.org"}
    assert [address_of(owner, known) for owner in ("ann", "bob@example.org", "bob", None, 7)] == [
        "ann@example.org", "bob@example.org", None, None, None,
    ]  # fmt: skip
