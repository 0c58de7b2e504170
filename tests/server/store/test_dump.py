from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from cmdb_server.errors import Conflict, Invalid, Malformed
from cmdb_server.store.dump import dump, load
from cmdb_server.store.port import Loadable
from cmdb_server.store.sqlite import SqliteStore
from cmdb_server.store.tables import SCHEMA_VERSION, TOKEN
from tests.store_rows import everything, fill, row, write


@pytest.fixture
def dumped(tmp_path: Path) -> list[bytes]:
    store = SqliteStore(tmp_path / "source.db")
    fill(store)
    write(store, TOKEN, row(TOKEN, id="t", hash="not-to-be-seen"))
    out = io.BytesIO()
    dump(store, out)
    store.close()
    return out.getvalue().splitlines()


@pytest.fixture
def target(tmp_path: Path) -> Loadable:
    return SqliteStore(tmp_path / "target.db")


def test_a_dump_is_lines_of_json_that_name_their_columns(dumped: list[bytes]) -> None:
    lines = [json.loads(line) for line in dumped]
    assert lines[0]["format"] == "cmdb-dump"
    assert lines[0]["schema"] == SCHEMA_VERSION
    assert lines[1]["table"] == "report"
    assert sum(lines[-1]["end"].values()) == sum(1 for line in lines if isinstance(line, list))


def test_tokens_stay_unless_asked_for(tmp_path: Path, dumped: list[bytes]) -> None:
    assert not any(b"not-to-be-seen" in line or b'"token"' in line for line in dumped)
    out = io.BytesIO()
    dump(SqliteStore(tmp_path / "source.db"), out, tokens=True)
    assert b"not-to-be-seen" in out.getvalue()


def test_a_loaded_store_goes_on_at_the_revision_of_the_dump(dumped: list[bytes], target: Loadable) -> None:
    load(target, dumped)
    assert target.revision() == 4
    assert write(target, TOKEN, row(TOKEN, id="t")) == 5


def header(**changes: object) -> bytes:
    plain = {
        "format": "cmdb-dump",
        "version": 1,
        "schema": SCHEMA_VERSION,
        "revision": 1,
        "digest": "",
        "tokens": False,
    }
    return json.dumps(plain | changes).encode()


@pytest.mark.parametrize(
    ("first", "error", "words"),
    [
        (b"", Malformed, "line 1 is not a dump's header"),
        (b"CREATE TABLE x;", Malformed, "line 1"),
        (b'{"format": "cmdb-dump"}', Malformed, "line 1"),
        (header(format="other"), Invalid, "other 1 is not cmdb-dump 1"),
        (header(version=2), Invalid, "cmdb-dump 2 is not cmdb-dump 1"),
        (header(schema=SCHEMA_VERSION + 1), Invalid, "the dump has schema"),
    ],
)
def test_what_is_no_dump_is_refused_before_anything_is_stored(
    target: Loadable, first: bytes, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        load(target, [first])
    assert target.revision() == 0


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b'["a"]'], "line 2: a row before any table"),
        ([b'{"table": "nonsense", "columns": []}'], "line 2: no table 'nonsense'"),
        ([b'{"table": "ci", "columns": ["id"]}'], "line 2: the columns of ci are others"),
        ([b'{"table": "thing", "columns": ["digest", "body"]}', b'["a"]'], "line 3"),
        ([b'{"table": "thing", "columns": ["digest", "body"]}', b'["a", "%%"]'], "line 3"),
        ([b'{"table": "thing", "columns": ["digest", "body"]}', b'["a", 5]'], "line 3"),
        ([b'{"table": "thing", "columns": ["digest", "body"]}', b"7"], "line 3"),
    ],
)
def test_a_broken_line_is_named_and_the_target_marked(target: Loadable, lines: list[bytes], words: str) -> None:
    with pytest.raises((Malformed, Invalid), match=words):
        load(target, [header(), *lines, b'{"end": {"thing": 1}}'])
    with pytest.raises(Conflict, match="unfinished load"):
        everything(target, TOKEN)


def test_a_target_that_holds_something_is_left_alone(dumped: list[bytes], target: Loadable) -> None:
    write(target, TOKEN, row(TOKEN, id="mine"))
    with pytest.raises(Conflict, match="not empty"):
        load(target, dumped)
    assert len(everything(target, TOKEN)) == 1
