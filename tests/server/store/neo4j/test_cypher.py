"""What people find who ask the graph in Cypher."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cmdb_server.store.port import Loadable
from cmdb_server.store.tables import CI, FACT, FEED, RELATION, TIE
from tests.neo4j_server import Neo4jServer
from tests.store_rows import HOSTILE, Opener, ci, everything, fact, relation, uid, write

pytestmark = pytest.mark.neo4j


class Graph:
    def __init__(self, server: Neo4jServer) -> None:
        from neo4j import GraphDatabase

        self.driver = GraphDatabase.driver(
            server.uri, auth=(server.user, server.password), notifications_min_severity="OFF"
        )

    def ask(self, query: str, **parameters: Any) -> list[list[Any]]:
        return [record.values() for record in self.driver.execute_query(query, parameters).records]


@pytest.fixture
def store(neo4j_opener: Opener) -> Iterator[Loadable]:
    store = neo4j_opener()
    yield store
    store.close()


@pytest.fixture
def graph(neo4j_server: Neo4jServer) -> Iterator[Graph]:
    graph = Graph(neo4j_server)
    yield graph
    graph.driver.close()


def test_a_ci_is_labelled_with_its_class_and_the_classes_above(store: Loadable, graph: Graph) -> None:
    write(store, CI, ci("a", **{"class": "switch"}))
    [[labels]] = graph.ask("MATCH (n:NetworkDevice) RETURN labels(n)")
    assert set(labels) == {"CI", "Switch", "NetworkDevice", "Hardware"}


def test_labels_follow_the_class(store: Loadable, graph: Graph) -> None:
    write(store, CI, ci("a", **{"class": "unknown_device"}))
    write(store, CI, ci("a", **{"class": "server"}))
    [[labels]] = graph.ask("MATCH (n:CI) RETURN labels(n)")
    assert "Server" in labels
    assert "UnknownDevice" not in labels


def test_a_class_named_like_a_table_is_not_taken_for_its_rows(store: Loadable, graph: Graph) -> None:
    write(store, CI, ci("a", **{"class": "record"}), ci("b", **{"class": "cmdb_store"}))
    assert sorted(graph.ask("MATCH (n:CI) UNWIND labels(n) AS label RETURN DISTINCT label")) == [
        ["CI"],
        ["CmdbStoreClass"],
        ["RecordClass"],
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_class_that_is_no_name_gives_no_label(store: Loadable, graph: Graph, name: str) -> None:
    write(store, CI, ci("a", **{"class": name}))
    assert graph.ask("MATCH (n:CI) RETURN labels(n)") == [[["CI"]]]


def test_attributes_are_properties(store: Loadable, graph: Graph) -> None:
    attributes = {
        "os_name": "Debian",
        "cpus": 4,
        "tags": ["a", "b"],
        "virtual": False,
        "memory": {"value": 8, "unit": "GiB"},
        "deep": {"x": {"y": [1]}},
        "mixed": [1, "a"],
        "huge": 2**70,
        "none": None,
        "revision": "not the row's",
        "_key": "not the row's",
        "no word": 1,
        "": 2,
    }
    write(store, CI, ci("a", name="web", attributes=attributes))
    [[found]] = graph.ask("MATCH (n:CI) RETURN properties(n)")
    for name in ("id", "class", "first_at", "attributes", "_key", "_by_class_name"):
        assert found.pop(name) != "not the row's"
    assert found == {
        "name": "web",
        "os_name": "Debian",
        "cpus": 4,
        "tags": ["a", "b"],
        "virtual": False,
        "memory_value": 8,
        "memory_unit": "GiB",
        "deep_x": '{"y":[1]}',
        "mixed": '[1,"a"]',
        "huge": str(2**70),
        "revision": 1,
        "deleted": 0,
    }


def test_an_attribute_that_is_gone_is_no_property(store: Loadable, graph: Graph) -> None:
    write(store, CI, ci("a", attributes={"old": 1}))
    write(store, CI, ci("a", attributes={"new": 1}))
    assert graph.ask("MATCH (n:CI) RETURN n.old, n.new") == [[None, 1]]


def test_relations_are_relationships(store: Loadable, graph: Graph) -> None:
    write(store, CI, *(ci(name) for name in "abc"))
    write(store, RELATION, relation("a", "depends_on", "b", weight=3), relation("b", "runs_on", "c"))
    assert graph.ask("MATCH (a:Server)-[r:DEPENDS_ON]->()-[:RUNS_ON]->(c) RETURN a.name, r.weight, c.name") == [
        ["a", 3, "c"]
    ]
    assert graph.ask(
        "SHOW INDEXES YIELD type, entityType, properties WHERE entityType = 'RELATIONSHIP' AND properties = ['revision'] RETURN count(*) >= 2"
    ) == [[True]]


def test_what_people_add_by_hand_is_no_row(store: Loadable, graph: Graph) -> None:
    write(store, CI, ci("a"), ci("b"))
    graph.ask("MATCH (a:CI {name: 'a'}), (b:CI {name: 'b'}) CREATE (a)-[:DEPENDS_ON]->(b), (a)-[:LIKES]->(b)")
    assert everything(store, RELATION) == []
    key = (uid("a"), "depends_on", uid("b"))
    assert store.read(lambda reading: reading.get(RELATION, [key])) == {}
    assert store.read(lambda reading: reading.find(RELATION, ("from_ci",), [(uid("a"),)])) == []
    assert store.read(lambda reading: list(reading.between(RELATION, "revision", 0, 9))) == []
    assert store.read(lambda reading: reading.count(RELATION)) == 0


def test_look_ups_use_an_index(store: Loadable, graph: Graph) -> None:
    """The plan of each of the hot queries seeks, whatever the tables held when it was made; none scans."""
    from cmdb_server.store.neo4j import queries

    write(store, CI, *(ci(n, name=f"n{n}") for n in range(300)))
    write(store, RELATION, *(relation(n, "depends_on", n + 1, revision=n) for n in range(299)))
    write(store, FACT, *(fact(uid(n), "a", 1, n, n) for n in range(300)))
    graph.ask("CALL db.awaitIndexes(60)")
    for query, parameters in (
        (queries.get(CI), {"keys": [uid(1)]}),
        (queries.find(CI, ("name",)), {"values": ["n1"]}),
        (queries.find(CI, ("class", "name")), {"values": ["server\x01n1"]}),
        (queries.find(CI, ("class",)), {"values": ["server\x01"]}),
        (queries.find(FACT, ("record",)), {"values": [uid(1) + "\x01"]}),
        (queries.between(FACT, "revision"), {"low": 5, "high": 6}),
        (queries.scan(FACT, True), {"after": uid(5), "limit": 3}),
        (queries.between(FEED, "revision"), {"low": "5", "high": "6"}),
        (queries.insert(FACT), {"rows": []}),
        (queries.replace(CI), {"rows": []}),
        (queries.replace(TIE), {"rows": []}),
        (queries.create_relations("DEPENDS_ON"), {"rows": []}),
        (queries.replace_relations("DEPENDS_ON"), {"rows": []}),
        (queries.get_relations("DEPENDS_ON"), {"keys": [[uid(1), uid(2)]]}),
        (queries.find_relations(("to_ci",)), {"values": [[uid(1)]]}),
        (queries.relations_between("revision", ("DEPENDS_ON",)), {"low": 5, "high": 6}),
        (queries.scan_relations(True), {"near": uid(5), "type": "depends_on", "far": uid(6), "limit": 3}),
    ):
        plan = graph.driver.execute_query("EXPLAIN " + query, parameters).summary.plan
        operators = names_of(plan)
        assert any("IndexSeek" in name for name in operators), (query, operators)
        assert not any("LabelScan" in name or "IndexScan" in name for name in operators), (query, operators)


def test_writing_rows_does_not_stop_at_each(graph: Graph, store: Loadable) -> None:
    """An Eager in the plan would have the server keep all rows before it goes on."""
    from cmdb_server.store.neo4j import queries

    for query in (queries.create(FACT), queries.create(CI), queries.replace(TIE), queries.insert(FACT)):
        plan = graph.driver.execute_query("EXPLAIN " + query, rows=[]).summary.plan
        assert not [name for name in names_of(plan) if name.startswith("Eager")], query


def test_a_relationship_drawn_by_hand_is_left_alone_by_rows_of_its_type(store: Loadable, graph: Graph) -> None:
    write(store, CI, ci("a"), ci("b"))
    graph.ask("MATCH (a:CI {name: 'a'}), (b:CI {name: 'b'}) CREATE (a)-[:DEPENDS_ON {mine: true}]->(b)")
    for weight in (1, 2):
        write(store, RELATION, relation("a", "depends_on", "b", weight=weight))
        assert everything(store, RELATION) == [relation("a", "depends_on", "b", weight=weight)]
    found = graph.ask("MATCH ()-[r:DEPENDS_ON]->() RETURN r.mine, r.weight ORDER BY r.weight")
    assert found == [[None, 2], [True, None]]
    store.write(lambda writing: writing.delete(RELATION, [(uid("a"), "depends_on", uid("b"))]))
    assert graph.ask("MATCH ()-[r:DEPENDS_ON]->() RETURN r.mine") == [[True]]


def test_rows_that_are_there_against_expectation_are_left_alone(store: Loadable) -> None:
    """A row of a revision to come: the next transaction takes its own rows for new, is refused, and looks first."""
    write(store, FACT, fact("r", "a", 1, "first", revision=2))
    write(store, FACT, fact("r", "a", 1, "second", revision=2), fact("r", "b", 1, "second", revision=2))
    assert [row[4] for row in everything(store, FACT)] == ["first", "second"]


def names_of(plan: Any) -> list[str]:
    return [plan["operatorType"], *(name for child in plan.get("children", ()) for name in names_of(child))]
