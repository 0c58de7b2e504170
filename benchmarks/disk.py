"""What an estate and its changes take on disk, against bare rows.

    python -m benchmarks.disk [--cis 100000] [--scale 0.01]

Three files are weighed after each step, all of them compacted and without a journal: the product's; one with the bare
rows of all its tables, without keys and indexes; and one with the bare rows of the graph alone, CIs and relations. The
steps are the first load, rounds of scans that found nothing new, and as many in which one host in a hundred changed.
What a change takes is what these rounds grew beyond the others, by the values that changed.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from benchmarks.estate_reports import PER_HOST, reports
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import CI, FACT, RELATION, TABLES
from tests.factories import START

CALLER = Caller("bench", "admin")
HOUR = 3_600_000
ROUNDS = 5
GRAPH = (CI.name, RELATION.name)
EVERY = tuple(table.name for table in TABLES)


class Weight(NamedTuple):
    """Bytes of the product's file, of the bare rows of all its tables, and of the bare rows of the graph."""

    product: int
    rows: int
    graph: int


def weigh(path: Path, folder: Path) -> Weight:
    compact = folder / "compact.db"
    compact.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("VACUUM INTO ?", (str(compact),))
    connection.close()
    return Weight(compact.stat().st_size, bare(compact, EVERY, folder), bare(compact, GRAPH, folder))


def bare(path: Path, names: Iterable[str], folder: Path) -> int:
    """The size of a file with these tables' rows and nothing else."""
    copy = folder / "bare.db"
    copy.unlink(missing_ok=True)
    connection = sqlite3.connect(copy, isolation_level=None)
    connection.execute("ATTACH ? AS product", (str(path),))
    for name in names:
        connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM product."{name}"')
    connection.close()
    return copy.stat().st_size


def tell(path: Path, cis: int, round_: int, changed: float) -> int:
    """A round of scans; gives the rows of history that it added."""
    store = SqliteStore(path)
    before = store.read(lambda tx: tx.count(FACT))
    for body in reports(cis, round_=round_, changed=changed):
        ingest(store, body, CALLER, START + round_ * HOUR + 1000)
    added = store.read(lambda tx: tx.count(FACT)) - before
    store.close()
    return added


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cis", type=int, default=100_000)
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cmdb-bench-"))
    try:
        return run(folder, max(500, int(asked.cis * asked.scale) // PER_HOST * PER_HOST))
    finally:
        shutil.rmtree(folder)


def run(folder: Path, cis: int) -> int:
    path = folder / "product.db"
    tell(path, cis, 0, 0.0)
    loaded = weigh(path, folder)
    print(f"{cis:,} CIs: product {loaded.product / cis:.0f} bytes a CI")
    print(
        f"ratio to the bare rows of all tables {loaded.product / loaded.rows:.2f} ({loaded.rows / cis:.0f} bytes a CI)"
    )
    print(f"ratio to the bare graph {loaded.product / loaded.graph:.2f} ({loaded.graph / cis:.0f} bytes a CI)")
    for round_ in range(1, ROUNDS + 1):
        tell(path, cis, round_, 0.0)
    still = weigh(path, folder)
    changes = sum(tell(path, cis, round_, 0.01) for round_ in range(ROUNDS + 1, 2 * ROUNDS + 1))
    moved = weigh(path, folder)
    quiet = Weight(*(after - before for before, after in zip(loaded, still, strict=True)))
    busy = Weight(*(after - before for before, after in zip(still, moved, strict=True)))
    print(f"round without changes: {quiet.product / ROUNDS / cis:.2f} bytes a CI, samples included")
    product, rows = (max(0, busy[at] - quiet[at]) / max(1, changes) for at in range(2))
    print(f"{changes} changed values: product {product:.0f} bytes a change, bare rows {rows:.0f}")
    print(f"ratio of a change to its bare rows {product / max(1.0, rows):.2f}")
    return 0 if changes else 1


if __name__ == "__main__":
    sys.exit(main())
