"""What the SQLite store costs over bare SQLite: the same rows, transactions, pragmas and statements.

    python -m benchmarks.store_overhead [--cis 50000] [--scale 0.01]

Prints rates and ratios: writing an estate (reports of 500 CIs, 4 relations and 8 facts each), writing it again
unchanged (upserts), and look-ups of 2,000 keys. The reference holds JSON texts already, so that encoding and decoding
count as the store's cost. Both files hold the same rows at the end, or it ends with 1.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid5

import msgspec

from cmdb_server.store.port import Row, Store
from cmdb_server.store.sqlite import SqliteStore, statements
from cmdb_server.store.sqlite.connection import connect
from cmdb_server.store.sqlite.schema import create_all
from cmdb_server.store.tables import CI, FACT, RELATION, TABLES, Table

REPORT = 500
AT = 1_780_000_000_000
Batch = dict[Table, list[Row]]


def uid(number: int) -> str:
    return str(uuid5(UUID(int=1), str(number)))


def estate(count: int) -> Iterator[Batch]:
    """One batch a report; relations lead to CIs of this report and the ones before."""
    chance = random.Random(1)
    for revision, start in enumerate(range(0, count, REPORT), start=1):
        numbers = range(start, min(start + REPORT, count))
        attributes = {n: {"os_name": "Debian", "cpus": n % 64, "memory": {"value": n, "unit": "GiB"}} for n in numbers}
        yield {
            CI: [(uid(n), "server", f"host-{n}", None, AT, attributes[n], revision, None, 0) for n in numbers],
            RELATION: [
                (uid(n), "depends_on", uid(chance.randrange(numbers.stop)), None, 1, 1.0, AT, 1, revision)
                for n in numbers
                for _ in range(4)
            ],
            FACT: [(uid(n), f"attribute_{k}", AT, revision, f"value {n}") for n in numbers for k in range(8)],
        }


def with_texts(batch: Batch) -> Batch:
    def plain(table: Table, row: Row) -> Row:
        return tuple(
            msgspec.json.encode(value).decode() if kind == "json" and value is not None else value
            for value, (_, kind) in zip(row, table.columns, strict=True)
        )

    return {table: [plain(table, row) for row in rows] for table, rows in batch.items()}


class Bare:
    """SQLite with nothing around it."""

    def __init__(self, path: Path) -> None:
        self.connection = connect(path)
        for statement in create_all(TABLES):
            self.connection.execute(statement)
        self.connection.execute("INSERT OR IGNORE INTO meta VALUES (1, 0, 1, 0)")

    def write(self, batch: Batch) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("UPDATE meta SET revision = revision + 1")
        for table, rows in batch.items():
            statement = statements.insert(table) if table is FACT else statements.put(table)
            self.connection.executemany(statement, rows)
        self.connection.execute("COMMIT")

    def look_up(self, keys: list[str]) -> int:
        """As ``IN`` lists of 500 do it, the quickest bare way."""
        found = 0
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            query = f"SELECT * FROM ci WHERE id IN ({','.join('?' * len(part))})"
            found += len(self.connection.execute(query, part).fetchall())
        return found


def store_write(store: Store) -> Callable[[Batch], None]:
    def write(batch: Batch) -> None:
        def work(writing: Any) -> None:
            for table, rows in batch.items():
                (writing.insert if table is FACT else writing.put)(table, rows)

        store.write(work)

    return write


def seconds(bare: Callable[[Any], object], product: Callable[[Any], object], pairs: list[Any]) -> tuple[float, float]:
    """Both in turn, input by input, so that whatever else the machine does counts for both."""
    spent = [0.0, 0.0]
    for inputs in pairs:
        for side, action in enumerate((bare, product)):
            started = time.perf_counter()
            action(inputs[side])
            spent[side] += time.perf_counter() - started
    return spent[0], spent[1]


def compare(what: str, unit: str, amount: int, bare: float, product: float) -> None:
    print(
        f"{what:28} bare {amount / bare:10,.0f} {unit}/s   store {amount / product:10,.0f} {unit}/s   "
        f"store/bare {bare / product:.2f}"
    )


def same_rows(one: Path, other: Path) -> bool:
    """Whether two stores' files hold the same estate."""
    connection = sqlite3.connect(one)
    connection.execute("ATTACH ? AS other", [str(other)])
    differ = [
        f"SELECT * FROM {left}.{table.name} EXCEPT SELECT * FROM {right}.{table.name}"
        for table in (CI, RELATION, FACT)
        for left, right in (("main", "other"), ("other", "main"))
    ]
    equal = not any(connection.execute(query).fetchone() for query in differ)
    connection.close()
    return equal


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cis", type=int, default=50_000)
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        return run(int(asked.cis * asked.scale), Path(folder))


def run(count: int, folder: Path) -> int:
    batches = list(estate(count))
    texts = [with_texts(batch) for batch in batches]
    rows = sum(len(rows) for batch in batches for rows in batch.values())
    keys = [random.Random(n).sample(range(count), min(2000, count)) for n in range(50)]
    names = [[uid(n) for n in numbers] for numbers in keys]
    bare, store = Bare(folder / "bare.db"), SqliteStore(folder / "store.db")
    for what in ("first load", "the same again"):
        compare(what, "rows", rows, *seconds(bare.write, store_write(store), list(zip(texts, batches, strict=True))))
    pairs = [(wanted, [(key,) for key in wanted]) for wanted in names]
    spent = seconds(bare.look_up, lambda keys: store.read(lambda reading: reading.get(CI, keys)), pairs)
    compare(f"look-up of {len(names[0]):,} keys", "keys", sum(map(len, names)), *spent)
    store.close()
    bare.connection.close()
    if not same_rows(folder / "bare.db", folder / "store.db"):
        print("wrong: the store holds other rows than the bare file")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
