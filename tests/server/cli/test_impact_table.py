from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from cmdb_server.cli.impact_table import impact_table

GATE = {"relation": "depends_on", "over": "server", "text": "0 of 1 serving, needs 1"}


def affected(name: str, state: str, gate: Any, cut_off: bool = False) -> dict[str, Any]:
    ci = {"id": name, "name": name, "class": "server"}
    return {"ci": ci, "state": state, "hops": 1, "path": [{"ci": ci, "gate": gate, "cut_off": cut_off}]}


def test_services_cis_and_what_holds_each_in_a_line() -> None:
    answer = {
        "services": [{"affected": affected("shop", "down", GATE), "criticality": "critical", "owner": "ann"}],
        "cis": [affected("far", "down", None, cut_off=True)],
        "redundancy_lost": [{"ci": {"id": "7", "name": None, "class": None}, "gate": GATE, "holding": []}],
        "more": {"services": 0, "second_path_lost": 2},
    }
    out = io.StringIO()
    Console(width=200, file=out).print(impact_table(answer))
    lines = [line.split() for line in out.getvalue().splitlines()]
    assert lines[1][:6] == ["down", "server", "shop", "critical", "ann", "1"]
    assert " ".join(lines[2]).endswith("no path to a gateway is left")
    assert lines[3][:2] == ["holds", "7"]
    assert " ".join(lines[4]) == "2 more second path lost not listed"
