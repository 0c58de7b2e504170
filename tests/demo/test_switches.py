"""The switches' tables in the repository are those that their maker makes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from demo import switches
from demo.recording import FOLDER


def test_the_tables_are_the_made_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["switches", str(tmp_path)])
    switches.main()
    for name in ("sw1.snmprec", "sw2.snmprec"):
        assert (tmp_path / name).read_text() == (FOLDER / name).read_text(), (
            f"make {name} anew: python -m demo.switches"
        )


def test_every_recorded_host_hangs_on_one_port() -> None:
    hosts = sorted(path.stem for path in FOLDER.glob("*.txt"))
    assert sorted(switches.ONE.hosts + switches.TWO.hosts) == hosts
