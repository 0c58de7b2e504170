"""Documented behaviour of other systems, answered by our gates.

    python -m benchmarks.impact_cases --cases DIR [--store sqlite --store neo4j]

DIR holds JSON files of the format of each system, told by their content. Every graph is written to the store and
answered from there: to SQLite, and to a Neo4j where one can be started (docs/neo4j.md). A case that gates cannot state,
and one that cannot be read, is named with the reason. Exit code 1 when an answer differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run as a file: what it needs lies beside its folder
    sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import case_stores
from benchmarks.case_graph import Case, OutsideError, Verdict
from benchmarks.case_reading import ABOUT, Told, read, unread
from benchmarks.cases_glpi import glpi_graph, glpi_path
from benchmarks.cases_icinga import bmc, icinga
from benchmarks.cases_itop import itop
from benchmarks.cases_opennms import opennms_function, opennms_hierarchy, opennms_map
from benchmarks.cases_servicenow import servicenow
from benchmarks.missing import skipped
from cmdb_server.errors import CmdbError
from tests import neo4j_server

Run = Callable[[str, Case], Iterable[Verdict]]


def field_failure(name: str, case: Case, _: Case) -> Verdict:
    """Told in words: tests/server/ingest/test_field_failures.py tells each as observations."""
    return Verdict(f"{name} {case['issue']}", outside="a question of presence and identity, not of impact")


FORMATS: tuple[tuple[str, Callable[[str, Case, Case], Verdict]], ...] = (
    ("operator", icinga), ("quorum_percent", bmc), ("function", opennms_function), ("impact_edges", itop),
    ("direction", glpi_path), ("kind", servicenow), ("issue", field_failure),
)  # fmt: skip
"""The field by which a case of each system is known."""
UNREAD = "cannot be read"
BESIDE = Path(__file__).parents[1] / "../shared/cases"


def verdicts(name: str, document: Any) -> Iterator[Verdict]:
    """Every case of a file, whatever the file is called. None is left out: one that cannot be read says so."""
    if not isinstance(document, dict):
        yield Verdict(name, outside=f"{UNREAD}: not an object with cases")
        return
    told = Told(document)
    found = [one for key, run in KINDS.items() for one in _several(name, key, told, run)]
    for key in sorted(set(told) - told.seen - ABOUT):
        if isinstance(document[key], dict | list):
            found.append(Verdict(f"{name} {key}", outside=f"{UNREAD}: no format has {key}"))
    yield from found or [Verdict(name, outside=f"{UNREAD}: it has no cases")]


def _several(
    name: str, key: str, document: Told, run: Callable[[str, Case, Case], Iterable[Verdict]]
) -> Iterator[Verdict]:
    told = document.get(key, [])
    cases = [told] if isinstance(told, dict) else told
    if not isinstance(cases, list):
        yield Verdict(f"{name} {key}", outside=f"{UNREAD}: {key} is not a list")
        return
    what = "" if key == "cases" else f" {key.removesuffix('s').removesuffix('_case')}"
    for number, case in enumerate(cases):
        label = f"{name}{what} {number}"
        if isinstance(case, dict):
            yield from _read(label, case, lambda label, one: run(label, one, document))
        else:
            yield Verdict(label, outside=f"{UNREAD}: not an object")


def _case(label: str, case: Case, document: Case) -> Iterable[Verdict]:
    run = next((run for key, run in FORMATS if key in case), _unknown)
    return [run(label, case, document)]


KINDS: dict[str, Callable[[str, Case, Case], Iterable[Verdict]]] = {
    "cases": _case,
    "hierarchy_cases": lambda label, case, _: opennms_hierarchy(f"{label} {case.get('name', '')}".strip(), case),
    "map_cases": lambda label, case, _: [opennms_map(label, case)],
    "graph_case": lambda label, case, _: [glpi_graph(label, case)],
    "graph_cases": lambda label, case, _: [glpi_graph(label, case)],
}
"""The lists of cases that a file can have."""
NAMING = ("id", "name", "operator", "function", "input", "kind", "a", "b", "direction")
"""The fields by which a case is known to its readers."""
FAULTS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, CmdbError)


def _read(label: str, told: Case, run: Run) -> Iterator[Verdict]:
    """The verdicts on a case. Fields that are not those of its format are named: they are no answer of ours."""
    found: list[Verdict] = []
    left: tuple[str, ...] = ()
    named = " ".join([label, *(told[key] for key in NAMING if isinstance(told.get(key), str))])
    try:
        case = read(told)
        found.extend(run(label, case))
        left = tuple(dict.fromkeys(unread(case)))
        if not found:
            found.append(Verdict(named, outside=f"{UNREAD}: nothing is expected of it"))
    except OutsideError as outside:
        found.append(Verdict(named, outside=str(outside)))
    except KeyError as error:
        found.append(Verdict(named, outside=f"{UNREAD}: it has no {error.args[0]}"))
    except FAULTS as error:
        found.append(Verdict(named, outside=f"{UNREAD}: {type(error).__name__} {error}"))
    except AssertionError as error:
        found.append(Verdict(named, "a certificate that holds", str(error)))
    yield from (one if one.outside else replace(one, unread=left) for one in found)


def _unknown(label: str, case: Case, _: Case) -> Verdict:
    return Verdict(label, outside=f"{UNREAD}: no format has {', '.join(sorted(case)) or 'no field at all'}")


def folder(cases: Path) -> list[Verdict]:
    """All cases of all files."""
    found: list[Verdict] = []
    for file in sorted(cases.glob("*.json")):
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            found.append(Verdict(file.stem, outside=f"{UNREAD}: {error}"))
        else:
            found += verdicts(file.stem, document)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=Path, default=BESIDE, metavar="DIR")
    parser.add_argument("--store", action="append", choices=STORES, help="by default both, Neo4j where it can be had")
    parser.add_argument("--scale", help="taken as by the other benchmarks; cases have one size")
    asked = parser.parse_args()
    if asked.cases == BESIDE and not asked.cases.is_dir():
        return skipped(f"there are no published cases in {asked.cases}")
    if not any(asked.cases.glob("*.json")):
        parser.error(f"{asked.cases} holds no JSON file")
    return max(_on(store, asked) for store in asked.store or STORES)


STORES = {"sqlite": case_stores.sqlite, "neo4j": case_stores.neo4j}


def _on(name: str, asked: argparse.Namespace) -> int:
    """Print what holds on one store. The exit code."""
    if name == "neo4j" and (reason := neo4j_server.missing()):
        return skipped(f"on neo4j: {reason}") or int(bool(asked.store))
    with STORES[name]() as store:
        found = case_stores.from_store(store, lambda: folder(asked.cases))
    for verdict in found:
        if not verdict.agrees:
            print(f"DIFFERS {verdict.case}: expected {verdict.expected}, got {verdict.got}")
        if verdict.unread:
            print(f"of {verdict.case} not read: {', '.join(verdict.unread)}")
    stated = [verdict for verdict in found if verdict.outside is None]
    print(f"{len(stated)} cases stated, {sum(verdict.agrees for verdict in stated)} agree (on {name})")
    if name == (asked.store or list(STORES))[0]:
        print("not stated:")
        for verdict in found:
            if verdict.outside is not None:
                print(f"  {verdict.case}: {verdict.outside}")
    return 0 if stated and all(verdict.agrees for verdict in stated) else 1


if __name__ == "__main__":
    sys.exit(main())
