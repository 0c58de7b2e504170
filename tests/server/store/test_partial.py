from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from cmdb_server.store.partial import Partial, whole
from cmdb_server.store.port import Row, Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import BASELINE, KEPT_VERSION, Table


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    opened.write(lambda tx: tx.put(BASELINE, [(f"b{number:02}", number, 1, "ann", 1, "why") for number in range(20)]))
    opened.write(
        lambda tx: tx.insert(
            KEPT_VERSION, [(f"N{n:02}", 1, tx.revision, n, "ann", "open", "new", "", {}, {}) for n in range(5)]
        )
    )
    yield opened
    opened.close()


def every_fifth(table: Table, rows: Sequence[Row]) -> list[Row | None]:
    """Of every fifth all is told but why it was made, of the others nothing."""
    if table is not BASELINE:
        return [row if row[0] != "N02" else None for row in rows]
    return [(*row[:-1], "") if row[1] % 5 == 0 else None for row in rows]


def test_pages_are_full_and_follow_one_another(store: Store) -> None:
    def pages(tx: Partial) -> list[list[str]]:
        found, after = [], None
        while page := tx.scan(BASELINE, after, 3):
            found.append([row[0] for row in page])
            after = (page[-1][0],)
        return found

    assert store.read(lambda tx: pages(Partial(tx, every_fifth))) == [["b00", "b05", "b10"], ["b15"]]
    assert store.read(lambda tx: Partial(tx, every_fifth).count(BASELINE)) == 4


def test_what_is_not_told_is_not_there(store: Store) -> None:
    def got(tx: Partial) -> dict[str, str]:
        return {key[0]: row[-1] for key, row in tx.get(BASELINE, [("b04",), ("b05",), ("b99",)]).items()}

    assert store.read(lambda tx: got(Partial(tx, every_fifth))) == {"b05": ""}
    assert store.read(lambda tx: Partial(tx, every_fifth).find(BASELINE, ("name",), [("b04",)])) == []


def test_rows_between_two_numbers_are_told_in_order(store: Store) -> None:
    found = store.read(
        lambda tx: [row[0] for row in Partial(tx, every_fifth).between(KEPT_VERSION, "revision", 0, tx.revision)]
    )
    assert found == ["N00", "N01", "N03", "N04"]


def test_behind_a_part_is_the_whole(store: Store) -> None:
    assert store.read(lambda tx: whole(Partial(tx, every_fifth)) is tx and whole(tx) is tx)
    assert store.read(lambda tx: Partial(tx, every_fifth).revision == tx.revision)
