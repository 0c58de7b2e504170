"""Out of a real store, and out of rows that do not fit together."""

from pathlib import Path

import pytest

from cmdb_server.projection import build as building
from cmdb_server.projection.build import build, from_rows
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, RELATION
from tests.worlds import NOW, World, ci_row, dense_world, name_id, relation_row, rules


def test_a_store_gives_what_its_rows_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "PAGE", 7)
    store, world = SqliteStore(tmp_path / "cmdb.db"), dense_world(3, 30)
    cis, relations = world.rows()
    store.write(lambda tx: (tx.put(CI, cis), tx.put(RELATION, relations)))
    made, plain = store.read(lambda reading: build(reading, rules(), NOW)), world.projection()
    store.close()
    assert made.revision == 1
    for ci in range(len(made)):
        other = plain.ci(made.id(ci))
        assert (made.names[ci], made.class_name(ci)) == (plain.names[other], plain.class_name(other))
        told = [{made.id(one) for one in made.members_of(gate)} for gate in made.gates_by(ci).tolist()]
        true = [{plain.id(one) for one in plain.members_of(gate)} for gate in plain.gates_by(other).tolist()]
        assert sorted(map(sorted, told)) == sorted(map(sorted, true))


def test_what_does_not_fit_is_left_out() -> None:
    cis = [ci_row("a"), ci_row("b"), ci_row("old", ended_at=1)]
    relations = [
        relation_row("a", "depends_on", "a"),
        relation_row("a", "depends_on", "nobody"),
        relation_row("a", "unheard_of", "b"),
        relation_row("a", "located_near", "b"),
        relation_row("a", "depends_on", "old"),
        relation_row("old", "depends_on", "a"),
    ]
    projection = from_rows(cis, relations, rules(), 4, NOW)
    assert (len(projection), len(projection.gates), projection.revision) == (3, 0, 4)


def test_one_that_ended_lately_stays_a_provider_until_its_class_retires_it() -> None:
    made = rules()
    made.retired_ms = {"server": 1000}
    rows = [ci_row("a"), ci_row("gone", ended_at=NOW - 400)], [relation_row("a", "depends_on", "gone")]
    projection = from_rows(*rows, made, 1, NOW)
    assert len(projection.gates) == 1
    assert projection.next_retirement == NOW + 600
    assert not projection.retires_by(NOW + 599)
    assert projection.retires_by(NOW + 600)
    assert len(from_rows(*rows, made, 1, NOW + 600).gates) == 0


def test_nothing_makes_an_empty_projection() -> None:
    projection = from_rows([], [], rules(), 0, NOW)
    assert len(projection) == 0
    assert World(2, (), {}).projection().ci(name_id("1")) in (0, 1)


def test_a_weight_is_held_to_its_bounds() -> None:
    cis = [ci_row("a", "service"), *(ci_row(name) for name in "bcd")]
    weights = {"b": 10**30, "c": -5, "d": None}
    relations = [relation_row("a", "depends_on", name, "pool", weight) for name, weight in weights.items()]
    projection = from_rows(cis, relations, rules(), 1, NOW)
    assert sorted(projection.members.weight.tolist()) == [1, 1, building.HEAVIEST]
