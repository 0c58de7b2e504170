"""A proof as columns holds and fails as the same in words does, however it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.answers import proof as proofs
from cmdb_server.answers.proof import Question, in_columns, proof, proof_in_columns, verdict
from cmdb_server.answers.proof_columns import NAMES, Columns
from cmdb_server.errors import Forbidden
from cmdb_server.ingest.decisions import decide
from cmdb_server.ingest.declare import create
from cmdb_server.projection.projections import Projections
from cmdb_server.store.sqlite import SqliteStore
from tests.factories import START
from tests.shop import VIEWER, Shop, seeing


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def proved(shop: Shop, *names: str, **more: object) -> tuple[Question, Columns]:
    asked = Question([shop.ids[name] for name in names], **more)  # type: ignore[arg-type]
    return asked, proof_in_columns(shop.projections, VIEWER, asked)


def problems(shop: Shop, asked: Question, told: Columns) -> str:
    return "; ".join(verdict(shop.projections, VIEWER, asked, told).problems)


def changed(told: Columns, name: str, row: int, value: int) -> Columns:
    column = told.told[name].copy()
    column[row] = value
    return replace(told, told={**told.told, name: column})


def test_the_same_as_in_words(shop: Shop) -> None:
    asked, found = proved(shop, "db-host", "web1")
    told = in_columns(proof(shop.projections, VIEWER, asked))
    assert problems(shop, asked, found) == problems(shop, asked, told) == ""
    assert sorted(zip(found.high.tolist(), found.low.tolist(), strict=True)) == sorted(
        zip(told.high.tolist(), told.low.tolist(), strict=True)
    )
    assert set(found.overs) == set(told.overs) and set(found.relations) == set(told.relations)
    assert all(len(found.told[name]) == len(told.told[name]) for name in NAMES)


def test_of_any_size(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "MOST", 3)
    asked, found = proved(shop, "db-host")
    assert len(found.told["claim_ci"]) > 3 and problems(shop, asked, found) == ""


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_number_can_be_changed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    store = SqliteStore(tmp_path_factory.mktemp("shop") / "cmdb.db")
    shop = Shop(store)
    asked, found = proved(shop, *data.draw(st.sampled_from((("db-host", "web1"), ("web1",), ("web1", "rack")))))
    name = data.draw(st.sampled_from([name for name in NAMES if len(found.told[name])]))
    row = data.draw(st.integers(0, len(found.told[name]) - 1))
    value = data.draw(st.integers(-3, len(found.high) + 2).filter(lambda value: value != found.told[name][row]))
    other = changed(found, name, row, value)
    later = name in ("claim_rank", "cut_rank") and value > found.told[name][row]
    unused = name == "claim_over" and found.told["claim_relation"][row] < 0
    if not other.faults() and not later and not unused:  # a later rank may prove as much
        assert problems(shop, asked, other), (name, row, value)
    store.close()


def test_what_is_not_there_is_told_and_not_endlessly(shop: Shop) -> None:
    asked, found = proved(shop, "db-host")
    nobody = replace(found, high=np.zeros_like(found.high))
    assert "there is no CI 00000000-0000-0000-" in problems(shop, asked, nobody)
    renamed = replace(found, overs=tuple(("moon", grouped) for _, grouped in found.overs))
    assert "over moon" in problems(shop, asked, renamed)
    grouped = replace(found, overs=tuple((name, not grouped) for name, grouped in found.overs))
    assert "has no gate" in problems(shop, asked, grouped)
    row = int(np.flatnonzero(found.told["claim_relation"] >= 0)[0])
    assert "names no gate" in problems(shop, asked, changed(found, "claim_over", row, -1))
    many = replace(found, high=np.arange(20_000, dtype=np.uint64), low=np.arange(20_000, dtype=np.uint64))
    assert "and 19900 more" in problems(shop, asked, many)


def test_a_ci_that_was_merged_is_found_by_its_old_id(shop: Shop) -> None:
    asked, found = proved(shop, "rack")
    shop.enter("rack-2", "rack")
    old = {shop.ids["rack"], shop.ids["rack-2"]}
    decide(shop.store, "ann", "merge", {"sides": [[id_] for id_ in sorted(old)]}, "the same", shop.at)
    assert problems(shop, asked, found) == ""


def test_faults_are_named() -> None:
    empty = {name: np.empty(0, np.int64) for name in NAMES}
    none = np.empty(0, np.uint64)
    told = Columns(1, none, none, (), (), empty)
    assert told.faults() == []
    short = replace(told, told={**empty, "held_lost": np.asarray([1])})
    assert short.faults() == ["the columns of held differ in length"]
    stray = replace(told, told={**empty, **{name: np.asarray([7]) for name in NAMES if name.startswith("cut_")}})
    assert "cut_provider names what is not there" in stray.faults()
    assert replace(told, relations=("x",) * 10_001).faults() == ["more than 10000 relation types"]


def test_on_a_graph_without_any_gate(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "cmdb.db")
    alone = create(store, "ann", "server", {"name": "alone"}, now_ms=START).ci
    projections, asked = Projections(store), Question([alone])
    found = proof_in_columns(projections, VIEWER, asked)
    assert found.told["claim_relation"].tolist() == [-1]
    assert verdict(projections, VIEWER, asked, found).holds
    store.close()


def test_who_sees_a_part_gets_none(shop: Shop) -> None:
    with pytest.raises(Forbidden, match="who sees everything"):
        proof_in_columns(shop.projections, seeing(shop.projections, 'class == "server"'), Question([shop.ids["web1"]]))
