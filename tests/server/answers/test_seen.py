"""The store as somebody sees it: whole tables by their rules, graphs of the past, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb_server.answers.relation_explained import explain_relation
from cmdb_server.answers.seen import RULES, SeenReading, as_seen, bearers_seen, check_entry, graph_seen, in_whole
from cmdb_server.answers.timeline import timeline
from cmdb_server.answers.viewer import Viewer
from cmdb_server.errors import Forbidden, Invalid, NotFound
from cmdb_server.ingest.decisions import answer
from cmdb_server.ingest.declare import DeclaredRelation, create, edit
from cmdb_server.projection.projections import Projections
from cmdb_server.store import tables
from cmdb_server.store.port import Reading, Store
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import TABLES
from tests.delivered import NOW, bodies, deliver, sighted
from tests.factories import START
from tests.secret_estate import MARK, SecretEstate
from tests.shop import Shop, seeing
from tests.situations import BOX, DAY, HARDWARE, OTHER, box, of, ssh

HIDING = '!name.startsWith("zqxv")'
NO_DOUBT = f"hidden-{'0' * 16}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = SqliteStore(tmp_path_factory.mktemp("seen") / "cmdb.db")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def estate(store: Store) -> SecretEstate:
    from cmdb_schemas.ci_class import classes
    from cmdb_server.projection.projections import Projections

    return SecretEstate(store, Projections(store), classes(), class_="server")


@pytest.fixture(scope="module")
def viewer(estate: SecretEstate) -> Viewer:
    return seeing(estate.projections, HIDING)


def seen_rows(estate: SecretEstate, viewer: Viewer, table: tables.Table) -> list[Any]:
    return as_seen(estate.store, viewer).read(lambda tx: tx.scan(table, None, 100_000))


def test_every_table_has_its_rule() -> None:
    assert {table.name for table in TABLES if table not in RULES and table.kind != "desk"} == set()
    told_on_desks = {table.name for table in TABLES if table.kind == "desk" and table in RULES}
    assert told_on_desks >= {"kept", "kept_ci", "kept_link", "baseline"}


def test_no_row_tells_of_what_is_not_seen(estate: SecretEstate, viewer: Viewer) -> None:
    """But for those that are only found by what is seen, and are told apart by it."""
    found_by_others = {tables.REPORT, tables.CONTENT, tables.THING, tables.LANE, tables.SAMPLE, tables.SAMPLED}
    secrets = estate.secrets()
    for table in set(TABLES) - found_by_others:
        told = repr(seen_rows(estate, viewer, table)).lower()
        assert {secret for secret in secrets if secret in told} == set(), table.name


def test_who_sees_everything_pays_nothing(estate: SecretEstate) -> None:
    everybody = Viewer("ann", "reader")
    assert as_seen(estate.store, everybody) is estate.store
    part = as_seen(estate.store, seeing(estate.projections, HIDING))
    assert as_seen(part, seeing(estate.projections, HIDING)) is part
    assert (part.revision(), part.durable_revision()) == (estate.store.revision(), estate.store.durable_revision())


def test_the_far_end_of_a_relation_is_a_token(estate: SecretEstate, viewer: Viewer) -> None:
    shop, vault = estate.ids["shop"], estate.ids[f"{MARK}vault"]
    rows = [row for row in seen_rows(estate, viewer, tables.RELATION) if row[0] == shop]
    assert viewer.sight is not None
    assert {row[2] for row in rows} == {estate.ids["app"], viewer.sight.token(vault)}
    (pooled,) = [row for row in seen_rows(estate, viewer, tables.RELATION) if row[3] == "hidden"]
    assert pooled[0] == estate.ids["lb"]


def test_a_graph_of_the_past_is_made_of_everything_and_told_in_part(estate: SecretEstate, viewer: Viewer) -> None:
    def past(tx: Reading) -> tuple[set[str], set[str]]:
        graph = graph_seen(tx, estate.between, None, viewer)
        return set(graph.cis), {end for row in graph.relations for end in (row[0], row[2])}

    every, _ = estate.store.read(past)
    cis, ends = as_seen(estate.store, viewer).read(past)
    assert cis == every - estate.hidden() < every
    assert any(end.startswith("hidden-") for end in ends) and not ends & estate.hidden()


def test_claims_about_what_is_not_seen_keep_their_words_back(estate: SecretEstate, viewer: Viewer) -> None:
    web, part = estate.ids["web"], as_seen(estate.store, viewer)
    told, everything = (timeline(store, web, ["relation"]).entries for store in (part, estate.store))
    assert {one.value["evidence"] for one in told if one.value["type"] == "depends_on"} == {""}
    assert len(told) == len(everything)
    (app,) = [row[0] for row in estate.rows(tables.CI) if row[2] == "app" and row[3] == web]
    (far,) = [row[0] for row in estate.rows(tables.CI) if row[2] == "app" and row[3] == estate.ids[f"{MARK}vault"]]
    with pytest.raises(NotFound, match=f"no CI '{far}'"):
        explain_relation(estate.store, viewer, app, "depends_on", far, now_ms=estate.begun)


def test_what_identifies_is_known_to_be_shared(estate: SecretEstate, viewer: Viewer) -> None:
    def both(tx: Reading) -> list[bool]:
        assert isinstance(tx, SeenReading)
        return [bearers_seen(tx, "serial", value) for value in ("ZQXVSERIAL", "CZ3411AB0D", "SNweb", "unheard")]

    assert as_seen(estate.store, viewer).read(both) == [False, False, True, True]


def test_what_is_told_in_part_is_not_had_in_whole(estate: SecretEstate, viewer: Viewer) -> None:
    part = as_seen(estate.store, viewer)
    assert part.read(lambda tx: in_whole(tx, estate.numbers["web"])).body["summary"] == "web only"
    with pytest.raises(Forbidden, match="names CIs"):
        part.read(lambda tx: in_whole(tx, estate.numbers["both"]))
    with pytest.raises(NotFound):
        part.read(lambda tx: in_whole(tx, estate.numbers["outage"]))
    assert estate.store.read(lambda tx: in_whole(tx, estate.numbers["both"])).body["plan"] == "zqxvplan"


# What is written -------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(opened)
    opened.close()


def test_relations_to_what_is_not_seen_are_refused_as_unknown(shop: Shop) -> None:
    part = as_seen(shop.store, seeing(shop.projections, 'name != "db"'))
    for entered, refusals in (("web1", 0), ("db", 1), (NO_DOUBT, 1)):
        relations = [DeclaredRelation("depends_on", shop.ids.get(entered, entered))]
        if not refusals:
            check_entry(part, {}, relations)
            continue
        with pytest.raises(Invalid) as refusal:
            check_entry(part, {}, relations)
        assert refusal.value.extra["errors"][0]["path"] == "relations[0].ci"
    with pytest.raises(Forbidden, match="member_rule"):
        check_entry(part, {"member_rule": "name == 'x'"}, [])
    check_entry(shop.store, {"member_rule": "name == 'x'"}, [DeclaredRelation("depends_on", NO_DOUBT)])


def test_a_way_over_what_is_not_seen_is_not_told(shop: Shop) -> None:
    """That a service would stand on itself is refused by everybody's graph; by which services, in part."""
    shop.relate("wiki", "depends_on", "shop")
    create(shop.store, "ann", "business_service", {"name": "top"}, [DeclaredRelation("depends_on", shop.ids["wiki"])],
           now_ms=shop.at)  # fmt: skip
    top = shop.store.read(lambda tx: tx.find(tables.CI, ("name",), [("top",)]))[0][0]
    row = shop.store.read(lambda tx: tx.get(tables.CI, [(shop.ids["shop"],)])[(shop.ids["shop"],)])
    for sees, words in (('name != "wiki"', "wiki"), ('name != "rack"', "")):
        part = as_seen(shop.store, seeing(shop.projections, sees))
        with pytest.raises(Invalid, match="the service would stand on itself") as refusal:
            edit(part, "ann", row[0], {}, row[6], [DeclaredRelation("depends_on", top)], now_ms=shop.at)
        assert not words or words not in str(refusal.value.detail)
        assert words or "wiki" in refusal.value.detail


def test_what_was_replaced_by_something_seen_is_a_token_now_and_in_the_past(tmp_path: Path) -> None:
    def hosting(environment: str) -> dict[str, Any]:
        return {"attributes": {"name": "web", "environment": environment}}

    opened = SqliteStore(tmp_path / "cmdb.sqlite")
    scans = [
        ssh(1, box("a", BOX, **hosting("secret"))),
        ssh(3, box("b", {**BOX, **of(OTHER, *HARDWARE)}, **hosting("open"))),
    ]
    deliver(opened, bodies(scans))
    ((task, *_),) = opened.read(lambda tx: tx.find(tables.TASK, ("state",), [("open",)]))
    answer(opened, "ann", task, "ordered in May", NOW, accept=True)
    ci = sighted(opened, bodies(scans), scans)
    told = {}
    for selector in ('environment == "open"', 'name == "web"'):
        viewer = seeing(Projections(opened, clock=lambda: START + 4 * DAY), selector)
        part = as_seen(opened, viewer)
        (row,) = [row for row in part.read(lambda tx: tx.scan(tables.CI)) if row[0] == ci["b"]]
        past = part.read(lambda tx, viewer=viewer: graph_seen(tx, START + 4 * DAY, None, viewer))
        told[selector] = (
            row[5]["replaces"],
            past.cis[ci["b"]][5]["replaces"],
            timeline(part, ci["b"], ["decision"]).entries,
        )
    (token, then, decided), (old, once, both) = told.values()
    assert old == once == ci["a"] and len(both) == 1
    assert token == then and token.startswith("hidden-") and decided == ()
    opened.close()
