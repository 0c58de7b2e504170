"""What every store must do. Each engine's tests inherit ``StoreContract`` and say how to open an empty store."""

from __future__ import annotations

import io
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from cmdb_server.errors import Conflict, Invalid, Malformed, StoreUnavailable
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.dump import DUMPED, dump, load
from cmdb_server.store.port import Loadable, Row, Writing
from cmdb_server.store.tables import (
    CI,
    CLAIM,
    DECISION,
    FACT,
    FEED,
    IDENTIFIER,
    LANE,
    MEMBERSHIP,
    RECORD,
    RELATION,
    REPORT,
    SNAPSHOT,
    TABLES,
    TASK,
    THING,
    TOKEN,
    Table,
)

Opener = Callable[[], Loadable]
DEFAULTS: dict[str, Any] = {"text": "t", "integer": 1, "real": 1.0, "json": None, "blob": b""}
ROOT = Path(__file__).parents[1]
HOSTILE = (
    "' OR 1=1 --",
    '"}) DETACH DELETE n //',
    "`]-() RETURN 1",
    "$param {x: 1} \\u0041 \\",
    "<script>alert(1)</script>",
    "Grüße, 世界 🌍 \u202e\ufffd",
    "nul\x00inside",
    "\x01\x02\x03\x1f\x7f",
    " spaces  and\ttabs\r\n",
    "",
)
"""Texts that are code elsewhere, and are data here."""


def uid(name: object) -> str:
    return str(uuid5(UUID(int=7), str(name)))


def row(table: Table, **values: Any) -> Row:
    """A row with the columns named, the others plain."""
    unknown = values.keys() - {name for name, _ in table.columns}
    assert not unknown, unknown
    return tuple(values.get(name, DEFAULTS[kind]) for name, kind in table.columns)


def ci(key: object, /, **values: Any) -> Row:
    given = {
        "class": "server",
        "id": uid(key),
        "name": str(key),
        "parent": None,
        "attributes": {},
        "ended_at": None,
        "deleted": 0,
        **values,
    }
    return row(CI, **given)


def relation(near: object, kind: str, far: object, **values: Any) -> Row:
    return row(RELATION, **{"from_ci": uid(near), "type": kind, "to_ci": uid(far), "group": None, **values})


def fact(record: str, attribute: str, at: int, value: Any, revision: int = 1) -> Row:
    return row(FACT, record=record, attribute=attribute, at=at, revision=revision, value=value)


def write(store: Loadable, table: Table, *rows: Row) -> int:
    def work(writing: Writing) -> int:
        (writing.insert if table.kind in {"log", "history"} else writing.put)(table, rows)
        return writing.revision

    return store.write(work)


def everything(store: Loadable, table: Table) -> list[Row]:
    return store.read(lambda reading: reading.scan(table, None, 100_000))


class StoreContract:
    """The engine's tests define ``opener``: a function, sendable to another process, that opens one and the same
    store, empty at first."""

    @pytest.fixture
    def opener(self) -> Opener:
        raise NotImplementedError

    @pytest.fixture
    def store(self, opener: Opener) -> Iterator[Loadable]:
        store = opener()
        yield store
        store.close()

    # reading

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

    # writing

    def test_put_replaces_and_insert_leaves(self, store: Loadable) -> None:
        write(store, CI, ci("a", name="one"), ci("b", name="one"), ci("b", name="last"))
        write(store, CI, ci("a", name="two"))
        store.write(lambda writing: writing.insert(CI, [ci("a", name="three"), ci("c", name="1"), ci("c", name="2")]))
        assert {line[2] for line in everything(store, CI)} == {"two", "last", "1"}

    def test_put_of_a_relation_replaces_its_values(self, store: Loadable) -> None:
        write(store, CI, ci("a"), ci("b"))
        write(store, RELATION, relation("a", "depends_on", "b", weight=1, group="pool"))
        write(store, RELATION, relation("a", "depends_on", "b", weight=2))
        store.write(lambda writing: writing.insert(RELATION, [relation("a", "depends_on", "b", weight=3)]))
        assert everything(store, RELATION) == [relation("a", "depends_on", "b", weight=2)]

    def test_delete(self, store: Loadable) -> None:
        write(store, IDENTIFIER, *(row(IDENTIFIER, kind="k", value=str(n)) for n in range(4)))
        gone = [("k", "1", "t"), ("k", "3", "t"), ("k", "none", "t")]
        store.write(lambda writing: writing.delete(IDENTIFIER, gone))
        assert [line[1] for line in everything(store, IDENTIFIER)] == ["0", "2"]
        write(store, IDENTIFIER, row(IDENTIFIER, kind="k", value="1"))
        assert len(everything(store, IDENTIFIER)) == 3

    def test_a_ci_takes_its_relations_along(self, store: Loadable) -> None:
        write(store, CI, *(ci(name) for name in "abc"))
        write(store, RELATION, relation("a", "runs_on", "b"), relation("b", "runs_on", "c"), relation("a", "x", "c"))

        def work(writing: Writing) -> None:
            writing.delete(CI, [(uid("b"),)])
            writing.delete(RELATION, [(uid("a"), "runs_on", uid("b"))])

        store.write(work)
        assert everything(store, RELATION) == [relation("a", "x", "c")]
        store.write(lambda writing: writing.delete(RELATION, [(uid("a"), "x", uid("c"))]))
        assert everything(store, RELATION) == []
        assert len(everything(store, CI)) == 2

    def test_a_relation_needs_both_ends(self, store: Loadable) -> None:
        write(store, CI, ci("a"))
        for near, far in (("a", "missing"), ("missing", "a")):
            with pytest.raises(Invalid, match="no CI"):
                write(store, RELATION, relation(near, "depends_on", far))

        def deleted_before(writing: Writing) -> None:
            writing.put(CI, [ci("b")])
            writing.put(RELATION, [relation("a", "depends_on", "b")])
            writing.delete(CI, [(uid("b"),)])
            writing.put(RELATION, [relation("a", "depends_on", "b")])

        with pytest.raises(Invalid, match="no CI"):
            store.write(deleted_before)
        assert everything(store, RELATION) == []

    @pytest.mark.parametrize("kind", ["", "A B", "x]->() DELETE n //", "Upper", "a-b", "1a", "a" * 65, "ü"])
    def test_a_relation_type_is_a_plain_word(self, store: Loadable, kind: str) -> None:
        write(store, CI, ci("a"), ci("b"))
        with pytest.raises(Invalid, match="type"):
            write(store, RELATION, relation("a", kind, "b"))

    @pytest.mark.parametrize("table", [REPORT, DECISION, THING, FACT, CLAIM, MEMBERSHIP], ids=lambda table: table.name)
    def test_history_and_log_are_append_only(self, store: Loadable, table: Table) -> None:
        line = row(table)
        write(store, table, line)
        key = tuple(line[table.position(column)] for column in table.key)
        with pytest.raises(Conflict):
            store.write(lambda writing: writing.delete(table, [key]))
        with pytest.raises(Conflict):
            store.write(lambda writing: writing.put(table, [line]))
        assert everything(store, table) == [line]

    def test_retention_alone_forgets_what_was_said(self, store: Loadable) -> None:
        rows = [fact("r", "a", at, at, revision=at) for at in range(5)]
        write(store, FACT, *rows)
        write(store, THING, row(THING, digest="d", body=b"b"))
        gone = [line[:4] for line in rows[:3]]
        store.write(lambda writing: writing.forget_forever(FACT, [*gone, ("r", "a", 99, 99)]))
        store.write(lambda writing: writing.forget_forever(THING, [("d",)]))
        assert everything(store, FACT) == rows[3:]
        assert store.read(lambda reading: reading.find(FACT, ("record", "attribute"), [("r", "a")])) == rows[3:]
        assert everything(store, THING) == []
        write(store, FACT, rows[0])
        assert everything(store, FACT) == [rows[0], *rows[3:]]
        for table in (CI, RELATION, TASK, TOKEN):
            with pytest.raises(Conflict):
                store.write(lambda writing, table=table: writing.forget_forever(table, []))  # type: ignore[misc]

    def test_a_write_reads_what_it_wrote(self, store: Loadable) -> None:
        def work(writing: Writing) -> tuple[Any, ...]:
            writing.put(CI, [ci("a"), ci("b")])
            writing.put(RELATION, [relation("a", "depends_on", "b")])
            writing.delete(CI, [(uid("c"),)])
            return (
                writing.get(CI, [(uid("a"),)]),
                writing.find(RELATION, ("to_ci",), [(uid("b"),)]),
                len(writing.scan(CI)),
                writing.count(CI),
                writing.revision,
            )

        write(store, CI, ci("c"))
        wrote = {(uid("a"),): ci("a")}, [relation("a", "depends_on", "b")], 2, 2, 2
        assert store.write(work) == wrote

    @pytest.mark.parametrize(
        "rows",
        [
            [("too", "short")],
            [(*ci("a"), "too long")],
            [ci("a", first_at="soon")],
            [ci("a", id=None)],
            [ci("a", name="lone \ud800 surrogate")],
            [ci("a", attributes={"x": "lone \udfff"})],
            [ci("a", first_at=2**63)],
            [ci("a", name=b"bytes")],
        ],
        ids=["short", "long", "type", "no-key", "surrogate", "json-surrogate", "large", "blob"],
    )
    def test_rows_that_do_not_fit_are_refused(self, store: Loadable, rows: list[Row]) -> None:
        with pytest.raises(Invalid):
            write(store, CI, ci("good"), *rows)
        assert everything(store, CI) == []
        assert store.revision() == 0

    @pytest.mark.parametrize("text", HOSTILE)
    def test_any_text_is_data(self, store: Loadable, text: str) -> None:
        there = ci("a", name=text, attributes={text or "x": [text, {text: text}], "name": text}, **{"class": text})
        write(store, CI, there, ci("b"), ci("c"))
        write(store, RELATION, relation("a", "depends_on", "b", group=text))
        write(store, FACT, fact(text, text, 1, text))
        write(store, IDENTIFIER, row(IDENTIFIER, kind=text, value=text, record=text))
        assert store.read(lambda reading: reading.get(CI, [(uid("a"),)])) == {(uid("a"),): there}
        assert store.read(lambda reading: reading.find(CI, ("name",), [(text,)])) == [there]
        assert everything(store, RELATION) == [relation("a", "depends_on", "b", group=text)]
        assert store.read(lambda reading: reading.get(FACT, [(text, text, 1, 1)])) == {
            (text, text, 1, 1): fact(text, text, 1, text)
        }
        assert len(everything(store, CI)) == 3
        store.write(lambda writing: writing.delete(IDENTIFIER, [(text, text, text)]))
        assert everything(store, IDENTIFIER) == []

    def test_large_values(self, store: Loadable) -> None:
        large = "Ω" * 40_000
        there = ci("a", name=large, attributes={"text": large, "list": list(range(20_000))})
        write(store, CI, there, ci("b", name=large + "x"))
        write(store, THING, row(THING, digest="d", body=bytes(3_000_000)))
        claims = [row(IDENTIFIER, kind="k", value=large + end, record=large) for end in "ab"]
        write(store, IDENTIFIER, *claims)
        assert store.read(lambda reading: reading.find(CI, ("name",), [(large,)])) == [there]
        assert everything(store, THING) == [row(THING, digest="d", body=bytes(3_000_000))]
        assert everything(store, IDENTIFIER) == claims
        key = ("k", large + "b", large)
        assert store.read(lambda reading: reading.get(IDENTIFIER, [key])) == {key: claims[1]}

    # transactions

    def test_what_work_raises_undoes_all_and_burns_no_revision(self, store: Loadable) -> None:
        write(store, CI, ci("a"))

        def work(writing: Writing) -> None:
            assert writing.revision == 2
            writing.put(CI, [ci("b")])
            writing.delete(CI, [(uid("a"),)])
            writing.insert(FACT, [fact("r", "a", 1, 1)])
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            store.write(work)
        assert everything(store, CI) == [ci("a")]
        assert everything(store, FACT) == []
        assert store.revision() == 1
        assert write(store, CI, ci("b")) == 2

    def test_what_a_read_raises_comes_out_as_it_is(self, store: Loadable) -> None:
        with pytest.raises(UnicodeEncodeError):
            store.read(lambda reading: "\ud800".encode())
        assert store.revision() == 0

    def test_a_read_sees_one_state_while_others_write(self, store: Loadable) -> None:
        """A store may run the read again to reach that; what it returns is of one state."""
        write(store, CI, ci("a", name="0"), ci("b", name="0"))
        tries = []

        def work(reading: Any) -> tuple[Any, ...]:
            before = reading.get(CI, [(uid("a"),)])
            if not tries:
                tries.append(1)
                other = threading.Thread(target=write, args=(store, CI, ci("a", name="1"), ci("b", name="1")))
                other.start()
                other.join()
            after = reading.get(CI, [(uid("b"),)])
            return before[(uid("a"),)][2], after[(uid("b"),)][2], reading.revision

        assert store.read(work) in {("0", "0", 1), ("1", "1", 2)}
        assert store.revision() == 2

    def test_readers_do_not_see_half_a_write(self, store: Loadable) -> None:
        """Writers keep the sum of two numbers at zero; no reader may see it otherwise."""
        write(store, CI, ci("a", first_at=0), ci("b", first_at=0))
        stop = threading.Event()
        wrong: list[object] = []

        def readers() -> None:
            while not stop.is_set():
                found = store.read(self._sum)
                if found != 0:
                    wrong.append(found)

        threads = [threading.Thread(target=readers) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(40):
            write(store, CI, ci("a", first_at=number), *(ci(n) for n in range(30)), ci("b", first_at=-number))
        stop.set()
        for thread in threads:
            thread.join()
        assert wrong == []

    @staticmethod
    def _sum(reading: Any) -> int:
        one = reading.get(CI, [(uid("a"),)])[(uid("a"),)][4]
        other = reading.find(CI, ("name",), [("b",)])[0][4]
        return int(one + other)

    def test_reads_nest(self, store: Loadable) -> None:
        write(store, CI, ci("a"))
        assert store.read(lambda outer: (outer.count(CI), store.read(lambda inner: inner.count(CI)))) == (1, 1)

    def test_threads_take_revisions_in_turn(self, store: Loadable) -> None:
        taken: list[int] = []

        def writer(name: str) -> None:
            for number in range(10):
                taken.append(write(store, CI, ci(f"{name} {number}")))

        threads = [threading.Thread(target=writer, args=(f"w{n}",)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == list(range(1, 51))
        assert len(everything(store, CI)) == 50

    def test_processes_take_revisions_in_turn(self, opener: Opener, store: Loadable) -> None:
        context = multiprocessing.get_context("spawn")
        with context.Pool(4) as pool:
            taken = pool.starmap(write_some, [(opener, name, 12) for name in "abcd"])
        assert sorted(number for numbers in taken for number in numbers) == list(range(1, 49))
        assert len(everything(store, CI)) == 48
        assert store.revision() == 48

    def test_a_write_is_there_after_reopening(self, opener: Opener, store: Loadable) -> None:
        revision = write(store, CI, ci("a"))
        assert store.durable_revision() == revision == 1
        store.close()
        again = opener()
        assert everything(again, CI) == [ci("a")]
        assert again.revision() == 1
        again.close()

    def test_a_closed_store_says_so(self, opener: Opener) -> None:
        store = opener()
        store.close()
        with pytest.raises(StoreUnavailable, match="closed"):
            store.read(lambda reading: reading.count(CI))
        with pytest.raises(StoreUnavailable, match="closed"):
            write(store, CI, ci("a"))
        store.close()

    # dump and load

    def test_a_dump_loads_into_the_same_store(self, store: Loadable, opener: Opener) -> None:
        fill(store)
        out = io.BytesIO()
        before = dump(store, out, tokens=True)
        with pytest.raises(Conflict, match="not empty"):
            load(store, out.getvalue().splitlines())
        contents = {table: everything(store, table) for table in DUMPED}
        self.empty(store)
        load(store, out.getvalue().splitlines())
        assert {table: everything(store, table) for table in DUMPED} == contents
        assert everything(store, SNAPSHOT) == []
        assert store.revision() == before.revision
        assert store.read(graph_digest) == before.digest

    def test_an_interrupted_load_is_marked(self, store: Loadable, opener: Opener) -> None:
        fill(store)
        out = io.BytesIO()
        dump(store, out)
        lines = out.getvalue().splitlines()
        self.empty(store)
        for broken in (lines[:-1], [*lines[: len(lines) // 2], b'{"table"'], [lines[0]]):
            with pytest.raises(Malformed, match=r"line \d+ is not JSON|incomplete"):
                load(store, broken)
            with pytest.raises(Conflict, match="unfinished load"):
                store.revision()
            with pytest.raises(Conflict, match="unfinished load"):
                write(store, CI, ci("z"))
        altered = [line.replace(b'"name of a"', b'"name of x"') for line in lines]
        with pytest.raises(Invalid, match="digest"):
            load(store, altered)
        again = opener()
        with pytest.raises(Conflict, match="unfinished load"):
            again.revision()
        load(again, lines)
        assert again.revision() == 3
        assert everything(again, TOKEN) == []
        again.close()

    def empty(self, store: Loadable) -> None:
        """Each engine empties its store in its own way."""
        raise NotImplementedError


def fill(store: Loadable) -> None:
    """A little of every table."""
    write(store, CI, ci("a", name="name of a", attributes={"b": [1, "x\x00"]}), ci("b"), ci("c", revision=2))
    write(store, RELATION, relation("a", "depends_on", "b", confidence=0.25), relation("b", "runs_on", "c"))

    def work(writing: Writing) -> None:
        for table in TABLES:
            if table is RELATION:
                continue
            blob = {name: bytes(range(200)) for name, kind in table.columns if kind == "blob"}
            rows = [
                row(table, **blob, **{table.key[0]: 5 if dict(table.columns)[table.key[0]] == "integer" else "five"})
            ]
            (writing.insert if table.kind in {"log", "history"} else writing.put)(table, rows)
        writing.put(TASK, [row(TASK, id=text, subject={"x": text}) for text in HOSTILE])
        writing.put(RECORD, [row(RECORD, id=str(n), attributes={"a": [n, 1, None]}) for n in range(6000)])

    store.write(work)


def write_some(opener: Opener, name: str, count: int) -> list[int]:
    """In another process."""
    store = opener()
    taken = [write(store, CI, ci(f"{name} {number}")) for number in range(count)]
    store.close()
    return taken
