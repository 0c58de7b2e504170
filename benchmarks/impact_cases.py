"""Documented behaviour of other systems, answered by our gates.

    python -m benchmarks.impact_cases --cases DIR

DIR holds JSON files of the format of each system, told by their content. A case that gates cannot state, and one that
cannot be read, is named with the reason. Exit code 1 when an answer differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from benchmarks.case_graph import Case, OutsideError, Verdict
from benchmarks.cases_icinga import bmc, icinga
from benchmarks.cases_opennms import opennms_function, opennms_hierarchy, opennms_map
from benchmarks.cases_service_desks import field_failure, glpi_graph, glpi_path, itop, servicenow
from benchmarks.missing import skipped
from cmdb_server.errors import CmdbError

FORMATS: tuple[tuple[str, Callable[[str, Case, Case], Verdict]], ...] = (
    ("operator", icinga), ("quorum_percent", bmc), ("function", opennms_function), ("impact_edges", itop),
    ("direction", glpi_path), ("kind", servicenow), ("issue", field_failure),
)  # fmt: skip
"""The field by which a case of each system is known."""
KNOWN = ("cases", "hierarchy_cases", "map_cases", "graph_cases")
UNREAD = "cannot be read"
BESIDE = Path(__file__).parents[1] / "../shared/cases"


def verdicts(name: str, document: Case) -> Iterator[Verdict]:
    """Every case of a file, whatever the file is called. None is left out: one that cannot be read says so."""
    for number, case in enumerate(document.get("cases", ())):
        run = next((run for key, run in FORMATS if key in case), _unknown)
        yield from _read(f"{name} {number}", case, lambda label, one, run=run: [run(label, one, document)])
    for case in document.get("hierarchy_cases", ()):
        yield from _read(f"{name} {case.get('name', '')}".strip(), case, opennms_hierarchy)
    for case in document.get("map_cases", ()):
        yield from _read(f"{name} map", case, lambda label, one: [opennms_map(label, one)])
    for key in ("graph_case", "graph_cases"):
        for case in [document[key]] if isinstance(document.get(key), dict) else document.get(key, ()):
            yield from _read(f"{name} graph", case, lambda label, one: [glpi_graph(label, one)])
    for key in document:
        if key.endswith("cases") and key not in KNOWN:
            yield Verdict(f"{name} {key}", outside=f"{UNREAD}: no format has {key}")


def _read(label: str, case: Case, run: Callable[[str, Case], Iterable[Verdict]]) -> Iterator[Verdict]:
    """The verdicts on a case. Fields that are not those of its format are named: they are no answer of ours."""
    try:
        yield from run(label, case)
    except OutsideError as outside:
        yield Verdict(label, outside=str(outside))
    except (KeyError, TypeError, ValueError, AttributeError, CmdbError) as error:
        yield Verdict(label, outside=f"{UNREAD}: {type(error).__name__} {error}")


def _unknown(label: str, case: Case, _: Case) -> Verdict:
    return Verdict(label, outside=f"{UNREAD}: no format has {', '.join(sorted(case))}")


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
