"""Who sees a part and follows the feed ends with what is seen, whatever left their sight, and learns nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.answers.feed import Change, changes
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Forgotten
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.declare import DeclaredRelation, create, edit
from cmdb_server.projection.projections import Projections
from cmdb_server.store import tables
from cmdb_server.store.bounds import HISTORY, Bound, advance
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START
from tests.shop import seeing

OWN = 'environment == "test"'


class Mirror:
    """Follows the feed of who sees ``selector``: keeps the CIs that it is told of, and drops what it is told is gone."""

    def __init__(self, store: SqliteStore, projections: Projections, selector: str = OWN) -> None:
        self.viewer: Viewer = seeing(projections, selector)
        self.store = as_seen(store, self.viewer)
        self.cis: set[str] = set()
        self.heard: list[Change] = []
        self.since, self.cursor, self.limit = 0, None, 1000

    def page(self) -> None:
        told = changes(self.store, self.since, self.cursor, self.limit)
        for one in told.items:
            self.heard.append(one)
            if one.kind == "ci":
                (self.cis.discard if one.deleted else self.cis.add)(one.id[0])
        self.cursor = told.cursor
        if told.cursor is None:
            self.since = told.revision

    def follow(self) -> list[Change]:
        """To the end of what there is; gives what was heard on the way."""
        before = len(self.heard)
        self.page()
        while self.cursor is not None:
            self.page()
        return self.heard[before:]

    @property
    def seen(self) -> set[str]:
        return {row[0] for row in self.store.read(lambda tx: tx.scan(tables.CI, None, 1000))}


class World:
    def __init__(self, store: SqliteStore) -> None:
        self.store, self.at, self.ids = store, START, []
        self.projections = Projections(store, clock=lambda: self.at)

    def make(self, environment: str, *on: str) -> str:
        self.at += 1000
        told = {"name": f"ci-{len(self.ids)}", "environment": environment}
        relations = [DeclaredRelation("depends_on", id_) for id_ in on]
        made = create(self.store, "ann", "application_service", told, relations, now_ms=self.at).ci
        self.ids.append(made)
        return made

    def move(self, id_: str, environment: str) -> None:
        self.at += 1000
        edit(self.store, "ann", id_, {"environment": environment}, self.revision(id_), now_ms=self.at)

    def revision(self, id_: str) -> int:
        return self.store.read(lambda tx: tx.get(tables.CI, [(id_,)])[(id_,)][tables.CI.position("revision")])

    def drop(self, id_: str) -> None:
        self.at += 1000
        decide(self.store, "ann", "tombstone", {"sides": [[id_]]}, "sold", self.at)

    def mirror(self, selector: str = OWN) -> Mirror:
        return Mirror(self.store, self.projections, selector)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield World(store)
    store.close()


def test_what_no_longer_fits_is_removed_and_nothing_is_told_of_it(world: World) -> None:
    mine, other = world.make("test"), world.make("production")
    mirror = world.mirror()
    mirror.follow()
    assert mirror.cis == {mine}
    world.move(mine, "production")
    world.move(other, "staging")
    [told] = mirror.follow()
    assert (told.kind, told.id, told.deleted, told.kept) == ("ci", (mine,), True, None)
    cause = told.cause
    assert (cause.subject, cause.report, cause.source, cause.reason) == ("", None, "", "")
    assert mirror.cis == set() and mirror.follow() == []
    world.move(mine, "test")
    mirror.follow()
    assert mirror.cis == {mine}, "and comes back"


def test_what_is_deleted_is_removed_once(world: World) -> None:
    mine, other = world.make("test"), world.make("production")
    mirror = world.mirror()
    mirror.follow()
    world.drop(mine)
    world.drop(other)
    assert [(one.id, one.deleted) for one in mirror.follow()] == [((mine,), True)]
    assert mirror.follow() == []


def test_what_was_never_seen_is_never_told_of(world: World) -> None:
    mirror = world.mirror()
    mirror.follow()
    hidden = [world.make("production") for _ in range(3)]
    mirror.follow()
    world.move(hidden[0], "staging")
    world.drop(hidden[1])
    assert mirror.follow() == [] and mirror.heard == []


def test_what_fits_by_what_it_stands_on_leaves_with_that(world: World) -> None:
    below = world.make("test")
    above = world.make("production", below)
    mirror = world.mirror('rel("depends_on").environment == "test"')
    mirror.follow()
    assert mirror.cis == {above}
    world.move(below, "production")
    assert [(one.id, one.deleted) for one in mirror.follow()] == [((above,), True)]


def test_what_is_dropped_of_the_past_cannot_be_told_apart(world: World) -> None:
    mine = world.make("test")
    mirror = world.mirror()
    mirror.follow()
    world.move(mine, "production")
    revision = world.store.revision()
    world.store.write(lambda tx: advance(tx, Bound(HISTORY, world.at, revision, {"feed": 0})))
    with pytest.raises(Forgotten, match="read everything anew"):
        mirror.follow()


STEPS = st.lists(
    st.tuples(st.sampled_from(["make", "move", "drop", "page", "follow"]), st.integers(0, 4), st.booleans())
)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.integers(1, 3))
def test_a_mirror_has_what_is_seen(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, bool]], limit: int
) -> None:
    """Whatever comes and goes, also between two pages; and hears of no CI that was never open to it."""
    store = SqliteStore(tmp_path_factory.mktemp("mirror") / "cmdb.db")
    world = World(store)
    mirror = world.mirror()
    mirror.limit = limit
    living: list[str] = []
    open_: set[str] = set()
    for what, which, test in steps:
        environment = "test" if test else "production"
        moved = None
        if what == "make":
            moved = world.make(environment)
            living.append(moved)
        elif what == "move" and living:
            moved = living[which % len(living)]
            world.move(moved, environment)
        elif what == "drop" and living:
            world.drop(living.pop(which % len(living)))
        elif what in ("page", "follow"):
            (mirror.page if what == "page" else mirror.follow)()
        if moved is not None and test:
            open_.add(moved)
    mirror.follow()
    if mirror.cursor is None:
        mirror.follow()
    assert mirror.cis == mirror.seen
    assert {one.id[0] for one in mirror.heard} <= open_
    store.close()
