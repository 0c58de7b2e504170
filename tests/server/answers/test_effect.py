"""What a decision would change, told by names: of machines with parts, merged, split, pinned and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.answers.effect import CHANGES, GONE, MOVES, words
from cmdb_server.ingest.decisions import decide, effect
from cmdb_server.store import tables
from cmdb_server.store.sqlite import SqliteStore
from tests.estate import Estate, minute
from tests.factories import host


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    store = SqliteStore(tmp_path / "cmdb.db")
    made = Estate(store)
    made.tell(0, host("web-1", "10.0.0.1", os_name="Debian"), host("web-2", "10.0.0.2", os_name="Fedora"))
    yield made
    store.close()


def ids(estate: Estate) -> dict[str, str]:
    return {row[2]: row[0] for row in estate.rows(tables.CI) if row[1] == "server"}


def told(estate: Estate, verb: str, **body: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in words(effect(estate.store, verb, body, minute(1))):
        found.setdefault(one.what, []).append(one.text)
    return found


def test_a_merge_is_told_by_names(estate: Estate) -> None:
    cis = ids(estate)
    said = told(estate, "merge", sides=[[cis["web-1"]], [cis["web-2"]]])
    (gone,) = [text for text in said[GONE] if text.startswith("server ")]
    former, stays = gone.split(" becomes part of ")
    assert {former, stays} == {"server web-1", "server web-2"}
    assert said[GONE][0] == gone, "things before their parts"
    assert any(text.startswith(stays + " ") for text in said[CHANGES])
    ((_, address),) = [pair for pair in (("web-1", "10.0.0.1"), ("web-2", "10.0.0.2")) if former.endswith(pair[0])]
    assert f"what ssh says of a server at {address} goes from {former} to {stays}" in said[MOVES]
    every = [text for texts in said.values() for text in texts]
    assert not [text for text in every for id_ in cis.values() if id_ in text], "no ids where there are names"


def test_a_split_tells_what_comes_to_be(estate: Estate) -> None:
    cis = ids(estate)
    decide(estate.store, "ann", "merge", {"sides": [[cis["web-1"]], [cis["web-2"]]]}, "one", minute(0.5))
    records = [row[0] for row in estate.rows(tables.RECORD) if row[5] == "server"]
    (undone,) = estate.rows(tables.DECISION)
    assert undone[2] == "merge"
    said = told(estate, "split", sides=[[records[0]], [records[1]]])
    assert any(text.startswith("server web-") and "comes to be" in text for text in said[CHANGES])


def test_a_pin_tells_the_value_before_and_after(estate: Estate) -> None:
    cis = ids(estate)
    said = told(estate, "pin", sides=[[cis["web-1"]]], attribute="os_name", pinned="Plan 9")
    assert said == {CHANGES: ["server web-1 stays, and changes: os_name Debian -> Plan 9"]}
    long = told(estate, "pin", sides=[[cis["web-1"]]], attribute="os_name", pinned="x" * 500)
    assert len(long[CHANGES][0]) < 200


def test_what_is_deleted_counts_as_gone(estate: Estate) -> None:
    said = told(estate, "tombstone", sides=[[ids(estate)["web-1"]]])
    assert said[CHANGES][0] == "server web-1 counts as gone"
    assert any("network_interface" in text and text.endswith("of web-1 counts as gone") for text in said[CHANGES])


def test_nothing_changes_where_all_is_so_already(estate: Estate) -> None:
    assert told(estate, "distrust", value=["serial", "NOBODYS"]) == {}
