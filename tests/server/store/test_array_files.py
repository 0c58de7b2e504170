"""What was written is what is opened, or nothing is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cmdb_server.store import array_files
from cmdb_server.store.array_files import DamagedError, Turn

ARRAYS = {
    "numbers": np.arange(5000, dtype=np.int32),
    "words": np.asarray([2**63, 7], np.uint64),
    "marks": np.asarray([True, False, True]),
    "nothing": np.empty(0, np.int64),
    "none_yet": np.empty(0, np.int32),
}


def written(folder: Path) -> str:
    return array_files.write(folder, {"of": "tests"}, ARRAYS, {"numbers": 100, "none_yet": 3})


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    found = array_files.opened(tmp_path, written(tmp_path))
    assert found.told == {"of": "tests"}
    for name, expected in ARRAYS.items():
        one = found.arrays[name].mapped()
        assert one.dtype == expected.dtype
        assert one[: found.arrays[name].used].tolist() == expected.tolist()
    assert len(found.arrays["numbers"].mapped()) == 5100
    assert np.load(tmp_path / written(tmp_path) / "words.npy").tolist() == [2**63, 7]


def test_what_is_written_to_a_mapping_is_seen_there_alone(tmp_path: Path) -> None:
    found = array_files.opened(tmp_path, written(tmp_path)).arrays
    one, other = found["numbers"].mapped(), found["numbers"].mapped()
    one[5000:5100] = 9
    assert not other[5000:5100].any()
    with pytest.raises(ValueError, match="read-only"):
        found["words"].mapped()[0] = 1


def test_what_is_mapped_survives_its_removal(tmp_path: Path) -> None:
    name = written(tmp_path)
    one = array_files.opened(tmp_path, name).arrays["numbers"]
    array_files.remove(tmp_path, name)
    assert array_files.there(tmp_path) == set()
    assert one.mapped()[4999] == 4999
    with pytest.raises(FileNotFoundError):
        array_files.opened(tmp_path, name)


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    """One bit in the middle of what is used."""
    written = bytearray(path.read_bytes())
    written[min(len(written) - 1, 1000)] ^= 4
    path.write_bytes(written)


@pytest.mark.parametrize("harm", [cut, empty, flip, Path.unlink], ids=["cut", "empty", "flipped", "gone"])
@pytest.mark.parametrize("part", ["numbers.npy", "words.npy", "manifest.json"])
def test_damage_is_noticed_and_named(tmp_path: Path, part: str, harm: Callable[[Path], None]) -> None:
    name = written(tmp_path)
    harm(tmp_path / name / part)
    with pytest.raises((DamagedError, FileNotFoundError), match=part):
        array_files.opened(tmp_path, name)


def test_a_file_of_another_array_is_noticed(tmp_path: Path) -> None:
    name = written(tmp_path)
    (tmp_path / name / "marks.npy").replace(tmp_path / name / "words.npy")
    with pytest.raises(DamagedError, match=r"words\.npy"):
        array_files.opened(tmp_path, name)


def test_an_object_is_never_read(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="references"):
        array_files.write(tmp_path, None, {"objects": np.asarray([object()])}, {})
    assert array_files.there(tmp_path) == set() and list(tmp_path.iterdir()) == []


def test_what_nobody_finished_is_swept_away_once_it_is_old(tmp_path: Path) -> None:
    kept, other = written(tmp_path), array_files.write(tmp_path, None, {}, {})
    half = tmp_path / f"{array_files.WRITING}half"
    half.mkdir()
    (half / "manifest.json").touch()
    array_files.sweep(tmp_path, {kept})
    assert array_files.there(tmp_path) == {kept, other}
    for path in (half, tmp_path / other, tmp_path / kept):
        os.utime(path, (0, 0))
    array_files.sweep(tmp_path, {kept})
    assert {path.name for path in tmp_path.iterdir()} == {kept}


def test_one_has_the_turn_at_a_time(tmp_path: Path) -> None:
    first = Turn.of(tmp_path / "made", 0)
    assert first is not None
    assert Turn.of(tmp_path / "made", 0.05) is None
    first.end()
    second = Turn.of(tmp_path / "made", 0)
    assert second is not None
    second.end()
    with pytest.raises(OSError, match="absent"):
        Turn.of(tmp_path / "absent" / "made", 0)


def test_a_folder_is_its_owners_alone(tmp_path: Path) -> None:
    turn = Turn.of(tmp_path / "made", 0)
    assert turn is not None
    turn.end()
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0
