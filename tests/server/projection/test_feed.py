from __future__ import annotations

from cmdb_server.projection.feed import changed
from tests.server.projection.test_overlay import MemoryStore
from tests.worlds import ci_row, name_id, relation_row


def test_what_changed_after_a_revision() -> None:
    store = MemoryStore()
    store.put_ci(ci_row("0"))
    store.put_ci(ci_row("1"))
    store.revision = 2
    store.put_relation(relation_row("0", "depends_on", "1"))
    store.put_ci(ci_row("1"))
    assert changed(1, store) == ([name_id("1")], {(name_id("0"), "depends_on", name_id("1"))})  # type: ignore[arg-type]
    assert changed(2, store) == ([], set())  # type: ignore[arg-type]


def test_cis_are_told_in_the_order_of_their_first_change() -> None:
    store = MemoryStore()
    for revision, name in enumerate(("b", "a", "b", "c"), 2):
        store.revision = revision
        store.put_ci(ci_row(name))
    assert changed(1, store)[0] == [name_id(name) for name in "bac"]  # type: ignore[arg-type]
