"""The certificate is the question and the answer in columns, and nothing else."""

from dataclasses import fields

import numpy as np

from cmdb_server.analysis.certificate import OWN
from cmdb_server.analysis.impact import impact
from tests.worlds import World, name_id


def test_columns_of_a_small_answer() -> None:
    pool = ((0, "depends_on", 1, "pool", None), (0, "depends_on", 2, "pool", None), (1, "depends_on", 3, None, None))
    projection = World(4, pool, {0: {"depends_on/pool": {"kind": "at_least", "k": 1}}}).projection()
    host, web, app = (projection.ci(name_id(name)) for name in ("3", "1", "0"))
    claim = impact(projection, [host], [projection.ci(name_id("2"))]).certificate()
    assert all(
        isinstance(getattr(claim, field.name), np.ndarray)
        for field in fields(claim)
        if field.name not in ("revision", "down_only")
    )
    assert claim.ci.tolist() == [host, web]
    assert claim.rank.tolist() == [0, 1]
    assert claim.gate.tolist() == [OWN, projection.gates_by(web)[0]]
    assert (claim.held.tolist(), claim.lost.tolist()) == ([projection.gates_by(app)[0]], [1])
    assert claim.revision == 1
