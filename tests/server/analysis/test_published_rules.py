"""Cases drawn at random in every published format: the runner agrees with the manuals' rules on both stores."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from benchmarks.case_graph import Verdict
from benchmarks.impact_cases import verdicts
from cmdb_server.store.port import Store
from cmdb_server.store.sqlite import SqliteStore
from tests import published_rules as rules
from tests.published_cases import FORMATS, answered, drawn, icinga

EACH = 25


def agree(found: list[Verdict], each: int) -> None:
    assert [one for one in found if not one.agrees] == []
    assert [one for one in found if one.unread] == []
    assert [one for one in found if one.outside and "cannot be read" in one.outside] == []
    for name in FORMATS:
        stated = [one for one in found if one.case.startswith(name) and one.outside is None]
        assert len(stated) >= each // 2, f"{name}: of {each} cases only {len(stated)} are stated"


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def test_drawn_cases_have_the_answer_of_the_manuals(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    store: Store = request.getfixturevalue("neo4j_opener")() if engine == "neo4j" else SqliteStore(tmp_path / "cmdb.db")
    agree(answered(store, drawn(1, EACH)), EACH)
    store.close()


def test_icinga_states_all_that_is_monotone() -> None:
    for number in range(300):
        case = icinga(Random(number))
        (found,) = verdicts("drawn", {"cases": [case]})
        assert (found.outside is None) is (rules.icinga(case) is not None), (case, found)
