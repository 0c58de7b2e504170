"""What rights cost: the same questions by who sees everything and by who sees every other host.

    python -m benchmarks.rights [--cis 20000] [--scale 0.01]

Each question is asked by both in turn. ``first``: when the graph has just moved, so that who fits is found out anew;
``then``: medians of the questions after it. Ratios to who sees everything, who pays nothing for rights.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.estate_reports import HOSTS_A_REPORT, PER_HOST, reports
from cmdb_schemas.ci_class import classes
from cmdb_server.answers.export import Selection, export
from cmdb_server.answers.impact import impact
from cmdb_server.answers.inventory import Filters, list_cis, search, show
from cmdb_server.answers.seen import as_seen
from cmdb_server.answers.sight import Sights
from cmdb_server.answers.timeline import timeline
from cmdb_server.answers.viewer import Viewer
from cmdb_server.ingest.caller import Caller
from cmdb_server.ingest.declare import create
from cmdb_server.ingest.pipeline import ingest
from cmdb_server.projection.projections import Projections
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START

HOUR = 3_600_000
NOW = START + HOUR
ROUNDS = 5
SEES = 'name.matches("[02468][.]example")'
Question = Callable[[Viewer], Any]


def questions(store: SqliteStore, projections: Projections) -> dict[str, Question]:
    """Each by its name; of the first host that both see."""
    kinds = classes()
    host = (
        list_cis(store, Viewer("", "", kinds), Filters(class_="server", name="host0.example.net"), now_ms=NOW)
        .items[0]
        .id
    )
    return {
        "one CI": lambda who: show(store, who, host, now_ms=NOW),
        "a page of 1000": lambda who: list_cis(store, who, Filters(), limit=1000, now_ms=NOW),
        "a search": lambda who: search(store, who, "host-1", projections=projections, now_ms=NOW),
        "a timeline": lambda who: timeline(as_seen(store, who), host),
        "impact of a host": lambda who: impact(projections, who, [host]),
        "everything as JSON lines": lambda who: sum(map(len, export(Selection(store, who, None, NOW), "jsonl"))),
    }


def timed(question: Question, who: Viewer) -> float:
    begun = time.perf_counter()
    question(who)
    return time.perf_counter() - begun


def measured(store: SqliteStore, projections: Projections) -> list[tuple[str, float, float, float]]:
    """(question, seconds of who sees everything, the ratio when the graph has just moved, the ratio then)."""
    everybody = Viewer("all", "reader", classes())
    part = replace(everybody, sight=Sights(projections, classes()).of(SEES))
    found = []
    for number, (name, question) in enumerate(questions(store, projections).items()):
        question(everybody), question(part)
        create(store, "bench", "server", {"name": f"moved-{number}"}, now_ms=NOW)
        projections.current()
        whole = [timed(question, everybody)]
        first = timed(question, part)
        again = []
        for _ in range(ROUNDS):
            whole.append(timed(question, everybody))
            again.append(timed(question, part))
        usual = statistics.median(whole)
        found.append((name, usual, first / usual, statistics.median(again) / usual))
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--cis", type=int, default=20_000)
    options.add_argument("--scale", type=float, default=1.0)
    told = options.parse_args()
    cis = max(HOSTS_A_REPORT * PER_HOST, int(told.cis * told.scale))
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "cmdb.db")
        for body in reports(cis):
            ingest(store, body, Caller("bench", "admin"), NOW)
        projections = Projections(store, clock=lambda: NOW)
        print(f"{cis} CIs; one sees {SEES}")
        print(f"{'question':<26}{'all, ms':>10}{'first':>8}{'then':>8}")
        for name, usual, first, again in measured(store, projections):
            print(f"{name:<26}{usual * 1000:>10.1f}{first:>8.1f}{again:>8.1f}")
        store.close()


if __name__ == "__main__":
    main()
