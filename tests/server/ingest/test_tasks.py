from __future__ import annotations

from pathlib import Path

from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import bodies, deliver
from tests.situations import BOX, OTHER, SOFTWARE, box, of, ssh

BARE = of(BOX, "mac", *SOFTWARE, "name")


def test_a_task_closes_when_what_raised_it_no_longer_holds(tmp_path: Path) -> None:
    """Two records are doubtful until a third, which has the serial of neither and the MACs of both, shows them one."""
    store = SqliteStore(tmp_path / "cmdb.sqlite")
    doubtful = [ssh(1, box("a", BARE)), ssh(3, box("b", {**BARE, **of(OTHER, "mac")}))]
    both = ssh(5, box("c", {**BARE, "mac": [*BOX["mac"], *OTHER["mac"]]}))
    told = bodies([*doubtful, both])
    assert len(deliver(store, told[:2]).tasks["review"]) == 1
    found = deliver(store, told)
    assert len(set(found.ci_of.values())) == 1
    assert not found.tasks
    assert [row[4] for row in store.read(lambda tx: list(pages(tx, tables.TASK)))] == ["closed"]
    assert not [row for row in store.read(lambda tx: list(pages(tx, tables.IDENTIFIER))) if row[0] == "task"]
    store.close()
