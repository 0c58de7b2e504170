from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest

from cmdb_server.errors import CmdbError, SettingsError, StoreUnavailable
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI
from tests.store_rows import ROOT, ci, everything, write, write_some


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cmdb.db"


def test_a_new_file_is_its_owners_alone(path: Path) -> None:
    """It holds the hashes of tokens, and all that is known of the estate."""
    store = SqliteStore(path)
    write(store, CI, ci("one"))
    assert {
        file.name: file.stat().st_mode & 0o777 for file in path.parent.glob("cmdb.db*") if file.is_file()
    } == dict.fromkeys(("cmdb.db", "cmdb.db-shm", "cmdb.db-wal"), 0o600)
    path.chmod(0o640)
    write(SqliteStore(path), CI, ci("two"))
    assert path.stat().st_mode & 0o777 == 0o640, "who widened it has reasons"


@pytest.mark.slow
def test_fifty_writers_all_get_their_turn(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    with context.Pool(50) as pool:
        taken = pool.starmap(write_some, [(partial(SqliteStore, path), str(n), 4) for n in range(50)], chunksize=1)
    assert sorted(number for numbers in taken for number in numbers) == list(range(1, 201))


def test_a_forked_child_has_connections_of_its_own(path: Path) -> None:
    store = SqliteStore(path)
    write(store, CI, ci("parent"))
    assert store.revision() == 1
    child = os.fork()
    if not child:
        code = 1
        try:
            write(store, CI, ci("child"))
            code = 0 if len(everything(store, CI)) == 2 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert write(store, CI, ci("after")) == 3
    assert len(everything(store, CI)) == 3
    store.close()


def test_a_fork_in_the_middle_of_a_read_leaves_both_able(path: Path) -> None:
    store = SqliteStore(path)
    write(store, CI, ci("a"))

    def work(reading: object) -> int:
        child = os.fork()
        if not child:
            code = 1
            try:
                code = 0 if write(store, CI, ci("child")) == 2 else 2
            finally:
                os._exit(code)
        return os.waitpid(child, 0)[1]

    assert store.read(work) == 0
    assert store.revision() == 2
    store.close()


def test_a_damaged_file_is_named(path: Path) -> None:
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(StoreUnavailable, match=r"cmdb\.db is damaged or no SQLite file"):
        SqliteStore(path)


def test_damage_found_later_is_named(path: Path) -> None:
    store = SqliteStore(path)
    write(store, CI, *(ci(n) for n in range(2000)))
    store.close()
    with path.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(b"\xff" * (path.stat().st_size - 16 * 4096))
    with pytest.raises(StoreUnavailable, match="damaged"):
        everything(SqliteStore(path), CI)


def test_a_file_of_something_else_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(SettingsError, match="something else"):
        SqliteStore(path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"folder of .*none"):
        SqliteStore(tmp_path / "none" / "cmdb.db")


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        SqliteStore(tmp_path)


def test_a_write_inside_of_a_write_is_refused(path: Path) -> None:
    store = SqliteStore(path)
    with pytest.raises(CmdbError, match="wait for itself"):
        store.write(lambda _: store.write(lambda _: None))
    assert write(store, CI, ci("a")) == 1
    store.close()


def test_readers_go_on_while_a_writer_works(path: Path) -> None:
    store = SqliteStore(path)
    write(store, CI, ci("a"))
    begun, seen = threading.Event(), threading.Event()
    writer = threading.Thread(target=store.write, args=(lambda _: (begun.set(), seen.wait(30)),))
    writer.start()
    assert begun.wait(30)
    assert store.revision() == 1
    seen.set()
    writer.join()
    assert store.revision() == 2
    store.close()


def test_the_log_does_not_grow_for_ever(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(60):
        write(store, CI, *(ci(n, attributes={"x": "y" * 4000}, revision=number) for n in range(600)))
    wal = path.with_name("cmdb.db-wal").stat().st_size
    store.close()
    assert wal < 2 * 64 * 2**20


WRITER = """
import sys
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, FACT
from tests.store_rows import ci, fact, uid
store = SqliteStore(sys.argv[1])
while True:
    def work(writing):
        n = writing.revision
        writing.put(CI, [ci(f"{n} {i}", revision=n) for i in range(20)])
        writing.insert(FACT, [fact(uid(f"{n} {i}"), "", 1, 1, n) for i in range(20)])
        return n
    print(store.write(work), flush=True)
"""


@pytest.mark.slow
def test_a_killed_writer_loses_nothing_acknowledged(path: Path) -> None:
    """20 times SIGKILL at another moment: all revisions that were printed are there, whole, and no other but the one
    that was under way."""
    acknowledged = 0
    for kill in range(20):
        process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert process.stdout is not None
        for _ in range(1 + kill % 7):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
        process.wait()
        acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])
        store = SqliteStore(path)
        revision = store.revision()
        assert acknowledged <= revision <= acknowledged + 1
        found = [row[CI.position("revision")] for row in everything(store, CI)]
        assert sorted(found) == sorted(number for number in range(1, revision + 1) for _ in range(20))
        store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
