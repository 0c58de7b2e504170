"""Processes that share a projection's memory: each here has a ``Projections`` of its own, as it would have."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cmdb_server.projection import projections as following
from cmdb_server.projection.build import build
from cmdb_server.projection.gates import Gates
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.sharing import Sharing
from cmdb_server.projection.snapshot import Snapshot
from cmdb_server.store import array_files
from cmdb_server.store.bounds import HISTORY, Bound, advance
from cmdb_server.store.port import Store, Writing
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, FEED, RELATION
from tests.processes import (
    PATIENCE_S,
    add,
    built,
    dense_store,
    is_mapped,
    must_not_build,
    process,
    relate,
    shared,
    vouched,
    wait_for,
)
from tests.server.projection.test_overlay import LIFE, gates
from tests.worlds import NOW, dense_world, name_id, rules


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    yield from dense_store(tmp_path)


def test_the_next_process_opens_what_the_first_one_built(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shared"
    first = process(store, folder)
    assert gates(shared(first)) == gates(built(store))
    must_not_build(monkeypatch)
    relate(store, "1", "2")
    add(store, "new")
    other = process(store, folder)
    opened = other.current()
    assert is_mapped(opened) and opened.revision == store.revision()
    assert gates(opened) == gates(built(store)) == gates(first.current())
    assert opened.ci(name_id("new")) == first.current().ci(name_id("new"))


def test_who_built_it_goes_on_from_the_files_with_the_same_numbers(store: SqliteStore, tmp_path: Path) -> None:
    projections = process(store, tmp_path / "shared")
    before = projections.current()
    after = shared(projections)
    assert after is not before and after.pool is not before.pool
    assert [after.id(ci) for ci in range(len(before))] == [before.id(ci) for ci in range(len(before))]


def test_of_two_that_start_at_once_one_builds(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, go, times = threading.Event(), threading.Event(), []

    def slowly(*asked: Any) -> Projection:
        times.append(1)
        started.set()
        assert go.wait(PATIENCE_S)
        return build(*asked)

    monkeypatch.setattr(following, "build", slowly)
    one, other = process(store, tmp_path / "shared"), process(store, tmp_path / "shared")
    threads = [threading.Thread(target=one.current)]
    threads[0].start()
    assert started.wait(PATIENCE_S)
    threads.append(threading.Thread(target=other.current))
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert is_mapped(other.current())
    assert len(times) == 1


def test_a_small_estate_is_shared_by_nobody(store: SqliteStore, tmp_path: Path) -> None:
    projections = Projections(store, rules(), sharing=Sharing(store, tmp_path / "shared"))
    assert not is_mapped(projections.current())
    assert not (tmp_path / "shared").exists()


def test_what_grows_is_written_anew_and_the_others_take_it(store: SqliteStore, tmp_path: Path) -> None:
    one, other = process(store, tmp_path / "shared"), process(store, tmp_path / "shared")
    shared(one)
    shared(other)
    (old,) = vouched(store)
    for number in range(30):
        relate(store, str(number), str((number * 7 + 3) % 40))
    wait_for(lambda: one.current() and vouched(store) != [old])
    (new,) = vouched(store)
    wait_for(lambda: one.current() and other.current() and one.sharing.name == other.sharing.name != old)  # type: ignore[union-attr]
    wait_for(lambda: array_files.there(tmp_path / "shared") == set(vouched(store)))
    assert new != old
    assert gates(one.current()) == gates(other.current()) == gates(built(store))


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*"))


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip(path: Path) -> None:
    written = bytearray(path.read_bytes())
    written[130] ^= 1
    path.write_bytes(written)


@pytest.mark.parametrize("harm", [cut, flip])
@pytest.mark.parametrize("part", ["members.provider.npy", "manifest.json"])
def test_what_is_damaged_is_named_and_made_anew(
    store: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, part: str, harm: Callable[[Path], None]
) -> None:
    folder = tmp_path / "shared"
    shared(process(store, folder))
    (broken,) = array_files.there(folder)
    harm(folder / broken / part)
    with caplog.at_level(logging.WARNING):
        again = process(store, folder)
        assert gates(again.current()) == gates(built(store))
    assert part in caplog.text
    wait_for(lambda: is_mapped(again.current()) and broken not in array_files.there(folder))
    assert len(vouched(store)) == 1


def test_another_store_takes_no_part(store: SqliteStore, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    shared(process(store, folder))
    other = SqliteStore(tmp_path / "other.db")
    for _ in range(9):
        add(other, "alone")
    asked = Projections(other, rules(), sharing=Sharing(other, folder, worth=1))
    assert len(asked.current()) == 1
    wait_for(lambda: is_mapped(asked.current()))
    other.close()


def test_what_other_rules_made_is_left_to_them(store: SqliteStore, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    shared(process(store, folder))
    made = rules()
    made.retired_ms = LIFE
    other = Projections(store, made, lambda: NOW, sharing=Sharing(store, folder, worth=1))
    assert not is_mapped(other.current())
    wait_for(lambda: is_mapped(other.current()))
    assert other.current().rules.retired_ms == LIFE


def test_a_store_restored_from_before_knows_nothing_of_it(store: SqliteStore, tmp_path: Path) -> None:
    """Also when it has gone on to the same revision since, along another way."""
    folder, backup = tmp_path / "shared", tmp_path / "backup.db"
    copied(store.path, backup)
    relate(store, "1", "2")
    add(store, "lost")
    shared(process(store, folder))
    reached = store.revision()
    restored = SqliteStore(backup)
    early = process(restored, folder)
    assert gates(early.current()) == gates(built(restored))
    while restored.revision() <= reached + 3:
        add(restored, f"other {restored.revision()}")
    late = process(restored, folder)
    assert gates(late.current()) == gates(built(restored))
    assert name_id("lost") not in {late.current().id(ci) for ci in range(len(late.current()))}
    restored.close()


def copied(path: Path, backup: Path) -> None:
    """As ``sqlite3 FILE .backup`` does it."""
    one, other = sqlite3.connect(path), sqlite3.connect(backup)
    one.backup(other)
    one.close()
    other.close()


def test_a_snapshot_from_before_what_the_feed_reaches_back_to_is_not_taken(store: SqliteStore, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    shared(process(store, folder))
    relate(store, "1", "2")

    def drop(tx: Writing) -> None:
        advance(tx, Bound(HISTORY, 1, tx.revision, {"feed": tx.revision}))
        feed = [row[:3] for row in tx.scan(FEED)]
        tx.delete(FEED, feed)

    store.write(drop)
    (old,) = vouched(store)
    late = process(store, folder)
    assert not is_mapped(late.current()) and gates(late.current()) == gates(built(store))
    wait_for(lambda: is_mapped(late.current()))
    assert old not in vouched(store)


def test_nobody_vouches_for_what_the_store_never_was(store: SqliteStore, tmp_path: Path) -> None:
    """A projection of a revision that the store is no longer at."""
    folder = tmp_path / "shared"
    folder.mkdir()
    ahead = replace(built(store), revision=99)
    part = Sharing(store, folder, worth=1)
    part._keep(Snapshot(ahead))
    assert vouched(store) == [] and array_files.there(folder) == set()


@pytest.mark.parametrize("fault", ["read-only", "gone"])
def test_where_nothing_can_be_kept_answers_are_the_same(
    store: SqliteStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """A folder that cannot be made, or is a file."""
    folder = tmp_path / "absent" / "shared" if fault == "gone" else tmp_path / "file"
    if fault != "gone":
        folder.write_text("")
    with caplog.at_level(logging.WARNING):
        projections = process(store, folder)
        assert gates(projections.current()) == gates(built(store))
        relate(store, "1", "2")
        assert gates(projections.current()) == gates(built(store))
    assert "no snapshot of the projection is kept" in caplog.text


def test_what_was_removed_by_hand_is_written_again(store: SqliteStore, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    first = process(store, folder)
    opened = shared(first)
    shutil.rmtree(folder)
    assert gates(opened) == gates(built(store))
    again = process(store, folder)
    assert gates(again.current()) == gates(built(store))
    wait_for(lambda: is_mapped(again.current()))


def test_a_process_that_writes_while_others_follow_gives_no_stale_answer(store: SqliteStore, tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    several, stop, wrong = [process(store, folder) for _ in range(3)], threading.Event(), list[str]()

    def ask(projections: Projections) -> None:
        while not stop.is_set():
            known = store.revision()
            found = projections.current()
            if found.revision < known:
                wrong.append(f"{found.revision} < {known}")
            if not np.array_equal(found.index.find([found.id(0)]), [0]):
                wrong.append("numbers")

    threads = [threading.Thread(target=ask, args=(one,)) for one in several]
    for thread in threads:
        thread.start()
    for number in range(60):
        relate(store, str(number % 40), str((number * 11 + 5) % 40))
        if number % 10 == 0:
            add(store, f"added {number}")
    stop.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert wrong == []
    for one in several:
        assert gates(one.current()) == gates(built(store))


def test_a_thing_grown_pays_and_one_that_stood_still_does_not(store: SqliteStore, tmp_path: Path) -> None:
    part = Sharing(store, tmp_path / "shared", worth=1)
    projections = Projections(store, rules(), lambda: NOW, sharing=part)
    opened = shared(projections)
    wait_for(lambda: not part._busy.locked())
    assert not part._pays(opened, frozenset())
    assert part._pays(replace(opened, gates=Gates.of(*opened.gates.columns())), frozenset())
    assert part._pays(opened, frozenset(["a column"]))
    assert not Sharing(store, tmp_path, worth=1000)._pays(opened, frozenset())


@pytest.mark.neo4j
def test_processes_share_what_neo4j_holds(neo4j_opener: Callable[[], Store], tmp_path: Path) -> None:
    store = neo4j_opener()
    cis, relations = dense_world(5, 30).rows()
    store.write(lambda tx: (tx.put(CI, cis), tx.put(RELATION, relations)))
    first = shared(process(store, tmp_path / "shared"))
    relate(store, "1", "2")
    other = process(store, tmp_path / "shared").current()
    assert is_mapped(other) and other.revision > first.revision
    assert gates(other) == gates(built(store))
    store.close()
