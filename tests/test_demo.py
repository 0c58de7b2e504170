"""The demo does what it promises, and the README shows what it printed: ``UPDATE_README=1`` writes it there anew."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TRANSCRIPT = re.compile(r"(?<=<!-- printed by make demo -->\n```\n).*?(?=```\n<!-- end -->)", re.DOTALL)


def demo(folder: Path, **settings: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**os.environ, "DEMO": str(folder), "ONCE": "1", "COLUMNS": "110", "TERM": "dumb", **settings},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    return demo(folder)


def answer(printed: str, name: str) -> str:
    """What was printed under the rule that begins ``If NAME fails``."""
    return re.split(r"^─+ ", printed.partition(f" If {name} fails")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_recorded_host_is_one_ci(printed: str) -> None:
    """Seven hosts and this machine; two switches."""
    counts = dict(re.findall(r"^(\w+) +(\d+) ", printed, re.MULTILINE))
    assert (counts["linux_server"], counts["switch"], counts["proxy"] >= "1") == ("8", "2", True)


def test_this_machine_shows_the_demos_own_server(printed: str) -> None:
    assert re.search(r"tcp:127\.0\.0\.1:\d+.* <- this demo's server", printed)


def test_figures_are_told_for_people(printed: str) -> None:
    assert re.search(r"memory: [\d.]+ [KMGT]iB\n", printed)


def test_a_redundant_pool_takes_one_failure(printed: str) -> None:
    web1 = answer(printed, "web1")
    assert "redundancy lost (depends_on farm: 1 of 2 serving, needs 1)" in web1
    assert "Web shop" not in web1


def test_what_nothing_replaces_takes_the_service_down_by_a_shown_path(printed: str) -> None:
    db1 = answer(printed, "db1")
    steps = [
        "db1 down",
        "postgresql:5432 down",
        "gunicorn:8000 down",
        "nginx:8080 down",
        "haproxy:80 down",
        "Web shop down",
    ]
    assert re.search(".*".join(map(re.escape, steps)), db1, re.DOTALL)
    assert "proxy haproxy:80 down depends_on farm: 0 of 2 serving, needs 1" in db1
    assert "Sales reports degraded" in db1


def test_data_are_fresh_unless_kept(printed: str, folder: Path) -> None:
    before = (folder / "admin.token").read_text()
    demo(folder, KEEP="1")
    assert (folder / "admin.token").read_text() == before
    demo(folder)
    assert (folder / "admin.token").read_text() != before


def test_a_folder_of_somebodys_own_loses_nothing_else(printed: str, folder: Path) -> None:
    (folder / "mine").write_text("mine")
    demo(folder)
    assert (folder / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("ignored", "ending"), [("", signal.SIGINT), ("", signal.SIGTERM), ("INT", signal.SIGTERM)], ids=str
)
def test_nothing_is_left_running(printed: str, folder: Path, ignored: str, ending: signal.Signals) -> None:
    """Also where a script has it in its background, and so has it ignore Ctrl-C. What it tells to try, works."""
    environment = {**os.environ, "DEMO": str(folder), "KEEP": "1", "ONCE": "", "TERM": "dumb"}
    signals = [f"--ignore-signal={ignored}"] if ignored else ["--default-signal=INT"]
    running = subprocess.Popen(
        ["env", *signals, sys.executable, "-m", "demo"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    told = next(line for line in running.stdout if line.startswith("try "))
    tried = subprocess.run(told.split()[1:], env={"PATH": "/usr/bin"}, check=True, capture_output=True, text=True)
    assert "Web shop down" in tried.stdout
    running.send_signal(ending)
    assert "KEEP=1" in running.communicate(timeout=60)[0]
    assert running.returncode == 0
    _assert_nobody_serves(folder)


def _assert_nobody_serves(folder: Path) -> None:
    for process in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = process.read_bytes()
        except OSError:
            continue
        assert f"CMDB_STORE=sqlite:///{folder}".encode() not in environment


def test_the_readme_shows_what_was_printed(printed: str) -> None:
    shown = "".join(f"If {name} fails{answer(printed, name)}\n" for name in ("web1", "db1"))
    shown = re.sub(r" ─+$|^revision \d+: |[ \t]+$", "", shown, flags=re.MULTILINE).rstrip() + "\n"
    readme = README.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_README"):
        README.write_text(TRANSCRIPT.sub(lambda _: shown, readme), encoding="utf-8")
    else:
        [held] = TRANSCRIPT.findall(readme)
        assert uncounted(held) == uncounted(shown), "write it anew: UPDATE_README=1 pytest tests/test_demo.py"


def uncounted(text: str) -> str:
    """Without totals, how many more of a class there are, and where lines break for them."""
    flowing = re.sub(r"[\s│]+", " ", text)
    return re.sub(r"\b\d+ (?=more |down|degraded|hold)", "N ", flowing)


def test_only_counts_may_differ_from_the_readme() -> None:
    held = TRANSCRIPT.findall(README.read_text(encoding="utf-8"))[0]
    assert uncounted(held.replace("7 down", "12 down")) == uncounted(held)
    assert uncounted(held.replace("1 of 2 serving", "0 of 2 serving")) != uncounted(held)
    assert uncounted(held.replace("redundancy lost", "down")) != uncounted(held)
