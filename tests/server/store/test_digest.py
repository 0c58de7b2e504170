from __future__ import annotations

import random
from pathlib import Path

import pytest

from cmdb_server.store.digest import graph_digest
from cmdb_server.store.port import Loadable, Row
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, CLAIM, FACT, MEMBERSHIP, RELATION, Table
from tests.store_rows import ci, fact, relation, row, uid, write

Lines = list[tuple[Table, Row]]


def digest(folder: Path, lines: Lines) -> str:
    """Each row in a write of its own."""
    store: Loadable = SqliteStore(folder / f"{random.random()}.db")
    for table, line in lines:
        write(store, table, line)
    found = store.read(graph_digest)
    store.close()
    return found


def member(record: str, revision: int, of: str) -> tuple[Table, Row]:
    return MEMBERSHIP, row(MEMBERSHIP, record=record, revision=revision, ci=of)


def claim(key: str, at: int, value: object, revision: int, far: str = "far") -> tuple[Table, Row]:
    return CLAIM, row(CLAIM, record="r", key=key, at=at, revision=revision, far=far, value=value)


BASE: Lines = [
    (CI, ci("a", attributes={"x": 1, "y": [1]})),
    (CI, ci("b")),
    (RELATION, relation("a", "depends_on", "b")),
    (FACT, fact("r", "name", 10, "one", 1)),
    (FACT, fact("r", "name", 20, "two", 2)),
    claim("k", 10, {"type": "t"}, 1),
    claim("k", 30, None, 2),
    member("r", 1, uid("a")),
]


@pytest.mark.parametrize(
    "other",
    [
        [(CI, ci("b", revision=9)), *BASE[2:], (CI, ci("a", attributes={"y": [1], "x": 1}, revision=7))],
        [*BASE, (FACT, fact("r", "name", 15, "one", 5)), (FACT, fact("r", "name", 25, "two", 6))],
        [*BASE, (FACT, fact("r", "name", 20, "two", 9))],
        [*BASE[:3], (FACT, fact("r", "name", 10, "wrong", 1)), (FACT, fact("r", "name", 10, "one", 3)), *BASE[4:]],
        [*BASE, claim("k", 40, None, 7), claim("never", 5, None, 8)],
        [*BASE[:7], member("r", 1, uid("b")), member("r", 4, uid("a"))],
    ],
    ids=["order-and-revisions", "repeats", "said-again", "corrected", "ended-again", "moved-back"],
)
def test_how_it_came_does_not_count(tmp_path: Path, other: Lines) -> None:
    cis = [line for line in BASE if line[0] is CI and line[1][0] not in {row[0] for table, row in other if table is CI}]
    assert digest(tmp_path, cis + sorted(other, key=lambda line: line[0] is not CI)) == digest(tmp_path, BASE)


@pytest.mark.parametrize(
    "change",
    [
        (CI, ci("a", attributes={"x": 2})),
        (CI, ci("c")),
        (RELATION, relation("b", "depends_on", "a")),
        (RELATION, relation("a", "depends_on", "b", weight=2)),
        (FACT, fact("r", "name", 15, "other", 3)),
        (FACT, fact("r", "name", 30, "one", 3)),
        (FACT, fact("r", "other", 30, "one", 3)),
        (FACT, fact("r", "name", 40, None, 3)),
        claim("k", 40, {"type": "t"}, 3),
        claim("k", 20, {"type": "t"}, 3, far="elsewhere"),
        member("r", 3, uid("b")),
        member("s", 1, uid("b")),
    ],
)
def test_what_it_says_counts(tmp_path: Path, change: tuple[Table, Row]) -> None:
    assert digest(tmp_path, [*BASE, change]) != digest(tmp_path, BASE)


def test_one_is_not_true(tmp_path: Path) -> None:
    ones = [digest(tmp_path, [(FACT, fact("r", "x", 1, value))]) for value in (1, True, "1", [1], 0, False)]
    assert len(set(ones)) == 6
    changes = [[(FACT, fact("r", "x", 1, [1])), (FACT, fact("r", "x", 2, value))] for value in ([1], [True])]
    assert digest(tmp_path, changes[0]) != digest(tmp_path, changes[1])


def test_pages_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [(FACT, fact(f"r{n % 7}", f"a{n % 3}", n, n // 4 % 2, n)) for n in range(60)]
    whole = digest(tmp_path, lines)
    for size in (1, 2, 7, 60):
        monkeypatch.setattr("cmdb_server.store.digest.PAGE", size)
        assert digest(tmp_path, lines) == whole
