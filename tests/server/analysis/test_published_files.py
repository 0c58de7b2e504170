"""Folders of published cases: what is broken in them is named, by file and case, and what is sound is still answered."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks import impact_cases
from benchmarks.impact_cases import folder, verdicts
from cmdb_server.errors import Invalid
from cmdb_server.store.sqlite import SqliteStore
from tests.published_cases import FORMATS, answered

SOUND = {"operator": "OR", "children": ["OK", "CRITICAL"], "expected": "OK"}
WRONG = {**SOUND, "expected": "CRITICAL"}


def told(tmp_path: Path, **files: Any) -> Path:
    for name, document in files.items():
        text = document if isinstance(document, str) else json.dumps(document)
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, cases: Path, *options: str) -> int:
    monkeypatch.setattr(sys, "argv", ["impact_cases", "--cases", str(cases), "--store", "sqlite", *options])
    return impact_cases.main()


@pytest.mark.parametrize(
    ("document", "case", "reason"),
    [
        ("{", "bad", "cannot be read: Expecting"), ("[]", "bad", "not an object"), ("null", "bad", "not an object"),
        ('"é', "bad", "cannot be read"), ({"cases": 7}, "bad cases", "cases is not a list"),
        ({"cases": ["x"]}, "bad 0", "not an object"), ({"cases": [{}]}, "bad 0", "no field at all"),
        ({"cases": [{"operator": "OR", "expected": "OK"}]}, "bad 0 OR", "it has no children"),
        ({"cases": [{**SOUND, "children": 7}]}, "bad 0 OR", "TypeError"),
        ({"cases": [{**SOUND, "children": [{"state": "OK"}]}]}, "bad 0 OR", "it has no operator"),
        ({"cases": [{**SOUND, "expected": None}]}, "bad 0 OR", "None is no status"),
        ({"cases": [{**SOUND, "operator": "MIN"}]}, "bad 0 MIN", "is not described"),
        ({"cases": [{"quorum_percent": "half", "providers": [], "expected": None}]}, "bad 0", "ValueError"),
        ({"cases": [{"quorum_percent": 0, "providers": ["OK"], "expected": "OK"}]}, "bad 0", "a quorum of 0 %"),
        ({"cases": [{"quorum_percent": 101, "providers": ["OK"], "expected": "OK"}]}, "bad 0", "a quorum of 101 %"),
        ({"cases": [{"function": "threshold", "inputs": ["MAJOR"], "expected": "MAJOR"}]}, "bad 0 threshold", "ValueError"),
        ({"cases": [{"function": "highest_severity", "inputs": ["MAJOR"], "weights": [1.5], "expected": "MAJOR"}]},
         "bad 0 highest_severity", "a weight of 1.5"),
        ({"cases": [{"function": "highest_severity", "inputs": ["MAJOR"], "weights": [1, 2], "expected": "MAJOR"}]},
         "bad 0 highest_severity", "ValueError"),
        ({"cases": [{"function": "highest_severity_above", "inputs": ["MAJOR"], "expected": "MAJOR"}]},
         "bad 0 highest_severity_above", "None is no severity"),
        ({"map_cases": [{"function": "increase", "input": "LOUD", "expected": "MAJOR"}]}, "bad map 0 increase LOUD", "no severity"),
        ({"hierarchy_cases": [{"name": "x", "services": {}, "steps": []}]}, "bad hierarchy 0 x", "nothing is expected"),
        ({"hierarchy_cases": [{"name": "x", "services": {}}]}, "bad hierarchy 0 x", "it has no steps"),
        ({"graph_case": {"edges": [], "start": "a"}}, "bad graph 0", "nothing is expected"),
        ({"graph_case": {"edges": [], "expected_nodes": 1}}, "bad graph 0", "it has no start"),
        ({"edges": [], "cases": [{"a": "A", "b": "B", "direction": "up", "expected_path": []}]}, "bad 0 A B up", "direction up"),
        ({"edges": {"sideways": []}, "cases": [{"a": "A", "b": "B", "direction": "forward", "expected_path": []}]},
         "bad 0 A B forward", "sideways"),
        ({"cases": [{"impact_edges": [], "sources": [], "expected_newly_impacted": [],
                     "redundancy": [{"node": "a", "from_class": "b", "min_up_type": "dozen"}]}]}, "bad 0", "dozen"),
        ({"cases": [{"kind": "cluster_influence", "members": 3, "influence_percent": 0, "members_needed": 0}]},
         "bad 0 cluster_influence", "an influence of 0"),
        ({"cases": [{"kind": "static_reconciliation", "rules": [], "expected": {"balloon.name": []}}]},
         "bad 0 static_reconciliation", "balloon is no class"),
        ({}, "bad", "it has no cases"), ({"cases": [], "note": "none"}, "bad", "it has no cases"),
        ({"cases": [{"function": "exponential", "parameter": 1.234, "inputs": ["MAJOR"], "expected": "MAJOR"}]},
         "bad 0 exponential", "more than a relation can have"),
        ({"cases": [{"kind": "cluster_influence", "members": 10**9, "influence_number": 1, "members_needed": 1}]},
         "bad 0 cluster_influence", "is not tried"),
        ({"more": [{"a": 1}]}, "bad more", "no format has more"), ({"odd_cases": []}, "bad odd_cases", "no format has odd_cases"),
    ],
)  # fmt: skip
def test_what_is_broken_is_named_and_the_others_are_answered(
    tmp_path: Path, document: Any, case: str, reason: str
) -> None:
    found = folder(told(tmp_path, bad=document, good={"cases": [SOUND]}))
    (broken,) = [one for one in found if one.outside is not None]
    assert broken.case.startswith(case)
    assert reason in (broken.outside or "")
    assert [one.agrees for one in found if one.outside is None] == [True]


ODD: tuple[Any, ...] = (
    None,
    0,
    -1,
    2.5,
    True,
    "",
    "x",
    [],
    {},
    [[]],
    ["a"],
    {"a": 1},
    float("nan"),
    float("inf"),
    10**30,
    "\ud800",
    "\0",
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


def test_whatever_stands_anywhere_in_a_file_the_run_goes_on(tmp_path: Path) -> None:
    """A field of a drawn file is left out, or is something else; everything is still stored, and told of."""
    random = Random(7)
    documents = dict[str, Any]()
    for number in range(300):
        name, (key, draw) = random.choice(sorted(FORMATS.items()))
        document: Any = {key: [draw(random)], "note": "drawn"}
        *path, last = random.choice(list(places(document)))
        within = reduce(lambda part, step: part[step], path, document)
        if random.random() < 0.3:
            del within[last]
        else:
            within[last] = random.choice(ODD)
        documents[f"{name} {number}"] = document
    store = SqliteStore(tmp_path / "cmdb.db")
    found = answered(store, documents)
    store.close()
    assert all(any(one.case.startswith(name) for one in found) for name in documents)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe\x00")
    (found,) = folder(tmp_path)
    assert "cannot be read" in (found.outside or "")


def test_deep_nesting_is_named(tmp_path: Path) -> None:
    deep = '{"cases": [' + '{"operator": "OR", "expected": "OK", "children": [' * 400 + '"OK"' + "]}" * 400 + "]}"
    assert len(folder(told(tmp_path, deep=deep))) == 1
    (found,) = folder(told(tmp_path, deep="[" * 100_000))
    assert "cannot be read" in (found.outside or "")


def test_before_a_case_breaks_off_its_answers_count() -> None:
    services = {"a": {"reduce": "highest_severity", "edges": ["x"]}}
    steps = [{"alarm": "x", "severity": "MAJOR", "expected": {"a": "MINOR"}}, {"alarm": "x"}]
    wrong, broken = verdicts("made", {"hierarchy_cases": [{"name": "x", "services": services, "steps": steps}]})
    assert (wrong.agrees, broken.outside) == (False, "cannot be read: it has no severity")


def test_what_of_a_case_was_not_read_is_told() -> None:
    (found,) = verdicts("made", {"cases": [{**SOUND, "overrides": {"a": "OK"}, "note": "of no matter"}]})
    assert found.agrees
    assert found.unread == ("overrides",)


def test_an_answer_whose_certificate_fails_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.case_graph.check", lambda *_: ["a claim that does not follow"])
    (found,) = verdicts("made", {"cases": [{**SOUND, "children": ["CRITICAL"], "expected": "CRITICAL"}]})
    assert not found.agrees
    assert "does not follow" in str(found.got)


def test_what_the_product_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise Invalid("no such gate")

    monkeypatch.setattr("benchmarks.case_graph.impact", refuse)
    (found,) = verdicts("made", {"cases": [SOUND]})
    assert "no such gate" in (found.outside or "")


def test_exit_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, told(tmp_path, good={"cases": [SOUND]}, bad="{")) == 0
    assert "1 cases stated, 1 agree (on sqlite)\nnot stated:\n  bad: cannot be read" in capsys.readouterr().out
    assert run(monkeypatch, told(tmp_path, wrong={"cases": [SOUND, {**WRONG, "extra": 1}]})) == 1
    out = capsys.readouterr().out
    assert (
        "DIFFERS wrong 1 OR OK CRITICAL: expected CRITICAL, got OK\nof wrong 1 OR OK CRITICAL not read: extra\n" in out
    )
    with pytest.raises(SystemExit):
        run(monkeypatch, tmp_path / "missing")
    assert "holds no JSON file" in capsys.readouterr().err


def test_nothing_that_can_be_stated_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, told(tmp_path, bad={"cases": [{"planet": "Mars"}]})) == 1


def test_a_store_that_cannot_be_had_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.impact_cases.neo4j_server.missing", lambda: "no Neo4j")
    monkeypatch.delenv("CMDB_NO_SKIPS", raising=False)
    monkeypatch.setattr(sys, "argv", ["impact_cases", "--cases", str(told(tmp_path, good={"cases": [SOUND]}))])
    assert impact_cases.main() == 0
    assert "1 agree (on sqlite)" in (out := capsys.readouterr().out)
    assert "skipped: on neo4j: no Neo4j" in out
    assert run(monkeypatch, tmp_path, "--store", "neo4j") == 1
