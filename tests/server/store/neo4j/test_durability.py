"""What happens when the server, or the way to it, goes away."""

from __future__ import annotations

import io
import itertools
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cmdb_server.errors import SettingsError, StoreUnavailable
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.dump import DUMPED, dump, load
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI
from tests.neo4j_server import Neo4jServer, free_port, home_of_jars, missing
from tests.store_rows import ROOT, Opener, ci, everything, fill, write

if TYPE_CHECKING:
    from cmdb_server.store.neo4j import Neo4jStore

pytestmark = pytest.mark.neo4j


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Neo4jServer]:
    """A server that may be killed."""
    if reason := missing() or ("no Neo4j jars to start a server of its own" if home_of_jars() is None else ""):
        pytest.skip(reason)
    server = Neo4jServer(f"bolt://127.0.0.1:{free_port()}", password="for-the-tests", home=tmp_path / "neo4j")
    server.start()
    yield server
    server.kill()


@pytest.mark.slow
def test_a_killed_server_loses_nothing_acknowledged(own_server: Neo4jServer) -> None:
    """Three times SIGKILL in the middle of writes: all that was acknowledged is there, whole, in its order."""
    from cmdb_server.store.neo4j import Neo4jStore

    acknowledged = [0]
    for _ in range(3):
        store = Neo4jStore(own_server.uri, own_server.user, own_server.password)
        enough, stop = threading.Event(), threading.Event()
        thread = threading.Thread(target=keep_writing, args=(store, acknowledged, enough, stop))
        thread.start()
        assert enough.wait(120)
        stop.set()
        own_server.kill()
        own_server.start()
        thread.join(120)
        assert not thread.is_alive()
        store.close()
        again = Neo4jStore(own_server.uri, own_server.user, own_server.password)
        revision = again.revision()
        assert acknowledged[-1] <= revision <= acknowledged[-1] + 1
        found = [row[CI.position("revision")] for row in everything(again, CI)]
        assert sorted(found) == sorted(number for number in range(1, revision + 1) for _ in range(20))
        acknowledged.append(revision)
        again.close()


def keep_writing(store: Neo4jStore, acknowledged: list[int], enough: threading.Event, stop: threading.Event) -> None:
    """Until told; ``enough`` is set after ten more. What was under way at the kill fails, or is tried again."""
    with suppress(StoreUnavailable):
        for count in itertools.count(1):
            acknowledged.append(store.write(batch))
            if count == 10:
                enough.set()
            if stop.is_set():
                return


def batch(writing: object) -> int:
    number: int = writing.revision  # type: ignore[attr-defined]
    writing.put(CI, [ci(f"{number} {n}", revision=number) for n in range(20)])  # type: ignore[attr-defined]
    return number


def test_a_server_that_is_not_there_is_named() -> None:
    from cmdb_server.store.neo4j import Neo4jStore

    with pytest.raises(StoreUnavailable, match=r"bolt://127\.0\.0\.1:"):
        Neo4jStore(f"bolt://127.0.0.1:{free_port()}", "neo4j", "x")


def test_a_wrong_password_is_named_and_not_shown(neo4j_server: Neo4jServer) -> None:
    from cmdb_server.store.neo4j import Neo4jStore

    with pytest.raises(SettingsError) as caught:
        Neo4jStore(neo4j_server.uri, neo4j_server.user, "wrong-secret")
    assert "wrong-secret" not in str(caught.value)


def test_a_wrong_address_is_named() -> None:
    from cmdb_server.store.neo4j import Neo4jStore

    with pytest.raises(SettingsError, match="ftp://x"):
        Neo4jStore("ftp://x", "neo4j", "x")


def test_a_store_moves_there_and_back(neo4j_opener: Opener, tmp_path: Path) -> None:
    """SQLite to Neo4j to SQLite: all rows that a dump has, the revision and the digest are the same."""
    first, middle, last = SqliteStore(tmp_path / "a.db"), neo4j_opener(), SqliteStore(tmp_path / "b.db")
    fill(first)
    for source, target in ((first, middle), (middle, last)):
        out = io.BytesIO()
        dump(source, out, tokens=True)
        load(target, out.getvalue().splitlines())
    assert {table: everything(first, table) for table in DUMPED} == {table: everything(last, table) for table in DUMPED}
    assert [store.read(graph_digest) for store in (first, middle, last)] == [first.read(graph_digest)] * 3
    assert [store.revision() for store in (first, middle, last)] == [3] * 3
    assert write(last, CI, ci("z")) == 4
    for store in (first, middle, last):
        store.close()


WITHOUT_DRIVER = """
import sys
sys.modules["neo4j"] = None
import cmdb_server.store.sqlite
try:
    import cmdb_server.store.neo4j
except Exception as error:
    print(type(error).__name__, error)
"""


def test_without_the_driver_one_line_says_what_to_install() -> None:
    """The driver is hidden from a fresh interpreter, as if the extra had not been installed."""
    found = subprocess.run([sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout == "SettingsError the Neo4j store needs its driver (the extra neo4j): pip install neo4j\n"
