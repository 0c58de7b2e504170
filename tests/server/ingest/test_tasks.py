"""Tasks follow from what was seen and decided: open while their cause holds, the same however it was told."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.answers.timeline import timeline
from cmdb_server.ingest.batch import Batch
from cmdb_server.ingest.decisions import answer, decide, undo
from cmdb_server.ingest.pipeline import settle
from cmdb_server.model.decisions import Decision
from cmdb_server.store import tables
from cmdb_server.store.digest import graph_digest, pages
from cmdb_server.store.port import Store, Writing
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import bodies, deliver, recorded
from tests.factories import START
from tests.observed import Observed, Scan
from tests.situations import BOX, DAY, HARDWARE, OTHER, SOFTWARE, box, of, snmp, ssh

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


# What took the place of what -------------------------------------------------------------------------------------------

NEW = {**BOX, **of(OTHER, *HARDWARE)}
FOLLOWED = [ssh(1, box("a", BOX)), ssh(3, box("b", NEW))]
LATER = START + 100 * DAY


def open_tasks(store: Store) -> dict[str, tuple[str, object]]:
    rows = store.read(lambda tx: tx.find(tables.TASK, ("state",), [("open",)]))
    return {row[0]: (row[1], row[2]) for row in rows}


def state(store: Store) -> tuple[object, ...]:
    return open_tasks(store), store.read(graph_digest)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "cmdb.sqlite")
    yield opened
    opened.close()


def test_a_replacement_is_accepted_by_a_pin_and_the_task_closes_until_that_is_undone(store: SqliteStore) -> None:
    deliver(store, bodies(FOLLOWED))
    before = state(store)
    ((task, (kind, _)),) = open_tasks(store).items()
    assert kind == "replaces"
    record = recorded(store, bodies(FOLLOWED), FOLLOWED)
    pin = answer(store, "anna", task, "bought a new one", LATER, accept=True)
    assert open_tasks(store) == {}
    new, old = (
        store.read(lambda tx, id_=id_: tx.get(tables.CI, [(id_,)]))[(id_,)][5] for id_ in (record["b"], record["a"])
    )  # fmt: skip
    assert new["replaces"] == record["a"] and "replaces" not in old
    undo(store, "anna", pin, "no", LATER + 1)
    assert state(store) == before


def test_a_replacement_is_refused_by_a_split_and_the_task_closes_until_that_is_undone(store: SqliteStore) -> None:
    deliver(store, bodies(FOLLOWED))
    before = state(store)
    split = answer(store, "anna", next(iter(open_tasks(store))), "a second one", LATER, accept=False)
    assert open_tasks(store) == {} and state(store)[1] == before[1]
    undo(store, "anna", split, "no", LATER + 1)
    assert state(store) == before


def test_an_unchanged_report_of_the_old_machine_takes_the_question_back(store: SqliteStore) -> None:
    """What it bears beyond the question, by a source that nothing of the new one contradicts, is looked at again too."""
    scans = [
        ssh(1, box("a", {**BOX, "engine_id": ["80001f8804aabbcc"]}), scope="10.0.0.1"),
        snmp(1, box("b", {"engine_id": ["80001f8804aabbcc"]}, "10.9.9.9")),
        ssh(3, box("c", NEW, "10.0.0.2"), scope="10.0.0.2"),
    ]
    deliver(store, bodies(scans))
    assert [kind for kind, _ in open_tasks(store).values()] == ["replaces"]
    again = snmp(5, box("d", {"engine_id": ["80001f8804aabbcc"]}, "10.9.9.9"))
    deliver(store, bodies([*scans, again])[3:])
    assert open_tasks(store) == {}


@st.composite
def estates(draw: st.DrawFn) -> list[Scan]:
    """Scans of a machine until some day and mostly of what came in its place since then, with and without root, by two
    sources at up to two addresses at once."""
    found, change = [], draw(st.integers(2, 9))
    when = st.lists(st.tuples(st.integers(1, 9), st.sampled_from([ssh, snmp])), unique=True, max_size=6)
    for number, (day, source) in enumerate(draw(when)):
        things = []
        for at in draw(st.sampled_from([(1,), (1,), (2,), (1, 2)])):
            other = draw(st.sampled_from([HARDWARE, HARDWARE, HARDWARE, ("uuid", "mac"), (*HARDWARE, "name"), ()]))
            late = draw(st.sampled_from([(), (), (), (), SOFTWARE, ("uuid", "mac"), HARDWARE]))
            evidence = {**BOX, **{kind: OTHER[kind] for kind in (other if day >= change else late)}}
            lost = draw(st.sampled_from([(), (), ("serial", "uuid"), SOFTWARE, ("serial",)]))
            kept = {kind: values for kind, values in evidence.items() if kind not in lost}
            things.append(box(f"{number}.{at}", kept, f"10.0.0.{at}"))
        found.append(source(day, *things, complete=draw(st.booleans())))
    return found


Ruling = tuple[str, str, str]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(scans=estates(), rng=st.randoms(use_true_random=False), data=st.data())
def test_tasks_and_events_are_the_same_in_any_order_and_as_all_at_once(
    tmp_path_factory: pytest.TempPathFactory, scans: list[Scan], rng: random.Random, data: st.DataObject
) -> None:
    """Reports late, repeated and in parts, decisions made among them and taken back: as all there is gives it at
    once."""
    known = sorted(Observed(scans).held)
    drawn = st.tuples(
        st.sampled_from(["merge", "split", "pin"]), st.sampled_from(known or [""]), st.sampled_from(known or [""])
    )
    rulings = data.draw(st.lists(drawn.filter(lambda one: one[1] != one[2]), max_size=3)) if len(known) > 1 else []
    undone = data.draw(st.sets(st.integers(0, 2)))
    told = bodies(scans)
    folder = tmp_path_factory.mktemp("tasks")
    stores = [SqliteStore(folder / name) for name in ("one", "other")]
    for store in stores:
        shuffled = [part for body in told for part in (_in_parts(body) if rng.random() < 0.5 else [body])]
        shuffled += [body for body in shuffled if rng.random() < 0.3]
        rng.shuffle(shuffled)
        _mixed(store, shuffled, rulings, undone, rng)
        assert state(store) == _decided_again(store)
    assert open_tasks(stores[0]) == open_tasks(stores[1])
    assert _events(stores[0]) == _events(stores[1])
    assert stores[0].read(graph_digest) == stores[1].read(graph_digest)
    for store in stores:
        store.close()


def _in_parts(body: bytes) -> list[bytes]:
    """The same scan with a report for each thing."""
    told = json.loads(body)
    seen = told["content"]["observations"]
    return [
        json.dumps(
            {
                **told, "id": f"{told['id']}.{n}", "scan": {"id": told["scan"]["id"], "part": n, "parts": len(seen)},
                "content": {**told["content"], "observations": [one]},
            }
        ).encode()
        for n, one in enumerate(seen, 1)
    ]  # fmt: skip


def _mixed(store: Store, told: list[bytes], rulings: list[Ruling], undone: set[int], rng: random.Random) -> None:
    """Deliver, and decide as soon as the records are there, or later."""
    waiting = dict(enumerate(rulings))
    for n, body in enumerate(told):
        deliver(store, [body])
        for number, one in list(waiting.items()):
            there = len(store.read(lambda tx, ids=one[1:]: tx.get(tables.RECORD, [(id_,) for id_ in ids]))) == 2
            if there and (n + 1 == len(told) or rng.random() < 0.5):
                made = _decision(number, *waiting.pop(number))
                body_ = {
                    "sides": [list(side) for side in made.sides],
                    "attribute": made.attribute,
                    "pinned": made.pinned,
                }
                id_ = decide(store, "anna", made.verb, body_, "", made.at)
                if number in undone:
                    undo(store, "anna", id_, "", made.at + 50)


def _decided_again(store: Store) -> tuple[object, ...]:
    """The state after all there is was looked at once more, at once."""

    def work(tx: Writing) -> None:
        batch = Batch(tx, classes(), dict(relation_types()), LATER)
        batch.seeds.update(row[0] for row in pages(tx, tables.RECORD) if not row[tables.RECORD.position("parent")])
        batch.load(batch.seeds)
        settle(batch)

    store.write(work)
    return state(store)


def _decision(number: int, verb: str, one: str, other: str) -> Decision:
    sides = ((one,),) if verb == "pin" else ((one,), (other,))
    attribute, pinned = ("replaces", other) if verb == "pin" else ("", None)
    return Decision(str(number), verb, LATER + number, sides, None, attribute, pinned)  # type: ignore[arg-type]


def _events(store: Store) -> list[tuple[object, ...]]:
    cis = sorted(set(deliver(store, []).ci_of.values()))
    told = [one for ci in cis for one in timeline(store, ci, ["event"]).entries]
    return sorted((one.name, one.at, one.record, str(one.value), str(one.before)) for one in told)
