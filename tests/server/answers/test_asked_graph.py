from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cmdb_schemas.report import Component, Observation
from cmdb_server.answers.asked_graph import asked_graph
from cmdb_server.answers.impact import impact
from cmdb_server.answers.requires import requires
from cmdb_server.answers.what_if import Edit
from cmdb_server.errors import NotFound
from cmdb_server.projection.projection import GONE
from cmdb_server.projection.projections import Projections
from cmdb_server.store.port import Reading
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI
from tests.estate import Estate, minute
from tests.shop import NOW, VIEWER, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def test_the_present_and_the_past_have_what_there_was(shop: Shop) -> None:
    def sizes(at: int | None) -> int:
        graph = shop.store.read(lambda tx: asked_graph(shop.projections, VIEWER, tx, at, None).projection)
        return int((graph.ended_at != GONE).sum())

    assert sizes(None) == len(shop.ids)
    assert sizes(NOW) == 1
    with pytest.raises(NotFound) as refusal:
        shop.store.read(
            lambda tx: asked_graph(shop.projections, VIEWER, tx, NOW, None).cis("failed", [shop.ids["app"]])
        )
    assert refusal.value.extra["errors"][0]["path"] == "failed[0]"


def test_those_that_are_there_are_told_without_the_others(shop: Shop) -> None:
    def there(at: int | None) -> int:
        ids = [shop.ids["rack"], shop.ids["app"], "no such id"]
        return shop.store.read(lambda tx: len(asked_graph(shop.projections, VIEWER, tx, at, None).there(ids)))

    assert (there(None), there(NOW)) == (2, 1)


def test_components_are_found_all_the_way_down(either: Estate) -> None:
    port = Component(ref="p", class_="network_interface", local_key="eth0", attributes={"name": "eth0"})
    either.tell(0, Observation(ref="a", class_="linux_server", identifiers={"name": ["box"]}, components=[port]))
    projections = Projections(either.store, clock=lambda: minute(1))

    def parts(at: int | None) -> list[str]:
        def work(tx: Reading) -> list[str]:
            view = asked_graph(projections, VIEWER, tx, at, None)
            (box,) = (row[0] for row in tx.find(CI, ("name",), [("box",)]))
            return [view.projection.names[view.projection.ci(id_)] for id_ in view.components(box)]

        return either.store.read(work)

    assert parts(None) == parts(minute(1)) == ["eth0"]


def test_members_by_rule_follow_revisions_and_the_past(shop: Shop) -> None:
    rule = 'class == "server" && name.startsWith("web")'
    shop.enter("farm", "business_service", member_rule=rule, business_criticality="critical")
    then = shop.at
    shop.at += 60_000
    assert [one.affected.ci.name for one in shop.impact("web1").services] == ["farm"]
    shop.enter("web3", "server")
    assert [one.affected.ci.name for one in shop.impact("web3").services] == ["farm"]
    assert {one.ci.name for one in requires(shop.projections, VIEWER, shop.ids["farm"]).items} == {
        "web1", "web2", "web3",
    }  # fmt: skip
    past = requires(shop.projections, VIEWER, shop.ids["farm"], at=then)
    assert {one.ci.name for one in past.items} == {"web1", "web2"}
    assert shop.impact("web1", at=NOW + 8_000).services == ()
    without = Edit("unrelate", from_=shop.ids["farm"], relation="depends_on", to=shop.ids["web1"])
    assert impact(shop.projections, VIEWER, [shop.ids["web1"]], edits=[without]).services == ()
