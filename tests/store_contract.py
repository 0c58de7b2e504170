"""What every store must do. Each engine's tests inherit ``StoreContract`` and say how to open an empty store."""

from __future__ import annotations

import io
import multiprocessing
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from cmdb_server.errors import Conflict, Invalid, Malformed, StoreUnavailable
from cmdb_server.store.digest import graph_digest
from cmdb_server.store.dump import DUMPED, dump, load
from cmdb_server.store.port import Loadable, Writing
from cmdb_server.store.tables import (
    CI,
    FACT,
    SNAPSHOT,
    TOKEN,
)
from tests.store_contract_reading import ReadingContract
from tests.store_contract_writing import WritingContract
from tests.store_rows import (
    Opener,
    ci,
    everything,
    fact,
    fill,
    uid,
    write,
    write_some,
)


class StoreContract(ReadingContract, WritingContract):
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
