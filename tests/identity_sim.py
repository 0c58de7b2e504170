"""The simulated estate of ``../shared/identity-sim``, where it is there: an estate with its truth, and its judge."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "../shared/identity-sim"
MISSING = None if (FOLDER / "estate.py").exists() else f"needs {FOLDER.name}/estate.py beside the repository"


def estate(seed: int, hosts: int, days: int, out: Path) -> Path:
    """Simulate an estate into ``out``: observations.jsonl and truth.jsonl."""
    options = {"--seed": seed, "--hosts": hosts, "--days": days, "--out": out}
    words = [str(word) for option in options.items() for word in option]
    subprocess.run([sys.executable, str(FOLDER / "estate.py"), *words], check=True, capture_output=True)
    return out


def score(predictions: Path) -> dict[str, Any]:
    """What the judge says of predictions that lie beside their truth."""
    words = [sys.executable, str(FOLDER / "score.py"), str(predictions)]
    found: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return found
