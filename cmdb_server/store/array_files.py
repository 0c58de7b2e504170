"""Folders of arrays in files, which processes map into memory: written whole or not at all, checked before they are used.

A folder is named by the digest of its manifest, ``manifest.json``, which holds a checksum of every array. So who knows
the name knows what is in it: a file that was cut off, altered or mixed up is told from the one that was written. Arrays
are plain ``.npy`` files, never pickled; those that grow have spare places at their end, which take no room on disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import secrets
import shutil
import time
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]
FORMAT = 1
MANIFEST = "manifest.json"
LOCK = "lock"
WRITING = ".writing-"
ABANDONED_S = 3600
"""After so long nobody still writes a folder, or is about to name it."""


class DamagedError(Exception):
    """What is there is not what was written; the message names the file."""


class _Described(msgspec.Struct, frozen=True, array_like=True):
    """Of an array: ``kind`` as numpy names it, rows that are ``used``, places that there are, CRC of what is used."""

    kind: str
    used: int
    places: int
    crc: int


class _Manifest(msgspec.Struct, frozen=True):
    """``once``: random, so that no two folders have one name."""

    format: int
    once: str
    told: Any
    arrays: dict[str, _Described]


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """One array in a file that stays open, so that it can be mapped after it was removed. ``used``: its rows."""

    file: BinaryIO
    kind: np.dtype[Any]
    used: int
    places: int
    offset: int

    def __del__(self) -> None:
        self.file.close()

    def mapped(self) -> Column:
        """All places, writable where some are spare: what is written is private to this mapping."""
        access = mmap.ACCESS_COPY if self.places > self.used else mmap.ACCESS_READ
        return np.frombuffer(
            mmap.mmap(self.file.fileno(), 0, access=access), self.kind, count=self.places, offset=self.offset
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder's arrays by name, and what was ``told`` with them: plain JSON."""

    told: Any
    arrays: Mapping[str, ArrayFile]


def write(folder: Path, told: Any, arrays: Mapping[str, Column], spare: Mapping[str, int]) -> str:
    """Keep ``arrays``, of one dimension each, in a new folder below ``folder``; ``spare``: how many places more than rows
    some have. Its name. What is named is durable. Raises ``OSError``."""
    made = folder / (WRITING + secrets.token_hex(8))
    made.mkdir(mode=0o700)
    try:
        described = {name: _write(made / f"{name}.npy", one, spare.get(name, 0)) for name, one in arrays.items()}
        manifest = msgspec.json.encode(_Manifest(FORMAT, secrets.token_hex(16), told, described))
        with (made / MANIFEST).open("xb") as file:
            file.write(manifest)
            _durable(file)
        name = _name(manifest)
        _synchronise(made)
        made.rename(folder / name)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    _synchronise(folder)
    return name


def opened(folder: Path, name: str) -> Opened:
    """The arrays of the folder ``name``. Raises ``FileNotFoundError`` where there is none, ``DamagedError``."""
    path = folder / name / MANIFEST
    written = path.read_bytes()
    if _name(written) != name:
        raise DamagedError(f"{path} is not what was written")
    try:
        manifest = msgspec.json.decode(written, type=_Manifest)
    except msgspec.MsgspecError as error:
        raise DamagedError(f"{path}: {error}") from error
    if manifest.format != FORMAT:
        raise DamagedError(f"{path} has format {manifest.format}, not {FORMAT}")
    return Opened(
        manifest.told, {key: _open(folder / name / f"{key}.npy", one) for key, one in manifest.arrays.items()}
    )


def remove(folder: Path, name: str) -> None:
    """Take a folder away; those who have it mapped keep it."""
    shutil.rmtree(folder / name, ignore_errors=True)


def there(folder: Path) -> set[str]:
    """The names of all complete folders."""
    with suppress(OSError):
        return {path.parent.name for path in folder.glob(f"*/{MANIFEST}") if not path.parent.name.startswith(WRITING)}
    return set()


def sweep(folder: Path, keep: Collection[str]) -> None:
    """Take away what nobody finished or named."""
    for path in folder.iterdir():
        with suppress(OSError):
            if path.is_dir() and path.name not in keep and time.time() - path.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)


@dataclass(slots=True)
class Turn:
    """The right to write below a folder, which one process has at a time, and loses when it ends."""

    _file: BinaryIO | None = field(default=None, repr=False)

    @classmethod
    def of(cls, folder: Path, patience_s: float) -> Turn | None:
        """Wait for it so long; None when others still have it. Raises ``OSError`` for a folder that cannot be used."""
        folder.mkdir(mode=0o700, exist_ok=True)
        file = (folder / LOCK).open("ab")
        deadline = time.monotonic() + patience_s
        for _ in _moments(deadline):
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return cls(file)
        file.close()
        return None

    def end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _moments(deadline: float) -> Iterator[None]:
    yield
    while time.monotonic() < deadline:
        time.sleep(0.02)
        yield


def _write(path: Path, column: Column, spare: int) -> _Described:
    places = len(column) + spare
    header = {"descr": np.lib.format.dtype_to_descr(column.dtype), "fortran_order": False, "shape": (places,)}
    used = np.ascontiguousarray(column).view(np.uint8)
    with path.open("xb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        end = file.tell() + places * column.dtype.itemsize
        file.write(used.data)
        file.truncate(end)
        _durable(file)
    return _Described(column.dtype.str, len(column), places, zlib.crc32(used.data))


def _open(path: Path, described: _Described) -> ArrayFile:
    try:
        found = _checked(path, described)
    except (OSError, ValueError, EOFError) as error:
        raise DamagedError(f"{path}: {error}") from error
    if found is None:
        raise DamagedError(f"{path} is not what was written")
    return found


def _checked(path: Path, described: _Described) -> ArrayFile | None:
    file = path.open("rb")
    kind = np.dtype(described.kind)
    np.lib.format.read_magic(file)
    shape, _, found = np.lib.format.read_array_header_1_0(file)
    one = ArrayFile(file, kind, described.used, described.places, file.tell())
    size = one.offset + one.places * kind.itemsize
    if (shape, found) != ((described.places,), kind) or os.fstat(file.fileno()).st_size != size:
        return None
    return one if zlib.crc32(one.mapped()[: one.used].view(np.uint8).data) == described.crc else None


def _name(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()


def _durable(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _synchronise(folder: Path) -> None:
    """Make the names in it durable."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
