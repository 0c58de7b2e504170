"""Members by rule: found on columns as on rows, at any revision, and laid over the projection without a trace."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.model.member_rule import member_rule
from cmdb_server.model.selector_vocabulary import Vocabulary
from cmdb_server.projection.build import build
from cmdb_server.projection.membership import Memberships, Stored, fitting
from cmdb_server.projection.projection import Projection
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.store.tables import CI, RELATION
from tests.server.projection.test_overlay import MemoryStore
from tests.worlds import name_id

NOW = 1_800_000_000_000
DAY = 86_400_000
KINDS = classes()
WORDS = Vocabulary.of(KINDS, relation_types())
RULES = (
    'class == "server"', 'isa("computer") && environment == "production"', '"shop" in labels', 'name.startsWith("1")',
    '!(environment == "test")', 'rel("located_in").name == "5"', "has(environment)", '!has(environment)',
    'class == "business_service"', 'rel("depends_on")', "environment == name",
)  # fmt: skip


def row(number: int, class_: str, attributes: dict[str, Any], ended: int | None = None) -> tuple[Any, ...]:
    return (name_id(str(number)), class_, str(number), "", 0, attributes, 1, ended, 0)


def random_row(dice: random.Random, number: int) -> tuple[Any, ...]:
    if dice.random() < 0.2:
        rule = {"member_rule": dice.choice((*RULES, "no rule", ""))} if dice.random() < 0.8 else {}
        return row(number, "business_service", rule)
    told = {
        "environment": dice.choice(("production", "test", None, "7")),
        "labels": dice.choice((["shop"], ["shop", "till"], None)), "member_rule": dice.choice((None, "isa(\"ci\")")),
    }  # fmt: skip
    ended = dice.choice((None, None, None, NOW - DAY, NOW - 1000 * DAY))
    attributes = {name: value for name, value in told.items() if value is not None}
    return row(number, dice.choice(("server", "rack", "application")), attributes, ended)


def random_change(dice: random.Random, store: MemoryStore, size: int) -> None:
    store.revision += 1
    for _ in range(dice.randrange(1, 4)):
        if dice.random() < 0.5:
            store.put_ci(random_row(dice, dice.randrange(size)))
        else:
            ends = [name_id(str(dice.randrange(size))) for _ in range(2)]
            key = (ends[0], dice.choice(("located_in", "depends_on")), ends[1])
            if key in store.rows[RELATION]:
                store.drop_relation(key)
            else:
                store.put_relation((*key, None, None, 1.0, 0, 1, 1))


def memory() -> MemoryStore:
    """With every table, most of them empty."""
    store = MemoryStore()
    store.rows = defaultdict(dict, store.rows)
    return store


def stands_on(graph: Projection) -> dict[str, set[str]]:
    """Each service's members, by rule and by hand."""
    kind = graph.rules.types.find("depends_on")
    return {
        graph.id(ci): {
            graph.id(int(member))
            for gate in graph.gates_by(ci)
            if graph.gates.type[gate] == kind
            for member in graph.members_of(int(gate))
        }
        for ci in range(len(graph))
        if graph.class_name(ci) == "business_service" and not graph.retired[ci]
    }


def expected(store: MemoryStore, graph: Projection) -> dict[str, set[str]]:
    """By the rows, rule by rule."""
    rows = store.rows[CI]
    source = Stored(store)  # type: ignore[arg-type]
    found: dict[str, set[str]] = {}
    for (id_,), one in rows.items():
        if one[1] == "business_service" and not graph.retired[graph.ci(id_)]:
            text = one[5].get("member_rule")
            rule = member_rule(text, WORDS) if text in RULES else None
            members = set() if rule is None else set(fitting(rule, list(rows.values()), source))
            members |= {to for from_, type_, to in store.rows[RELATION] if (from_, type_) == (id_, "depends_on")}
            found[id_] = {
                to for to in members - {id_} if (to,) in rows and not graph.retired[graph.ci(to)]
            }  # fmt: skip
    return found


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32))
def test_members_follow_revisions_and_are_those_of_the_rows(seed: int) -> None:
    dice, store, size = random.Random(seed), memory(), 14
    for number in range(size):
        store.put_ci(random_row(dice, number))
    projections = Projections(store, Rules.of(relation_types(), KINDS), lambda: NOW)  # type: ignore[arg-type]
    for _ in range(4):
        base = projections.current()
        before = stands_on(base)
        graph = projections.memberships.joined(base, store, projections.attributes, KINDS)  # type: ignore[arg-type]
        assert stands_on(graph) == expected(store, base)
        assert stands_on(base) == before
        again = projections.memberships.joined(base, store, projections.attributes, KINDS)  # type: ignore[arg-type]
        assert again is graph
        past = build(store, projections.rules, NOW)  # type: ignore[arg-type]
        assert stands_on(Memberships().past(past, store, KINDS)) == stands_on(graph)  # type: ignore[arg-type]
        answer = impact(graph, [ci for ci in range(3) if not graph.retired[ci]])
        assert check(graph, answer.certificate()) == []
        random_change(dice, store, size)


def small() -> tuple[MemoryStore, Projections]:
    store = memory()
    store.put_ci(row(0, "server", {"environment": "production"}))
    store.put_ci(row(1, "business_service", {"member_rule": 'environment == "production"'}))
    return store, Projections(store, Rules.of(relation_types(), KINDS), lambda: NOW)  # type: ignore[arg-type]


def test_one_that_nobody_sees_any_more_stays_a_member_until_it_retires() -> None:
    for ended, members in ((NOW - DAY, {name_id("0")}), (NOW - 1000 * DAY, set())):
        store, projections = small()
        store.put_ci(row(0, "server", {"environment": "production"}, ended))
        base = projections.current()
        graph = projections.memberships.joined(base, store, projections.attributes, KINDS)  # type: ignore[arg-type]
        assert stands_on(graph) == {name_id("1"): members}


def test_without_a_rule_there_is_no_work() -> None:
    store, projections = small()
    store.revision += 1
    store.put_ci(row(1, "business_service", {}))
    base = projections.current()
    assert projections.memberships.joined(base, store, projections.attributes, KINDS) is base  # type: ignore[arg-type]


def test_a_rule_that_is_none_is_told_and_has_no_members() -> None:
    store, projections = small()
    store.put_ci(row(1, "business_service", {"member_rule": "environment =="}))
    base = projections.current()
    graph = projections.memberships.joined(base, store, projections.attributes, KINDS)  # type: ignore[arg-type]
    assert stands_on(graph) == {name_id("1"): set()}
    (broken,) = projections.memberships.broken(base, KINDS).values()
    assert "column" in broken


def test_columns_that_went_on_are_done_without() -> None:
    store, projections = small()
    base = projections.current()
    store.revision += 1
    graph = Memberships().joined(base, store, projections.attributes, KINDS)  # type: ignore[arg-type]
    assert stands_on(graph) == {name_id("1"): {name_id("0")}}
    assert list(Stored(store).rows([name_id("0"), name_id("9")])) == [name_id("0")]  # type: ignore[arg-type]
