"""Files printed by a real shell and read back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cmdb_agent.file_dump import LONGEST_FILE, collect, dump, parse
from cmdb_agent.observation import ConfigFile


@pytest.mark.skipif(shutil.which("awk") is None, reason="awk is not installed")
def test_files_come_back_without_comments_and_secrets(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("# comment\n\nhost = db1\n  ; more\npassword = hunter2secret\n@/etc/forged\n|x\n")
    (tmp_path / "b.conf").write_text("x\n" * (LONGEST_FILE + 5))
    (tmp_path / "empty.conf").write_text("")
    (tmp_path / "folder.conf").mkdir()
    text = f"set --\n{collect([f'{tmp_path}/*.conf', f'{tmp_path}/missing'])}{dump()}"
    done = subprocess.run(["sh"], input=text, text=True, capture_output=True, check=True)
    first, second = parse(done.stdout)
    assert first == ConfigFile(f"{tmp_path}/a.conf", "host = db1\npassword = ***\n@/etc/forged\n|x")
    assert second.text.count("x") == LONGEST_FILE


def test_nothing_is_nothing() -> None:
    assert list(parse("")) == []
    assert list(parse("|line without a file\n")) == []
