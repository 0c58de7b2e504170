"""Every benchmark can be run small, and none passes over what it lacks where nothing may be skipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.missing import skipped

ROOT = Path(__file__).parents[1]
BENCHMARKS = sorted(path for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_it_takes_a_scale(path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{path.stem}", "--help"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    assert "--scale" in told.stdout


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_what_is_missing_is_told_in_one_way(path: Path) -> None:
    assert "skipped:" not in path.read_text("utf-8"), "benchmarks.missing tells it, and when that is a failure"


@pytest.mark.parametrize(("setting", "code"), [("", 0), ("0", 0), ("1", 1)])
def test_what_is_missing_fails_only_where_told(
    setting: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CMDB_NO_SKIPS", setting)
    assert skipped("no estate") == code
    assert capsys.readouterr().out == "skipped: no estate\n"
