"""The projection of a real store is never older than what was written before it was asked."""

from pathlib import Path
from threading import Thread

from cmdb_server.projection.projections import PAST_VIEWS, Projections
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, FEED
from tests.worlds import World, ci_row, rules


def test_it_follows_a_writer(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    projections = Projections(store, rules())
    stale: list[int] = []

    def read() -> None:
        for _ in range(200):
            known = store.revision()
            projection = projections.current()
            if projection.revision < known or len(projection) < known:
                stale.append(known)

    readers = [Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(60):
        row = ci_row(f"ci {number}")
        store.write(lambda tx, row=row: (tx.put(CI, [row]), tx.insert(FEED, [(tx.revision, "ci", row[0], 0)])))
        assert len(projections.current()) == number + 1
    for reader in readers:
        reader.join()
    assert stale == []
    assert projections.current() is projections.current()
    store.close()


def test_a_few_views_of_the_past_are_kept(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    projections, made = Projections(store, rules()), []

    def make() -> object:
        made.append(World(1, (), {}).projection())
        return made[-1]

    first = projections.past(0, make)  # type: ignore[arg-type]
    assert projections.past(0, make) is first  # type: ignore[arg-type]
    for key in range(1, PAST_VIEWS + 1):
        projections.past(key, make)  # type: ignore[arg-type]
    assert projections.past(0, make) is not first  # type: ignore[arg-type]
    store.close()
