"""Scored once for all that are alike: the same as scored pair by pair."""

from __future__ import annotations

from itertools import combinations
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.model import likeness
from cmdb_server.model.evidence import View, bearing, points
from cmdb_server.model.likeness import Likeness
from cmdb_server.model.record import Record
from cmdb_server.model.weighing import shipped
from tests.records import record

MACS = [f"3c:ec:ef:00:00:{n:02x}" for n in range(4)] + ["52:54:00:00:00:01"]
SETS: dict[str, list[list[str]]] = {
    "serial": [["CZ1AB"], ["CZ2AB"]], "manufacturer": [["dell"], ["hp"]],
    "uuid": [["4c4c4544-0000-2010-8020-80c04f202020"], ["4c4c4544-0000-2010-8020-80c04f202021"]],
    "mac": [[MACS[0]], MACS[:2], MACS[1:4], [MACS[4]], [MACS[0], MACS[4]]], "machine_id": [["a" * 32], ["b" * 32]],
    "ssh_host_key": [["k1"], ["k1", "k2"], ["k3"]], "name": [["web"], ["web.a.net"], ["web.b.net"], ["db"], ["web", "db"]],
    "fqdn": [["web.a.net"], ["mail.a.net"]], "label": [["web"], ["Web server"]],
}  # fmt: skip


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    labelled = draw(st.booleans())
    found = []
    for number in range(draw(st.integers(8, 14))):
        kinds = draw(st.lists(st.sampled_from([kind for kind in SETS if labelled or kind != "label"]), unique=True))
        borne = {kind: draw(st.sampled_from(SETS[kind])) for kind in kinds}
        found.append(
            record(
                f"r{number}", address=draw(st.sampled_from(["10.0.0.1", "10.0.0.2", None])),
                key=draw(st.sampled_from([None, None, "vm-1"])), family=draw(st.sampled_from(["computer", "network_device"])),
                **borne,
            )
        )  # fmt: skip
    return found


@settings(max_examples=300, deadline=None)
@given(records())
def test_the_same_as_pair_by_pair(told: list[Record]) -> None:
    weights = shipped()
    views = [View(one, weights) for one in told]
    alike = Likeness(views, weights)
    for i, j in combinations(range(len(views)), 2):
        a, b = views[i], views[j]
        assert alike.points(i, j) == points(a, b, weights.between(a.record.family, b.record.family))


def test_clones_are_compared_once() -> None:
    """However many there are: each has a MAC of its own and a name of its own."""
    weights = shipped()
    clones = [
        record(f"r{n}", address=f"10.0.0.{n}", machine_id="a" * 32, mac=f"3c:ec:ef:00:00:{n:02x}", name=f"web{n}")
        for n in range(60)
    ]
    alike = Likeness([View(one, weights) for one in clones], weights)
    with patch.object(likeness, "bearing", wraps=bearing) as compared:
        assert len({tuple(alike.points(i, j)) for i, j in combinations(range(60), 2)}) == 1
    assert compared.call_count == 1
