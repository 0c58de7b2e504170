"""A file that proves something is read as it was written, and nothing that it promises is believed."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from cmdb_server.answers.proof_columns import NAMES, Columns
from cmdb_server.answers.proof_file import HEAD, IDS, pack, unpack
from cmdb_server.errors import Malformed

QUESTION = {"failed": ["3f2a0d6e-0000-4000-8000-00000000abcd"]}
WIDTH = {name: {"claim": 2, "held": 1, "cut": 0}[name.partition("_")[0]] for name in NAMES}
TOLD = Columns(
    7, np.asarray([0x3F2A0D6E00004000, 2**64 - 1], np.uint64), np.asarray([0x800000000000ABCD, 0], np.uint64),
    ("depends_on",), (("server", False), ("ä", True)),
    {name: np.arange(width, dtype=np.int64) % 1 for name, width in WIDTH.items()},
)  # fmt: skip
FILE = pack(QUESTION, TOLD)


def parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(FILE)) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(told: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in told.items():
            file.writestr(name, content)
    return out.getvalue()


def test_it_comes_back_as_it_was() -> None:
    question, found = unpack(FILE)
    assert question == QUESTION
    assert (found.revision, found.relations, found.overs) == (TOLD.revision, TOLD.relations, TOLD.overs)
    assert (found.high == TOLD.high).all() and (found.low == TOLD.low).all()
    assert all((found.told[name] == TOLD.told[name]).all() for name in NAMES)
    assert pack(QUESTION, TOLD) == FILE, "the same proof is the same file"
    assert parts()[IDS][:16].hex() == "3f2a0d6e00004000800000000000abcd", "as UUIDs are written"


def head(**more: object) -> bytes:
    return json.dumps(json.loads(parts()[HEAD]) | more).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"PK", b"PK\x03\x04" + b"x" * 100, FILE[:-30], FILE[:60] + b"\xff" * 40 + FILE[100:],
        zipped({}), zipped({HEAD: head()}), zipped({**parts(), "more": b""}), zipped({**parts(), HEAD: b"{"}),
        zipped({**parts(), HEAD: b"[]"}), zipped({**parts(), HEAD: head(format="other")}),
        zipped({**parts(), HEAD: head(version=2)}), zipped({**parts(), HEAD: head(revision="x")}),
        zipped({**parts(), HEAD: head(over=["x"])}), zipped({**parts(), HEAD: head(relations=5)}),
        zipped({**parts(), IDS: b"x" * 15}), zipped({**parts(), "claim_ci": b"x" * 7}),
        zipped({**parts(), "claim_ci": b"\x00" * 4}), zipped({**parts(), "claim_ci": b"\xff" * 8}),
        zipped({**parts(), IDS: b"\x00" * 50_000_000}),
    ],
)  # fmt: skip
def test_what_is_no_proof(content: bytes) -> None:
    with pytest.raises(Malformed):
        unpack(content)


def test_what_holds_more_than_is_read() -> None:
    with pytest.raises(Malformed, match="too much"):
        unpack(FILE, most=100)
