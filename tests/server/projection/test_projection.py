"""Looking CIs and gates up."""

from uuid import uuid4

import pytest

from cmdb_server.errors import NotFound
from tests.worlds import World, name_id


def test_an_unknown_id_is_named() -> None:
    projection = World(2, (), {}).projection()
    for id_ in (str(uuid4()), "no uuid", "", "0" * 33):
        with pytest.raises(NotFound) as refusal:
            projection.cis([name_id("0"), id_])
        assert repr(id_) in refusal.value.detail
        assert refusal.value.extra["id"] == id_


def test_a_gate_is_told_by_names_and_numbers() -> None:
    pool = tuple((0, "depends_on", ci, "pool", ci) for ci in (1, 2, 3))
    projection = World(4, pool, {0: {"depends_on/pool": {"kind": "weighted", "t": 4}}}).projection()
    (gate,) = projection.gates_by(projection.ci(name_id("0"))).tolist()
    assert (projection.relation_type(gate), projection.key_name(gate)) == ("depends_on", "pool")
    assert sorted(projection.weights_of(gate).tolist()) == [1, 2, 3]
    limits = projection.threshold(gate)
    assert (limits.total, limits.need, limits.want) == (6, 4, 6)
    assert projection.class_name(projection.ci(name_id("1"))) == "database"
