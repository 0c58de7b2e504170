"""What the documentation tells people to type is typed here, and what it names exists."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
BLOCK = re.compile(r"^```sh([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#]+)")


def blocks(page: Path, *, runnable: bool) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for info, text in found if ("runnable" in info) == runnable]


def environment(home: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CMDB_")}
    return {**inherited, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, runnable=True)], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_commands_run_as_they_stand(page: Path, tmp_path: Path) -> None:
    script = "set -euo pipefail\nset -x\n" + "\n".join(blocks(page, runnable=True))
    log = tmp_path / ".output"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(300)
        finally:
            # Servers that the page started in the background end with their session.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    assert code == 0, log.read_text(encoding="utf-8", errors="replace")[-8000:]


def commands() -> list[tuple[str, str]]:
    """(page, line) of every command of the product that any page shows."""
    return [
        (page.relative_to(ROOT).as_posix(), line.strip())
        for page in PAGES
        for text in (*blocks(page, runnable=False), *blocks(page, runnable=True))
        for line in text.splitlines()
        if re.match(r"\s*(cmdb|cmdb-agent|make) ", line)
    ]


@pytest.mark.parametrize(("page", "line"), commands())
def test_commands_that_are_shown_exist(page: str, line: str) -> None:
    program, *words = line.split("#")[0].split()
    if program == "make":
        target = next(word for word in words if "=" not in word)
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        return
    chosen = []
    for word in words:
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        chosen.append(word)
    program_path = Path(sys.executable).with_name(program)
    for count in range(len(chosen), 0, -1):
        done = subprocess.run([program_path, *chosen[:count], "--help"], check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return
    assert not chosen, f"{page}: {line}: {program} has no {chosen[0]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link
