"""What every store must do when it is read."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.errors import Invalid, StoreUnavailable
from cmdb_server.store.port import Loadable
from cmdb_server.store.tables import (
    CI,
    FACT,
    FEED,
    IDENTIFIER,
    LANE,
    RELATION,
    REPORT,
    TABLES,
    Table,
)
from tests.store_rows import (
    ci,
    everything,
    fact,
    relation,
    row,
    uid,
    write,
)


class ReadingContract:
    """Part of ``StoreContract``, which has the fixtures."""

    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
    def test_rows_of_every_table_come_back_as_they_were(self, store: Loadable, table: Table) -> None:
        values = {name: {"a": [1, 2.5, None, True]} for name, kind in table.columns if kind == "json"}
        values |= {name: bytes(range(256)) for name, kind in table.columns if kind == "blob"}
        optional = {name: None for name, _ in table.columns if name not in {*table.key, "revision"}}
        if table is RELATION:
            write(store, CI, ci("a"), ci("b"))
            values |= {"from_ci": uid("a"), "to_ci": uid("b"), "type": "depends_on"}
            optional |= {"from_ci": uid("b"), "to_ci": uid("a"), "type": "depends_on"}
        other = {name: {"text": "u", "integer": 2}[kind] for name, kind in table.columns if name in table.key}
        rows = [row(table, **values), row(table, **(other | optional))]
        write(store, table, *rows)
        found = everything(store, table)
        assert sorted(found, key=repr) == sorted(rows, key=repr)
        assert [[type(value) for value in line] for line in sorted(found, key=repr)] == [
            [type(value) for value in line] for line in sorted(rows, key=repr)
        ]
        assert store.read(lambda reading: reading.count(table)) == 2

    def test_get_gives_the_rows_that_are_there(self, store: Loadable) -> None:
        rows = [row(IDENTIFIER, kind="mac", value=str(n), record=uid(n)) for n in range(700)]
        write(store, IDENTIFIER, *rows)
        keys = [line[:3] for line in rows]
        found = store.read(lambda reading: reading.get(IDENTIFIER, [*keys, ("mac", "1", "absent"), keys[3]]))
        assert found == dict(zip(keys, rows, strict=True))
        assert store.read(lambda reading: reading.get(IDENTIFIER, [])) == {}
        assert store.read(lambda reading: reading.get(CI, iter([("none",)]))) == {}

    def test_get_of_relations(self, store: Loadable) -> None:
        write(store, CI, ci("a"), ci("b"))
        there = relation("a", "depends_on", "b", weight=3)
        write(store, RELATION, there)
        keys = [there[:3], (uid("b"), "depends_on", uid("a")), (uid("a"), "runs_on", uid("b")), ("x", "not a type", "")]
        assert store.read(lambda reading: reading.get(RELATION, keys)) == {there[:3]: there}

    def test_many_keys_at_once(self, store: Loadable) -> None:
        names = range(6000)
        write(store, CI, *(ci(name) for name in names))
        found = store.read(lambda reading: reading.get(CI, [(uid(name),) for name in range(-6000, 6000)]))
        assert found.keys() == {(uid(name),) for name in names}

    def test_a_key_of_another_width_is_refused(self, store: Loadable) -> None:
        with pytest.raises(Invalid):
            store.read(lambda reading: reading.get(CI, [("a", "b")]))

    def test_find_by_key_prefix_and_by_index(self, store: Loadable) -> None:
        rows = [fact(uid(n % 3), f"a{n}", 9 - n % 2, n, revision=n) for n in range(12)]
        write(store, FACT, *rows)
        found = store.read(lambda reading: reading.find(FACT, ("record",), [(uid(2),), (uid(1),), (uid(2),), ("no",)]))
        of = {n: sorted((line for line in rows if line[0] == uid(n)), key=lambda line: line[:4]) for n in (1, 2)}
        assert [line for line in found if line[0] == uid(1)] == of[1]
        assert [line for line in found if line[0] == uid(2)] == of[2]
        assert len(found) == 8
        assert store.read(lambda reading: reading.find(FACT, ("record", "attribute"), [(uid(1), "a4")])) == [rows[4]]
        assert store.read(lambda reading: reading.find(FACT, ("revision",), [(5,), (6,)])) == [rows[5], rows[6]]

    def test_find_by_part_of_an_index(self, store: Loadable) -> None:
        rows = [ci("b", **{"class": "server"}), ci("a", **{"class": "server"}), ci("c", **{"class": "switch"})]
        write(store, CI, *rows)
        found = store.read(lambda reading: reading.find(CI, ("class",), [("server",)]))
        assert found == sorted(rows[:2])
        assert store.read(lambda reading: reading.find(CI, ("class", "name"), [("switch", "c")])) == [rows[2]]

    def test_none_equals_nothing(self, store: Loadable) -> None:
        write(store, CI, ci("a", parent=None))
        assert store.read(lambda reading: reading.find(CI, ("parent",), [(None,)])) == []
        assert store.read(lambda reading: reading.get(CI, [(None,)])) == {}

    def test_relations_are_found_from_both_ends(self, store: Loadable) -> None:
        write(store, CI, *(ci(name) for name in "abc"))
        rows = [relation("a", "depends_on", "b"), relation("a", "runs_on", "c"), relation("b", "depends_on", "c")]
        rows.append(relation("c", "depends_on", "c"))
        write(store, RELATION, *rows)
        assert store.read(lambda reading: reading.find(RELATION, ("from_ci",), [(uid("a"),)])) == sorted(rows[:2])
        assert store.read(lambda reading: reading.find(RELATION, ("to_ci",), [(uid("c"),)])) == sorted(rows[1:])
        assert store.read(lambda reading: reading.find(RELATION, ("from_ci", "type"), [(uid("a"), "runs_on")])) == [
            rows[1]
        ]
        assert everything(store, RELATION) == sorted(rows)

    def test_find_without_an_index_is_refused(self, store: Loadable) -> None:
        with pytest.raises(ValueError, match="no index"):
            store.read(lambda reading: reading.find(CI, ("first_at",), [(1,)]))
        with pytest.raises(ValueError, match="no index"):
            store.read(lambda reading: reading.between(CI, "first_at", 0, 1))

    @pytest.mark.parametrize("table", [FACT, RELATION, CI, LANE], ids=lambda table: table.name)
    def test_scan_pages_through_all_rows_in_key_order(self, store: Loadable, table: Table) -> None:
        if table is RELATION:
            write(store, CI, *(ci(n) for n in range(8)))
            rows = [relation(n % 8, f"type_{n // 8 % 3}", n % 7) for n in range(100)]
        elif table is FACT:
            rows = [fact(uid(n % 4), f"a{n % 5}", n % 3, n, revision=n % 2) for n in range(100)]
        elif table is CI:
            rows = [ci(n) for n in range(50)]
        else:
            rows = [row(LANE, scope=str(n % 9), part=n) for n in range(40)]
        rows = list({line[: len(table.key)]: line for line in rows}.values())
        write(store, table, *rows)
        found, page = [], store.read(lambda reading: reading.scan(table, None, 7))
        while page:
            found += page
            after = tuple(page[-1][table.position(column)] for column in table.key)
            page = store.read(lambda reading, after=after: reading.scan(table, after, 7))
        assert found == sorted(rows, key=lambda line: line[: len(table.key)])

    def test_integers_are_ordered_as_numbers(self, store: Loadable) -> None:
        rows = [row(REPORT, revision=n) for n in (2, 10, 9, 100, -5, 2**62)]
        write(store, REPORT, *rows)
        assert [line[0] for line in everything(store, REPORT)] == [-5, 2, 9, 10, 100, 2**62]
        assert [line[0] for line in store.read(lambda reading: reading.scan(REPORT, (9,), 2))] == [10, 100]

    def test_texts_are_ordered_by_code_point(self, store: Loadable) -> None:
        texts = ["", "\x00", "\x01", "\x02", "a", "a\x00", "a\x01b", "a\x02", "aa", "Z", "é", "\ufffd", "🌍", "a" * 50]
        write(store, CI, *(row(CI, id=text, name="n") for text in texts))
        assert [line[0] for line in everything(store, CI)] == sorted(texts)
        write(store, IDENTIFIER, *(row(IDENTIFIER, kind=text, value=value) for text in texts for value in ("", "a")))
        assert [line[:2] for line in everything(store, IDENTIFIER)] == sorted((t, v) for t in texts for v in ("", "a"))

    @pytest.mark.parametrize("table", [FACT, CI, RELATION, FEED], ids=lambda table: table.name)
    def test_between_follows_revisions(self, store: Loadable, table: Table) -> None:
        if table is FACT:
            rows = [fact(uid(n), "a", 1, n, revision=n // 2) for n in range(20)]
        elif table is CI:
            rows = [ci(n, revision=n // 2) for n in range(20)]
        elif table is FEED:
            rows = [row(FEED, revision=n // 2, id=uid(n)) for n in range(20)]
        else:
            write(store, CI, *(ci(n) for n in range(21)))
            rows = [relation(n, f"type_{n % 3}", n + 1, revision=n // 2) for n in range(20)]
        write(store, table, *rows)
        found = store.read(lambda reading: list(reading.between(table, "revision", 2, 6)))
        at = table.position("revision")
        keys = [table.position(column) for column in table.key]
        expected = [line for line in rows if 2 < line[at] <= 6]
        assert found == sorted(expected, key=lambda line: (line[at], *(line[key] for key in keys)))

    def test_between_streams_beside_other_reads(self, store: Loadable) -> None:
        write(store, CI, *(ci(n, revision=n) for n in range(2500)))

        def work(reading: Any) -> int:
            rows = reading.between(CI, "revision", -1, 5000)
            return sum(len(reading.get(CI, [next(rows)[:1]])) for _ in range(2500))

        assert store.read(work) == 2500

    def test_what_a_read_lent_out_ends_with_it(self, store: Loadable) -> None:
        write(store, CI, *(ci(n) for n in range(3)))
        rows = store.read(lambda reading: reading.between(CI, "revision", 0, 9))
        with pytest.raises(StoreUnavailable):
            list(rows)
        reading = store.read(lambda reading: reading)
        with pytest.raises(StoreUnavailable):
            reading.scan(CI)
