"""The columns followed through a store's history allow, at every time, the stage that the store tells, and its site."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_schemas.report import Observation
from cmdb_server.answers.lives import Lives
from cmdb_server.errors import CmdbError
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.decisions import decide, undo
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.projection import sightings as module
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.projection.sightings import STAGES, Sightings
from cmdb_server.store import tables
from cmdb_server.store.port import Reading
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START, host, report

DAY = 86_400_000
ASKED = (0, DAY, 3 * DAY, 8 * DAY, 40 * DAY, 100 * DAY)


class Estate:
    def __init__(self, folder: Path) -> None:
        self.store, self.now, self.told = SqliteStore(folder / "cmdb.db"), START, 0
        self.projections = Projections(self.store, Rules.of(relation_types(), classes()), lambda: self.now)

    def tell(self, *hosts: Observation, whole: bool = True, at: int | None = None, **where: str) -> None:
        self.told += 1
        observed = self.now if at is None else at
        body = report(
            f"r{self.told}", observed, hosts, coverage={"scope": "complete" if whole else "partial"}, sent=self.now, **where
        )  # type: ignore[arg-type]  # fmt: skip
        ingest(self.store, body, Caller("agent-1", "admin"), self.now)

    def columns(self, now: int) -> Sightings:
        def work(tx: Reading) -> Sightings:
            projection = self.projections.current(tx)
            told = self.projections.attributes.columns(projection, tx, (), relations=False, seen=now)
            assert told is not None and told.sightings is not None
            return told.sightings

        return self.store.read(work)

    def check(self, now: int) -> None:
        """Every CI is where, and in one of the stages, that its columns say."""
        told = self.columns(now)

        def work(tx: Reading) -> None:
            projection, lives = self.projections.current(tx), Lives(tx, now, classes())
            rows = tx.scan(tables.CI, None, 1000)
            lives.load([row[0] for row in rows])
            reached = {stage: told.reached(stage, now) for stage in STAGES}
            for row in rows:
                [place] = projection.index.find([row[0]]).tolist()
                life = lives.of(row)
                assert reached[life.stage][place], (row[:3], life)
                assert (told.sites[told.site[place]] if told.site[place] >= 0 else "") == life.site, row[:3]

        self.store.read(work)


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    made = Estate(tmp_path)
    yield made
    made.store.close()


def machine(number: int, **more: object) -> Observation:
    return host(f"h{number}", f"10.0.0.{number}", listens=[80] if number % 2 else [], **more)  # type: ignore[arg-type]


def act(estate: Estate, dice: random.Random) -> None:
    """Something happens, some time after what happened before."""
    estate.now += dice.choice((1000, DAY // 2, 2 * DAY, 10 * DAY))
    what = dice.choice(("tell", "tell", "tell", "again", "late", "merge", "split", "delete", "undo"))
    some = dice.sample(range(1, 6), dice.randrange(1, 6))
    where = {"site": dice.choice(("north", "south")), "source": dice.choice(("ssh", "snmp"))}
    seen = [machine(number, os_name=dice.choice("ab")) for number in sorted(some)]
    if what == "tell":
        estate.tell(*seen, whole=dice.random() < 0.7, **where)
    elif what == "again":
        estate.tell(*(machine(number) for number in range(1, 6)), site="north", source="ssh")
    elif what == "late":
        estate.tell(*seen, whole=dice.random() < 0.5, at=estate.now - dice.choice((1, 3, 12)) * DAY, **where)
    else:
        decided(estate, what, dice)


def decided(estate: Estate, what: str, dice: random.Random) -> None:
    records = [row for row in estate.store.read(lambda tx: tx.scan(tables.RECORD, None, 1000)) if not row[7]]
    made = [row[0] for row in estate.store.read(lambda tx: tx.scan(tables.DECISION, None, 1000))]
    with suppress(CmdbError):
        if what == "undo" and made:
            undo(estate.store, "ann", dice.choice(made), "", estate.now)
        elif what == "delete" and records:
            body = {"sides": [[dice.choice(records)[0]]], "hold_back": dice.random() < 0.5}
            decide(estate.store, "ann", "tombstone", body, "", estate.now)
        elif what in ("merge", "split") and len(records) > 1:
            sides = [[row[0]] for row in dice.sample(records, 2)]
            decide(estate.store, "ann", what, {"sides": sides}, "", estate.now)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 8))
def test_the_columns_allow_what_the_store_tells(seed: int, count: int) -> None:
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        estate = Estate(Path(folder))
        estate.tell(*(machine(number) for number in range(1, 6)), site="north")
        for _ in range(count):
            act(estate, dice)
            estate.check(estate.now + dice.choice(ASKED))
        for after in ASKED:
            estate.check(estate.now + after)
        estate.store.close()


@pytest.mark.parametrize("after", ASKED)
def test_what_was_read_anew_tells_the_stages_exactly(estate: Estate, after: int) -> None:
    estate.tell(machine(1), machine(2))
    told = estate.columns(START + after)
    newest = [stage for stage in STAGES if told.reached(stage, START + after).any()][-1]
    rows = estate.store.read(lambda tx: tx.scan(tables.CI, None, 10))
    assert newest in estate.store.read(lambda tx: _lives(tx, rows, START + after))


def _lives(tx: Reading, rows: list[tuple[object, ...]], now: int) -> set[str]:
    lives = Lives(tx, now, classes())
    lives.load([str(row[0]) for row in rows])
    return {lives.of(row).stage for row in rows}


def test_only_what_changed_is_read_again(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.tell(*(machine(number) for number in range(1, 30)))
    estate.columns(estate.now)
    read: list[int] = []
    derived = module._derived

    def counted(parts, lanes, projection, sites):  # type: ignore[no-untyped-def]
        pages = list(parts)
        read.append(sum(len(rows) for rows in pages))
        return derived(pages, lanes, projection, sites)

    monkeypatch.setattr(module, "_derived", counted)
    estate.now += 1000
    estate.tell(machine(3, os_name="other"), target="10.0.0.3")
    estate.columns(estate.now)
    assert 0 < read[-1] < 20
    before = len(read)
    estate.columns(estate.now)
    assert read[before:] in ([], [0]), "nothing was told since"


def test_those_that_may_have_aged_are_looked_up_after_a_while(estate: Estate) -> None:
    estate.tell(machine(1))
    first = estate.columns(estate.now)
    estate.now += 3 * DAY
    estate.tell(machine(1))
    assert estate.columns(estate.now).ageing_at.min() > first.ageing_at.min()
