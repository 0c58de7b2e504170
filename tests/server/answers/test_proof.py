"""A proof that is written down holds, and none holds that was tampered with or is of another graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.answers import proof as proofs
from cmdb_server.answers.proof import Claim, Held, Proof, Question, proof, verdict
from cmdb_server.answers.what_if import Edit
from cmdb_server.errors import Invalid, NotFound
from cmdb_server.store.sqlite import SqliteStore
from tests.shop import VIEWER, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    store = SqliteStore(tmp_path / "cmdb.db")
    yield Shop(store)
    store.close()


def proved(shop: Shop, *names: str, **more: object) -> tuple[Question, Proof]:
    asked = Question([shop.ids[name] for name in names], **more)  # type: ignore[arg-type]
    return asked, proof(shop.projections, VIEWER, asked)


def problems(shop: Shop, asked: Question, told: Proof) -> str:
    found = verdict(shop.projections, VIEWER, asked, told)
    assert found.holds is not bool(found.problems)
    return "; ".join(found.problems)


def test_the_answer_with_all_that_it_rests_on(shop: Shop) -> None:
    asked, found = proved(shop, "web1")
    assert [(one.state, one.rank, one.why, one.gate) for one in found.claims] == [("down", 0, "itself", None)]
    [held] = found.held
    assert (held.gate.consumer, held.gate.relation, held.gate.over, held.lost) == (
        shop.ids["lb"], "load_balances", "server", 1,
    )  # fmt: skip
    assert problems(shop, asked, found) == ""
    asked, found = proved(shop, "db-host")
    ranks = {one.ci: one.rank for one in found.claims}
    assert [ranks[shop.ids[name]] for name in ("db-host", "db", "app", "shop")] == [0, 1, 2, 3]
    assert problems(shop, asked, found) == ""


def test_a_change_of_any_claim_is_found_out(shop: Shop) -> None:
    asked, found = proved(shop, "db-host", "web1")
    for place, one in enumerate(found.claims):
        rest = (*found.claims[:place], *found.claims[place + 1 :])
        assert problems(shop, asked, replace(found, claims=rest)), f"without {one}"
        softer = (*rest, replace(one, state="degraded"))
        assert problems(shop, asked, replace(found, claims=softer)), f"softer {one}"
        if one.gate is not None:
            itself = (*rest, replace(one, why="itself", gate=None))
            assert problems(shop, asked, replace(found, claims=itself)), f"itself {one}"
            late = (*rest, replace(one, rank=0))
            assert problems(shop, asked, replace(found, claims=late)), f"at once {one}"
    assert problems(shop, asked, replace(found, held=()))
    assert problems(shop, asked, replace(found, held=(Held(found.held[0].gate, 2),)))
    more = Claim(shop.ids["rack"], "down", 4, "gate", found.claims[-1].gate)
    assert problems(shop, asked, replace(found, claims=(*found.claims, more)))


def test_what_is_not_there_is_told(shop: Shop) -> None:
    asked, found = proved(shop, "db-host")
    nobody = "00000000-0000-4000-8000-000000000000"
    strange = replace(found.claims[-1], ci=nobody)
    assert f"there is no CI {nobody}" in problems(shop, asked, replace(found, claims=(*found.claims[:-1], strange)))
    gate = found.claims[-1].gate
    assert gate is not None
    other = replace(found.claims[-1], gate=replace(gate, over="moon"))
    assert "over moon" in problems(shop, asked, replace(found, claims=(*found.claims[:-1], other)))
    bare = replace(found.claims[-1], gate=None)
    assert "names no gate" in problems(shop, asked, replace(found, claims=(*found.claims[:-1], bare)))
    with pytest.raises(NotFound):
        proof(shop.projections, VIEWER, Question([nobody]))
    with pytest.raises(Invalid):
        proof(shop.projections, VIEWER, Question([]))


def test_of_a_question_otherwise_it_does_not_hold(shop: Shop) -> None:
    asked, found = proved(shop, "web1")
    assert problems(shop, replace(asked, failed=[shop.ids["web2"]]), found)
    assert problems(shop, replace(asked, not_impacted=[shop.ids["lb"]]), found)
    both = Edit("gate", ci=shop.ids["lb"], gate={"kind": "at_least", "k": 2})
    assert problems(shop, replace(asked, edits=[both]), found)
    supposed = replace(asked, edits=[both])
    assert problems(shop, supposed, proof(shop.projections, VIEWER, supposed)) == ""


def test_when_the_graph_moved_it_may_hold_no_more(shop: Shop) -> None:
    asked, found = proved(shop, "web1")
    before = shop.at
    shop.enter("elsewhere", "server")
    assert problems(shop, asked, found) == "", "what changed elsewhere is no matter"
    shop.at += 1000
    shop.need_both()
    assert shop.ids["lb"] in problems(shop, asked, found), "told by its id"
    assert problems(shop, replace(asked, at=before, known_at=before), found) == ""


def test_one_that_is_too_long_is_not_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "MOST", 3)
    with pytest.raises(Invalid, match="rows"):
        proved(shop, "db-host")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_of_the_shop(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    store = SqliteStore(tmp_path_factory.mktemp("shop") / "cmdb.db")
    shop = Shop(store)
    names = data.draw(st.lists(st.sampled_from(sorted(shop.ids)), min_size=1, max_size=4, unique=True))
    spared = data.draw(st.lists(st.sampled_from(sorted(set(shop.ids) - set(names))), max_size=2, unique=True))
    asked, found = proved(shop, *names, not_impacted=[shop.ids[name] for name in spared])
    assert problems(shop, asked, found) == ""
    store.close()
