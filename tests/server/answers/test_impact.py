"""Impact answers on a small estate that people entered, through the store and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cmdb_server.answers.impact import ImpactAnswer, impact
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.store.port import Writing
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, FEED, RECORD
from tests.shop import NOW, VIEWER, Shop, seeing


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def states(answer: ImpactAnswer) -> dict[str | None, str]:
    listed = (*(service.affected for service in answer.services), *answer.cis)
    return {one.ci.name: one.state for one in listed}


def test_one_of_a_pool_is_redundancy_lost_and_nobody_is_down(estate: Shop) -> None:
    answer = estate.impact("web1")
    assert states(answer) == {}
    (lost,) = answer.redundancy_lost
    assert lost.ci.name == "lb"
    assert (lost.gate.text, lost.gate.margin, lost.gate.lost) == ("1 of 2 serving, needs 1", 0, 1)
    assert [one.name for one in lost.holding] == ["web2"]


def test_the_whole_pool_takes_the_services_with_it(estate: Shop) -> None:
    answer = estate.impact("web1", "web2")
    assert [(one.affected.ci.name, one.criticality) for one in answer.services] == [
        ("shop", "most_critical"),
        ("wiki", "not_critical"),
    ]
    assert states(answer) == dict.fromkeys(("shop", "wiki", "lb", "app"), "down")
    shop = answer.services[0].affected
    assert shop.hops == 3
    assert [step.ci.name for step in shop.path][1:] == ["lb", "app", "shop"]
    assert [step.gate and step.gate.text for step in shop.path] == [
        None,
        "0 of 2 serving, needs 1",
        "0 of 1 serving, needs 1",
        "0 of 1 serving, needs 1",
    ]
    assert answer.counts == {
        "by_state": {"down": 4},
        "by_class": {"load_balancer": 1, "application": 1, "business_service": 2},
    }
    assert answer.certificate.claims == 6
    json.dumps(answer.as_json())
    assert answer.as_json()["cis"][0]["ci"]["class"] == "load_balancer"


def test_what_is_not_impacted_stops_it(estate: Shop) -> None:
    assert states(estate.impact("rack", not_impacted=("app",))) == {"db": "down", "db-host": "down"}
    with pytest.raises(Invalid, match="at once"):
        estate.impact("rack", not_impacted=("rack",))


def test_depth_and_limit_bound_the_list_not_the_computation(estate: Shop) -> None:
    near = estate.impact("rack", depth=2)
    assert states(near) == {"db": "down", "db-host": "down"}
    assert near.more == {"services": 2, "cis": 1, "redundancy_lost": 0} | dict.fromkeys(
        ("second_path_lost", "partitioned", "gateway_unknown", "uncertain"), 0
    )
    few = estate.impact("rack", limit=1)
    assert [one.ci.name for one in few.cis] == ["db-host"]
    assert [one.affected.ci.name for one in few.services] == ["shop"]
    assert few.counts["by_state"] == {"down": 5}


def test_an_unknown_ci_is_named(estate: Shop) -> None:
    for id_ in (str(uuid4()), "no uuid", ""):
        with pytest.raises(NotFound) as refusal:
            impact(estate.projections, VIEWER, [estate.ids["db"], id_])
        assert refusal.value.extra["errors"] == [{"path": "failed[1]", "message": "unknown CI"}]
        assert repr(id_) in refusal.value.detail
    with pytest.raises(Invalid, match="at least one"):
        impact(estate.projections, VIEWER, [])


def test_an_id_of_a_record_stands_for_its_ci(estate: Shop) -> None:
    records = estate.store.read(lambda tx: tx.scan(RECORD))
    ci = RECORD.position("ci")
    (record,) = [row[0] for row in records if row[ci] == estate.ids["rack"]]
    assert impact(estate.projections, VIEWER, [record]).failed[0].id == estate.ids["rack"]


def test_a_gate_of_the_ci_itself_counts_from_the_next_answer_on(estate: Shop) -> None:
    estate.at += 1000
    estate.need_both()
    answer = estate.impact("web1")
    assert states(answer) == dict.fromkeys(("lb", "app", "shop", "wiki"), "down")
    assert answer.services[0].affected.path[1].gate.text == "1 of 2 serving, needs 2"  # type: ignore[union-attr]


def test_the_past_is_asked_with_at_and_known_at(estate: Shop) -> None:
    before = estate.at
    estate.at += 60_000
    estate.need_both()
    estate.at += 60_000
    assert set(states(estate.impact("web1"))) == {"lb", "app", "shop", "wiki"}
    assert states(estate.impact("web1", at=before)) == {}
    assert states(estate.impact("web1", known_at=before)) == {}
    past = estate.impact("web1", "web2", at=before)
    assert (past.at, past.services[0].criticality) == (before, "most_critical")
    assert past.services[0].affected.path[1].gate.text == "0 of 2 serving, needs 1"  # type: ignore[union-attr]
    with pytest.raises(NotFound):
        estate.impact("web1", at=NOW - 1)


def test_what_the_viewer_may_not_see_is_a_token_and_the_arithmetic_stays(estate: Shop) -> None:
    hidden = {estate.ids["lb"], estate.ids["wiki"]}
    viewer = seeing(estate.projections, 'name != "lb" && name != "wiki"')
    answer = impact(estate.projections, viewer, [estate.ids["web1"], estate.ids["web2"]])
    told = json.dumps(answer.as_json())
    assert all(id_ not in told for id_ in hidden)
    assert '"lb"' not in told and "not_critical" not in told
    assert answer.counts["by_class"] == {"application": 1, "business_service": 1, "hidden": 2}
    assert [one.criticality for one in answer.services] == ["most_critical", None]
    assert "load_balancer" not in told
    shop = answer.services[0].affected
    assert shop.path[1].ci.name is None
    assert shop.path[1].gate.text == "0 of 2 serving, needs 1"  # type: ignore[union-attr]
    assert shop.path[1].ci in [one.ci for one in answer.cis]
    with pytest.raises(NotFound) as refusal:
        impact(estate.projections, viewer, [estate.ids["lb"]])
    assert refusal.value.detail == f"no CI {estate.ids['lb']!r}"


def test_a_member_not_confirmed_lately_makes_the_answer_uncertain(estate: Shop) -> None:
    def end(tx: Writing) -> None:
        (row,) = tx.get(CI, [(estate.ids["web2"],)]).values()
        tx.put(CI, [(*row[:7], estate.at - 1000, 0)])
        tx.insert(FEED, [(tx.revision, "ci", row[0], 0)])

    estate.store.write(end)
    answer = estate.impact("web1")
    assert {one.name for one in answer.uncertain} == {"lb", "app", "shop", "wiki"}
    assert [one.name for one in answer.scan_next] == ["web2"]
    assert states(answer) == {}
