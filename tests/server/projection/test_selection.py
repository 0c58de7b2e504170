"""Masks say what a plain look at every single CI says, however the columns came to be."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.model.selector import Selector
from cmdb_server.model.selector_evaluation import evaluate
from cmdb_server.model.selector_tree import fields
from cmdb_server.model.selector_vocabulary import Vocabulary
from cmdb_server.projection.projections import Projections
from cmdb_server.projection.rules import Rules
from cmdb_server.projection.selection import candidates
from cmdb_server.store.tables import CI, RELATION
from tests.server.projection.test_overlay import MemoryStore
from tests.worlds import NOW, name_id

WORDS = Vocabulary.of(classes(), relation_types())
RULES = Rules.of(relation_types(), classes())
CLASSES = ("server", "linux_server", "database_instance", "network_interface", "site")
ATTRIBUTES: dict[str, list[Any]] = {
    "os_name": ["Debian", "Rocky", "", None, 7],
    "fqdn": ["Debian", "web", None],
    "cpu_count": [1, 4, 8, None, "4"],
    "cpu_cores": [4, 8, None],
    "is_virtual": [True, False, None, "yes"],
    "memory": [{"value": 4, "unit": "GiB"}, {"value": 1, "unit": "MHz"}, None],
    "warranty_expires": ["2027-01-01", "2027-02-01T00:00:00Z", "soon", None],
    "ip_addresses": [["10.0.0.1"], ["10.0.0.1", "10.0.0.2"], [], None],
    "vlans": [[1, 2], [3], None],
    "purchase_cost": [{"amount": 1, "currency": "EUR"}, None],
}
LEAVES = [
    'class == "server"', 'class != "site"', 'isa("server")', 'class in ["site", "server"]', 'class < "network"',
    'name == "ci-3"', 'name.startsWith("ci-1")', 'name > "ci-2"', "has(parent)", f'parent == "{name_id("0")}"',
    f'id == "{name_id("1")}"', f'id in ["{name_id("1")}", "x"]', "has(id)", 'os_name == "Debian"', 'os_name != "Rocky"',
    'os_name in ["Debian", "AIX"]', 'os_name in ["Debian", "Rocky", "AIX", "a", "b"]', 'os_name.contains("b")',
    'os_name.matches("^R|n$")', 'os_name < "F"', "os_name == fqdn", "os_name < fqdn", "name != fqdn", "has(os_name)",
    "cpu_count == 4", "cpu_count != 4", "cpu_count >= 4", "cpu_count < cpu_cores", "cpu_count == cpu_cores",
    "cpu_count in [1, 8]", "is_virtual", "is_virtual == true", "is_virtual != (cpu_count > 4)", "has(cpu_count)",
    'memory > quantity("1 GiB")', "has(memory)", 'warranty_expires < timestamp("2027-01-15")',
    'warranty_expires > now + duration("1d")', 'first_discovered >= timestamp("1970-01-01")',
    '"10.0.0.1" in ip_addresses', '"10.0.0.9" in ip_addresses', "2 in vlans", "has(purchase_cost)", "has(vlans)",
    'rel("runs_on")', 'rel("runs")', 'rel("depends_on").class == "server"', 'rel("used_by").os_name != "Rocky"',
    'rel("contains").isa("server")', 'has(rel("depends_on").cpu_count)', "true", "os_name in []",
]  # fmt: skip


@dataclass
class Subject:
    """A CI read from the rows alone."""

    store: MemoryStore
    row: tuple[Any, ...]

    @property
    def stale(self) -> bool:
        return self.row[7] is not None

    def own(self, name: str) -> Any:
        places = {"id": 0, "class": 1, "name": 2, "parent": 3, "first_discovered": 4}
        return {"site": "north", "stage": "current"}.get(name) if name not in places else self.row[places[name]]

    def attribute(self, name: str) -> Any:
        return self.row[5].get(name)

    def related(self, type_: str, incoming: bool) -> Iterable[Subject]:
        near, far = (2, 0) if incoming else (0, 2)
        for row in self.store.rows[RELATION].values():
            if row[1] == type_ and row[near] == self.row[0] and (row[far],) in self.store.rows[CI]:
                yield Subject(self.store, self.store.rows[CI][row[far],])


def ci(dice: random.Random, number: int) -> tuple[Any, ...]:
    told = {name: value for name, some in ATTRIBUTES.items() if (value := dice.choice(some)) is not None}
    ended = NOW - 1000 if dice.random() < 0.1 else None
    parent = name_id(str(dice.randrange(3))) if dice.random() < 0.5 else ""
    return (name_id(str(number)), dice.choice(CLASSES), f"ci-{number}", parent, number, told, 1, ended, 0)


def expressions() -> st.SearchStrategy[str]:
    def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds(lambda a, sign, b: f"({a} {sign} {b})", inner, st.sampled_from(["&&", "||"]), inner),
            inner.map(lambda text: f"!({text})"),
            st.builds(lambda a, sign, b: f"(({a}) {sign} ({b}))", inner, st.sampled_from(["==", "!="]), inner),
        )

    return st.recursive(st.sampled_from(LEAVES), joined, max_leaves=6)


def change(store: MemoryStore, dice: random.Random) -> None:
    store.revision += 1
    for _ in range(dice.randrange(1, 4)):
        kind, number = dice.choice(("put", "put", "drop", "relate", "part")), dice.randrange(14)
        ids = [key[0] for key in store.rows[CI]]
        if kind == "put":
            store.put_ci(ci(dice, number))
        elif kind == "drop" and len(ids) > 2:
            store.drop_ci(dice.choice(ids))
        elif kind == "relate":
            type_ = dice.choice(("runs_on", "depends_on", "contains"))
            store.put_relation((dice.choice(ids), type_, dice.choice(ids), None, 1, 1.0, 0, 1, 1))
        elif kind == "part" and store.rows[RELATION]:
            store.drop_relation(dice.choice(list(store.rows[RELATION])))


def compare(store: MemoryStore, projections: Projections, text: str) -> None:
    projection = projections.current()
    tree = Selector.of(text, WORDS).tree
    mask = candidates(projections.attributes, projection, store, tree, NOW)  # type: ignore[arg-type]
    assert mask is not None
    found = {projection.id(place) for place in np.flatnonzero(mask).tolist()}
    subjects = [Subject(store, row) for row in store.rows[CI].values()]
    wanted = {subject.row[0] for subject in subjects if evaluate(tree, subject, NOW)}
    assert wanted <= found
    # Below a negation, what ended CIs say is unknown to the one and absent to the other: only then more may be found.
    excess = found - wanted
    assert not excess or any(subject.stale for subject in subjects)
    if not any(subject.stale for subject in subjects):
        assert found == wanted


@settings(max_examples=150, deadline=None)
@given(st.lists(expressions(), min_size=1, max_size=5), st.integers(0, 2**32))
def test_masks_equal_a_plain_look(texts: list[str], seed: int) -> None:
    store, dice = MemoryStore(), random.Random(seed)
    for number in range(dice.randrange(3, 12)):
        store.put_ci(ci(dice, number))
    projections = Projections(store, RULES, lambda: NOW)  # type: ignore[arg-type]
    for text in texts:
        compare(store, projections, text)
        change(store, dice)
    for text in texts:
        compare(store, projections, text)


def test_what_the_columns_cannot_decide_is_left_to_the_store() -> None:
    store = MemoryStore()
    store.put_ci(ci(random.Random(1), 1))
    projections = Projections(store, RULES, lambda: NOW)  # type: ignore[arg-type]
    for text, found in (
        ('id < "5"', True), ("has(site)", True), ("!has(stage)", True), ('stage == "current"', True),
        ('stage in ["missing"]', False), ('!(stage == "current")', False), ('site == "x"', False),
        ('!(site == "x")', False), ("site == stage", True),
    ):  # fmt: skip
        tree = Selector.of(text, WORDS).tree
        mask = candidates(projections.attributes, projections.current(), store, tree, NOW)  # type: ignore[arg-type]
        assert mask is not None and mask.all() == found, text
        assert fields(tree)
