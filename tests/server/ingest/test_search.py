from __future__ import annotations

from pathlib import Path

from cmdb_server.store import tables
from cmdb_server.store.digest import pages
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import bodies, deliver, sighted
from tests.situations import BOX, OTHER, box, of, ssh


def test_what_proves_nothing_although_it_bears_evidence_goes_with_who_proves_its_place(tmp_path: Path) -> None:
    """Clones without root share nothing but what is distrusted then; one of them stands where a box was proved."""
    clone = of(BOX, "machine_id")
    scans = [
        ssh(1, box("a", {**BOX}, "10.0.0.1"), box("b", {**OTHER, **clone}, "10.0.0.2")),
        ssh(2, box("a2", {**BOX}, "10.0.0.1"), box("b2", {**OTHER, **clone}, "10.0.0.2")),
        ssh(3, box("w", clone, "10.0.0.2"), scope="later"),
    ]
    told = bodies(scans)
    for n, order in enumerate((told, told[::-1])):
        store = SqliteStore(tmp_path / f"{n}.sqlite")
        deliver(store, order)
        ci = sighted(store, told, scans)
        assert ci["w"] == ci["b"] == ci["b2"] != ci["a"]
        marked = [row for row in store.read(lambda tx: list(pages(tx, tables.IDENTIFIER))) if row[0] == "weak"]
        assert [row[1] for row in marked] == ["main 10.0.0.2"]
        store.close()
