"""Rows as entries: what is sent of them, and under which property they are found."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cmdb_server.errors import Invalid
from cmdb_server.store.neo4j.entries import compounds, entries, names, shape, way
from cmdb_server.store.neo4j.values import INDEXABLE, key_text
from cmdb_server.store.port import Row
from cmdb_server.store.tables import CI, FACT, RECORD, RELATION, REPORT, TIE, Table
from tests.store_rows import ci, fact, relation, row, uid

PART = some.none() | some.text(alphabet=some.sampled_from("\x00\x01\x02aé🌍"), max_size=3)


def no_ancestors(_: str) -> Iterable[str]:
    return ()


def told(table: Table, given: Row) -> dict[str, object]:
    """The properties that a row is sent with."""
    ((_, entry),) = entries(table, [given], no_ancestors)
    return {name: value for name, value in zip(names(table), entry, strict=False) if value is not None}


def test_a_row_comes_back_from_its_entry() -> None:
    there = ci("a", name="n" * 5000, attributes={"x": [1, {"y": None}]})
    key, entry = shape(CI).entry(there)
    assert key == (there[0],)
    assert len(entry[names(CI).index("name")]) < INDEXABLE
    assert shape(CI).row(shape(CI).values(entry)) == there


def test_what_is_read_back_is_nobody_elses() -> None:
    """Changing a value that was read changes no entry."""
    _, entry = shape(CI).entry(ci("a", attributes={"x": [1]}))
    values = shape(CI).values(entry)
    shape(CI).row(values)[5]["x"].append(2)
    assert shape(CI).row(values)[5] == {"x": [1]}


def test_what_does_not_fit_is_refused() -> None:
    for wrong in ((1,), fact("r", "a", "soon", 1), fact("r", "a", 2**63, 1), fact(None, "a", 1, 1)):  # type: ignore[arg-type]
        with pytest.raises(Invalid):
            shape(FACT).entry(wrong)


def test_a_ci_has_its_attributes_and_labels_and_a_relation_its_ends() -> None:
    ((_, item),) = entries(CI, [ci("a", attributes={"os_name": "Debian"})], lambda _: ("hardware",))
    assert item[len(names(CI)) :] == [{"os_name": "Debian"}, ["Server", "Hardware"]]
    ((_, between),) = entries(RELATION, [relation("a", "runs_on", "b")], no_ancestors)
    assert between[len(names(RELATION)) :] == [uid("a"), uid("b")]


def test_the_way_to_rows() -> None:
    assert way(FACT, ("record", "attribute")) == ("_key", FACT.key)
    assert way(FACT, ("revision",)) == ("revision", ("revision",))
    assert way(TIE, ("from_ci", "type")) == ("_by_from_ci_type_to_ci", ("from_ci", "type", "to_ci"))
    assert way(CI, ("name",)) == ("name", ("name",))
    assert compounds(REPORT) == (("scope", "observed_at"),)


@given(some.lists(PART, min_size=3, max_size=3), some.lists(some.text(max_size=2), min_size=1, max_size=3))
def test_a_compound_is_found_by_each_of_its_beginnings(parts: list[str | None], wanted: list[str]) -> None:
    """Rows that lack a later column too; and no others."""
    of = dict(zip(("from_ci", "type", "to_ci"), parts, strict=True))
    text = told(TIE, row(TIE, **of)).get("_by_from_ci_type_to_ci")
    for values in (wanted, [part for part in parts[: len(wanted)] if part is not None]):
        if not values:
            continue
        sought = key_text((*values, "")) if len(values) < 3 else key_text(tuple(values))
        found = text is not None and (text == sought if len(values) == 3 else str(text).startswith(sought))
        assert found == (parts[: len(values)] == values)


def test_a_record_is_found_by_its_place() -> None:
    found = told(RECORD, row(RECORD, source="ssh", site="dc1", target="10.0.0.1"))
    assert found["_by_source_site_target"] == "ssh\x01dc1\x0110.0.0.1"
