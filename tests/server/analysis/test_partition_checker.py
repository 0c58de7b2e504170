"""Claims of partitioned dependencies that are not the engine's are rejected."""

import random
from dataclasses import replace

import numpy as np
import pytest

from cmdb_server.analysis.certificate import Certificate
from cmdb_server.analysis.checker import check
from cmdb_server.analysis.impact import impact
from cmdb_server.projection.projection import Projection
from tests.wired import wired_world


def partitioned(wanted: int) -> list[tuple[Projection, Certificate]]:
    """Answers of random worlds in which some dependency is cut, and the checker's verdict matters for it."""
    found: list[tuple[Projection, Certificate]] = []
    for seed in range(5000):
        world = wired_world(seed, random.Random(seed).randrange(6, 26))
        projection = world.projection()
        for ci in range(world.size):
            claim = impact(projection, [ci]).certificate()
            if len(claim.cut_gate):
                found.append((projection, claim))
        if len(found) >= wanted and any(between_the_standing(*answer) for answer in found):
            return found
    raise AssertionError("no world is partitioned")


def between_the_standing(projection: Projection, claim: Certificate) -> list[int]:
    """The partitions of which neither end is down in the end: where one is, nothing may hang on them any more."""
    down = set(claim.ci[claim.state == 2].tolist())
    pairs = zip(projection.gates.consumer[claim.cut_gate].tolist(), claim.cut_provider.tolist(), strict=True)
    return [row for row, pair in enumerate(pairs) if not down.intersection(pair)]


@pytest.fixture(scope="module")
def answers() -> list[tuple[Projection, Certificate]]:
    return partitioned(40)


def test_accepts_the_engine_s(answers: list[tuple[Projection, Certificate]]) -> None:
    assert [check(*answer) for answer in answers] == [[]] * len(answers)


@pytest.mark.parametrize("names", [("cut_gate",), ("cut_provider",), ("cut_rank",), ("cut_gate", "cut_provider")])
def test_rejects_columns_of_other_length(answers: list[tuple[Projection, Certificate]], names: tuple[str, ...]) -> None:
    projection, claim = answers[0]
    assert check(projection, replace(claim, **{name: np.append(getattr(claim, name), 0) for name in names})) != []


def test_rejects_a_partition_left_out_twice_told_too_early_or_of_another_member(
    answers: list[tuple[Projection, Certificate]],
) -> None:
    names, matters = ("cut_gate", "cut_provider", "cut_rank"), 0
    for projection, claim in answers:
        for row in between_the_standing(projection, claim):
            matters += 1
            left_out = {name: np.delete(getattr(claim, name), row) for name in names}
            assert check(projection, replace(claim, **left_out)) != []
        twice = {name: np.append(getattr(claim, name), getattr(claim, name)[:1]) for name in names}
        assert check(projection, replace(claim, **twice)) != []
        assert check(projection, replace(claim, cut_rank=np.zeros_like(claim.cut_rank))) != []
        assert check(projection, replace(claim, excluded=np.append(claim.excluded, claim.cut_provider[:1]))) != []
        others = np.setdiff1d(np.arange(len(projection)), projection.members_of(int(claim.cut_gate[0])))
        other = np.append(others[:1], claim.cut_provider[1:])
        assert check(projection, replace(claim, cut_provider=other)) != []
    assert matters


def test_rejects_a_partition_of_ends_in_touch(answers: list[tuple[Projection, Certificate]]) -> None:
    tried = 0
    for projection, claim in answers:
        cut = set(zip(claim.cut_gate.tolist(), claim.cut_provider.tolist(), strict=True))
        for gate in range(len(projection.gates)):
            for provider in projection.members_of(gate).tolist():
                if (gate, provider) not in cut and projection.relation_type(gate) != "depends_on":
                    more = {"cut_gate": gate, "cut_provider": provider, "cut_rank": 9}
                    added = {name: np.append(getattr(claim, name), value) for name, value in more.items()}
                    assert check(projection, replace(claim, **added)) != []
                    tried += 1
    assert tried > 100
