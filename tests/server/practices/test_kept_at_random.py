"""Whatever is tried in whatever order: what stands is the newest version, and what is refused leaves no trace."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cmdb_server.errors import CmdbError
from cmdb_server.ingest import declare
from cmdb_server.practices import kept, kept_rows
from cmdb_server.practices.kept import By, Kept
from cmdb_server.practices.kind_files import kinds
from cmdb_server.store.dump import dump, load
from cmdb_server.store.port import Reading, Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import KEPT, KEPT_CI, KEPT_COUNT, KEPT_VERSION
from tests.factories import START

pytestmark = pytest.mark.usefixtures("guards_aside")

KNOWN = kinds(Path(__file__).parents[2] / "cases/kept")
REQUEST = KNOWN["request"]
TABLES = (KEPT, KEPT_VERSION, KEPT_CI, KEPT_COUNT)
WINDOW = {"start": "2026-03-01T22:00:00Z", "end": "2026-03-02T02:00:00Z"}

READY = {"summary": "a", "windows": [WINDOW], "plan": "p", "back_out": "b", "template": "t"}
ODD: list[dict[str, Any]] = [
    {"summary": ""}, {"summary": None}, {"type": "x"}, {"windows": [WINDOW, {"start": "x"}]}, {"colour": "red"},
    {"outcome": "lost"}, {"ended_at": "2020-01-01T00:00:00Z"}, {"ended_at": "noon"}, {"type": "standard"}, {"plan": None},
    {"outcome": "successful"}, {"review": "r"}, {"summary": "b"}, {"windows": []}, {"ended_at": "2030-01-01T00:00:00Z"},
]  # fmt: skip
PEOPLE = [("ann", "operator"), ("bob", "approver"), ("root", "admin"), ("eve", "reader")]


def rows(store: Store) -> list[Any]:
    return [store.read(lambda tx, table=table: tx.scan(table)) for table in TABLES]


def check(tx: Reading) -> None:
    """Each thing is its newest version, versions follow one another, and its CIs are found from their side."""
    things = {row[0]: kept_rows.kept_of(row) for row in tx.scan(KEPT)}
    versions: dict[str, list[Any]] = {}
    for row in tx.scan(KEPT_VERSION):
        versions.setdefault(row[0], []).append(row)
    assert versions.keys() == things.keys()
    for number, thing in things.items():
        assert [row[1] for row in versions[number]] == list(range(1, thing.version + 1))
        _, _, revision, at, _, _, state, _, body, named = versions[number][-1]
        assert (revision, at, state, body) == (thing.revision, thing.changed_at, thing.state, thing.body)
        assert named == {role: list(ids) for role, ids in thing.cis.items()}
        assert thing.state in REQUEST.states and thing.body["summary"]
        states = [row[6] for row in versions[number]]
        for before, after, row in zip(states, states[1:], versions[number][1:], strict=False):
            led = any(one.name == row[5] and before in one.from_ and one.to == after for one in REQUEST.transitions)
            assert led or (row[5], before) == ("edit", after)
    named_cis = {
        (number, role, ci) for number, thing in things.items() for role, ids in thing.cis.items() for ci in ids
    }
    assert {(row[2], row[3], row[0]) for row in tx.scan(KEPT_CI)} == named_cis


@pytest.mark.parametrize("seed", range(8))
def test_any_steps_by_anybody(seed: int, tmp_path: Path) -> None:
    random, store = Random(seed), SqliteStore(tmp_path / "cmdb.db")
    here = [declare.create(store, "ann", "server", {"name": f"web-{n}"}, now_ms=START).ci for n in range(3)]
    made: list[Kept] = []
    reached: Counter[str] = Counter()
    for at in range(150):
        subject, role = random.choices(PEOPLE, (5, 4, 2, 1))[0]
        by = By(subject, (role,), START + at * 1000, random.choice(["", "because"]))
        odd = random.choice(ODD) if random.random() < 0.3 else {}
        cis = {random.choice(["changed"] * 9 + ["moved"]): random.choices([*here, "no such"], (9, 9, 9, 1), k=2)}
        before = rows(store)
        try:
            if not made or random.random() < 0.1:
                body = READY | {"type": random.choice(["normal", "standard", "emergency"])} | odd
                found = kept.open_(store, "request", body, cis, by, KNOWN)
                made.append(found)
            else:
                thing = kept_rows.one(store, random.choice(made).number)
                ways = [*REQUEST.possible(thing.state, thing.body)] * 3 + ["close", "cancel", "fly"]
                if random.random() < 0.2:
                    version = thing.version - random.choice([0, 0, 0, 1])
                    found = kept.edit(store, thing.number, version, odd, by, random.choice([None, cis]), KNOWN)
                else:
                    way = random.choice(ways)
                    told = odd or ({"outcome": "successful", "review": "r"} if way == "review" else {})
                    found = kept.move(store, thing.number, way, by, told, known=KNOWN)
            reached[found.state] += 1
            assert found == kept_rows.one(store, found.number)
        except CmdbError as error:
            assert rows(store) == before
            reached[type(error).__name__] += 1
        store.read(check)
    assert [one.number for one in made] == [f"REQ{n:07}" for n in range(1, len(made) + 1)]
    store.close()
    REACHED.update(reached)


REACHED: Counter[str] = Counter()


def test_everything_was_reached() -> None:
    """Steps that are all refused leave no trace in any machine."""
    assert REACHED, "run together with the test above"
    refusals = {"Invalid", "Forbidden", "Conflict", "PreconditionFailed"}
    assert REACHED.keys() >= {*REQUEST.states, *refusals}, REACHED


def test_a_dump_takes_them_along_and_numbers_go_on(store: Store, tmp_path: Path) -> None:
    ann = By("ann", ("operator",), START)
    for n in range(3):
        kept.open_(store, "request", {"summary": str(n)}, {}, ann, KNOWN)
    lines = io.BytesIO()
    dump(store, lines)
    lines.seek(0)
    copy = SqliteStore(tmp_path / "copy.db")
    load(copy, lines)
    assert rows(copy) == rows(store)
    assert kept.open_(copy, "request", {"summary": "x"}, {}, ann, KNOWN).number == "REQ0000004"
