"""Documented behaviour of other systems, answered by our gates.

    python -m benchmarks.impact_cases --cases DIR

DIR holds JSON files of the format of each system, told by their content. A case that gates cannot state is named with
the reason. Exit code 1 when an answer differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.case_graph import Case, Verdict
from benchmarks.cases_icinga import bmc, icinga
from benchmarks.cases_opennms import opennms_function, opennms_hierarchy
from benchmarks.cases_service_desks import field_failure, glpi_graph, glpi_path, itop, servicenow
from benchmarks.missing import skipped

BESIDE = Path(__file__).parents[1] / "../shared/cases"


def verdicts(name: str, document: Case) -> Iterator[Verdict]:
    """Every case of a file, whatever the file is called."""
    for key, run in (
        ("operator", icinga), ("quorum_percent", bmc), ("function", opennms_function), ("impact_edges", itop),
        ("direction", glpi_path), ("kind", servicenow), ("issue", field_failure),
    ):  # fmt: skip
        for number, case in enumerate(document.get("cases", ())):
            if key in case:
                yield run(f"{name} {number}", case, document)
    for case in document.get("hierarchy_cases", ()):
        yield from opennms_hierarchy(f"{name} {case['name']}", case)
    for case in document.get("map_cases", ()):
        reason = "renames one severity: a table, with no providers to count (used inside of hierarchies)"
        yield Verdict(f"{name} map {case['function']} {case['input']}", outside=reason)
    if "graph_case" in document:
        yield glpi_graph(f"{name} graph", document["graph_case"])


def folder(cases: Path) -> list[Verdict]:
    """All cases of all files."""
    found: list[Verdict] = []
    for file in sorted(cases.glob("*.json")):
        found += verdicts(file.stem, json.loads(file.read_text(encoding="utf-8")))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=Path, default=BESIDE, metavar="DIR")
    parser.add_argument("--scale", help="taken as by the other benchmarks; cases have one size")
    cases = parser.parse_args().cases
    if cases == BESIDE and not cases.is_dir():
        return skipped(f"there are no published cases in {cases}")
    found = folder(cases)
    for verdict in found:
        if not verdict.agrees:
            print(f"DIFFERS {verdict.case}: expected {verdict.expected}, got {verdict.got}")
    stated = [verdict for verdict in found if verdict.outside is None]
    print(f"{len(stated)} cases stated, {sum(verdict.agrees for verdict in stated)} agree")
    print("not stated:")
    for verdict in found:
        if verdict.outside is not None:
            print(f"  {verdict.case}: {verdict.outside}")
    return 0 if stated and all(verdict.agrees for verdict in stated) else 1


if __name__ == "__main__":
    sys.exit(main())
