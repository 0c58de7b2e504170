"""What every store must do when it is written."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb_server.errors import Conflict, Invalid
from cmdb_server.store.port import Loadable, Row, Writing
from cmdb_server.store.tables import (
    CI,
    CLAIM,
    DECISION,
    FACT,
    IDENTIFIER,
    MEMBERSHIP,
    RELATION,
    REPORT,
    TASK,
    THING,
    TOKEN,
    Table,
)
from tests.store_rows import (
    HOSTILE,
    ci,
    everything,
    fact,
    relation,
    row,
    uid,
    write,
)


class WritingContract:
    """Part of ``StoreContract``, which has the fixtures."""

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
