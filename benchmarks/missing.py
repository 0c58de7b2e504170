"""What a benchmark cannot have here."""

from __future__ import annotations

import os


def skipped(reason: str) -> int:
    """Say what is missing. The exit code: 1 where nothing may be skipped (``CMDB_NO_SKIPS=1``)."""
    print(f"skipped: {reason}")
    return int(os.environ.get("CMDB_NO_SKIPS") == "1")
