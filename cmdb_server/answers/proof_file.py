"""A proof as a file: a zip of what was asked, as JSON, and of the columns, each as whole numbers of four bytes.

``proof.json`` holds the format's version, the question, the revision and the names; ``ids`` the CIs, 16 bytes each, in
the order of bytes in which UUIDs are written; each column, called as in ``NAMES``, is little-endian. A file is anybody's:
no number in it is trusted before what it promises is there.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any

import numpy as np

from cmdb_server.answers.proof_columns import NAMES, Columns
from cmdb_server.errors import Malformed

FORMAT, VERSION = "cmdb-proof", 1
HEAD, IDS = "proof.json", "ids"
LARGEST = 1 << 30
"""Bytes of all that is in it; some fifteen million rows."""
FACTOR = 100
"""Ids do not compress: what expands more than so is no proof."""
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The same proof is the same file."""


def pack(question: dict[str, Any], told: Columns) -> bytes:
    """The file of a question, as JSON has it, and of what proves its answer."""
    head = {
        "format": FORMAT, "version": VERSION, "question": question, "revision": told.revision,
        "relations": told.relations, "over": [{"name": name, "grouped": grouped} for name, grouped in told.overs],
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:

        def add(name: str, content: bytes) -> None:
            file.writestr(zipfile.ZipInfo(name, _WHEN), content, zipfile.ZIP_DEFLATED, 1)

        add(HEAD, json.dumps(head).encode())
        add(IDS, np.stack([told.high, told.low], axis=1).astype(">u8").tobytes())
        for name in NAMES:
            add(name, told.told[name].astype("<i4").tobytes())
    return out.getvalue()


def unpack(content: bytes, most: int = LARGEST) -> tuple[Any, Columns]:
    """(the question, the columns). Raises Malformed for what is no such file, or holds more than ``most`` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            parts = {one.filename: one for one in file.infolist()}
            size = sum(one.file_size for one in parts.values())
            if set(parts) != {HEAD, IDS, *NAMES} or size > min(most, FACTOR * len(content)):
                raise Malformed("the file holds no proof, or too much")
            read = {name: _read(file, one) for name, one in parts.items()}
        return _told(read)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Malformed(f"the file is no zip that is read: {error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Malformed(f"{HEAD}, or a column, is not as a proof has it: {error}") from None


def _read(file: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes:
    """No more of it than it says to hold."""
    with file.open(one) as part:
        found = part.read(one.file_size)
        if part.read(1):
            raise Malformed(f"{one.filename} holds more than it says")
    return found


def _told(read: dict[str, bytes]) -> tuple[Any, Columns]:
    head = json.loads(read[HEAD])
    if (head["format"], head["version"]) != (FORMAT, VERSION):
        raise Malformed(f"version {head['version']!r} of {head['format']!r} is not read")
    ids = np.frombuffer(read[IDS], ">u8").astype(np.uint64).reshape(-1, 2)
    overs = tuple((str(one["name"]), one["grouped"] is True) for one in head["over"])
    columns = Columns(
        int(head["revision"]), ids[:, 0].copy(), ids[:, 1].copy(), tuple(map(str, head["relations"])), overs,
        {name: np.frombuffer(read[name], "<i4").astype(np.int64) for name in NAMES},
    )  # fmt: skip
    if faults := columns.faults():
        raise Malformed("; ".join(faults))
    return head["question"], columns
