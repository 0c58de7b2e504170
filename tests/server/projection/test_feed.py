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
    assert changed(1, store) == ({name_id("1")}, {(name_id("0"), "depends_on", name_id("1"))})  # type: ignore[arg-type]
    assert changed(2, store) == (set(), set())  # type: ignore[arg-type]
