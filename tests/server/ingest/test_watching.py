"""What mere repetition may still change is looked at again, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_schemas.report import Component, End, Observation, Relation
from cmdb_server.ingest.apply import TRAFFIC_FORGOTTEN_MS
from cmdb_server.ingest.batch import Lane
from cmdb_server.ingest.watching import is_due
from cmdb_server.store import tables
from tests.estate import DAY, MINUTE, Estate
from tests.factories import host

USES = Relation("depends_on", End(address="10.0.0.9", port=80), from_=End(ref="a"))
PARTIAL = {"scope": "partial"}


def thing(*parts: Component, uses: bool = False, traffic: bool = False) -> Observation:
    claims = (
        [Relation("depends_on", End(address="10.0.0.9"), section="connections")] if traffic else [USES] if uses else []
    )
    return Observation(
        "a", "server", "10.0.0.1", None, {"serial": ["CZ3411AB00"]}, {"name": "a"}, components=list(parts), relations=claims
    )  # fmt: skip


ROOT = Component("/", "file_system", "/")
TOLD: dict[str, list[tuple[float, Observation, dict[str, Any]]]] = {
    "a part": [(0, thing(ROOT), {}), (1, thing(), {"coverage": PARTIAL}), (2, thing(), {})],
    "a claim": [(0, thing(uses=True), {}), (1, thing(), {"coverage": PARTIAL}), (2, thing(), {})],
    "traffic": [
        (0, thing(traffic=True), {}), (1, thing(), {}), (31 * DAY / MINUTE, thing(), {}), (32 * DAY / MINUTE, thing(), {}),
    ],
    "after an absence": [
        (0, thing(ROOT), {}), (1, thing(), {"coverage": PARTIAL}), (2, host("b", "10.0.0.2"), {"coverage": PARTIAL}),
        (3, thing(), {}),
    ],
    "another part of the scan": [
        (0, thing(ROOT), {"scan": "1", "part": 1, "parts": 2}), (0, host("b", "10.0.0.2"), {"scan": "1", "part": 2, "parts": 2}),
        (1, thing(ROOT), {"scan": "2", "part": 2, "parts": 2}), (2, thing(ROOT), {"scan": "3", "part": 1, "parts": 2}),
        (2, host("b", "10.0.0.2"), {"scan": "3", "part": 2, "parts": 2}),
    ],
    "both parts of the scan": [
        (0, thing(), {"scan": "1", "part": 1, "parts": 2}), (0.1, thing(), {"scan": "1", "part": 2, "parts": 2}),
        (1, thing(), {"scan": "2", "part": 1, "parts": 2}),
        (1.1, host("b", "10.0.0.2"), {"scan": "2", "part": 2, "parts": 2}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", TOLD)
def test_repetition_says_what_the_whole_log_says(estate: Estate, other: Estate, what: str) -> None:
    now = max(at for at, _, _ in TOLD[what])
    for into, told in ((estate, TOLD[what]), (other, TOLD[what][::-1])):
        for at, seen, more in told:
            into.tell(at, seen, now=now, **more)
    assert estate.digest() == other.digest()
    assert "a" in estate.alive()


def test_what_ended_is_not_awaited_any_more(estate: Estate) -> None:
    for at, seen, more in TOLD["a part"]:
        estate.tell(at, seen, **more)
    (lane,) = [Lane(*row) for row in estate.rows(tables.LANE)]
    assert (lane.pending, lane.lost) == ({}, [])
    assert estate.tell(3, thing()).unchanged


def test_traffic_is_due_once_it_is_to_be_forgotten(estate: Estate) -> None:
    estate.tell(0, thing(traffic=True))
    estate.tell(1, thing())
    (lane,) = [Lane(*row) for row in estate.rows(tables.LANE)]
    due = lane.observed_at - MINUTE + TRAFFIC_FORGOTTEN_MS
    assert list(lane.pending.values()) == [[due]]
    assert (is_due(lane, due), is_due(lane, due + 1)) == (False, True)
    assert estate.tell(2, thing()).unchanged, "until then a repetition costs nothing"
