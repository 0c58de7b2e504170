"""A skipped test fails where nothing may be skipped, with its reason, and stays skipped elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPPING = {
    "marked": 'import pytest\n@pytest.mark.skip(reason="no lab here")\ndef test_x(): pass\n',
    "called": 'import pytest\ndef test_x(): pytest.skip("no lab here")\n',
    "fixture": 'import pytest\n@pytest.fixture\ndef f(): pytest.skip("no lab here")\ndef test_x(f): pass\n',
    "module": 'import pytest\npytest.skip("no lab here", allow_module_level=True)\ndef test_x(): pass\n',
}


def run(path: Path, no_skips: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.no_skips", "-p", "no:cacheprovider", "--rootdir", path.parent, path],
        env={**os.environ, "CMDB_NO_SKIPS": no_skips, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=path.parent,
        check=False,
        text=True,
        capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize("kind", SKIPPING)
def test_skips_fail_only_where_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "test_sample.py"
    path.write_text(SKIPPING[kind])
    strict = run(path, "1")
    assert strict.returncode != 0 and "no lab here" in strict.stdout
    assert run(path, "0").returncode in (0, 5)


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    path = tmp_path / "test_sample.py"
    path.write_text('import pytest\n@pytest.mark.xfail(reason="known")\ndef test_x(): assert False\n')
    assert run(path, "1").returncode == 0
