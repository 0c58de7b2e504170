"""What is mine, what is theirs and what is both, against the definitions."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.analysis.context import in_context
from cmdb_server.projection.columns import Longs
from tests.wired import wired_worlds
from tests.worlds import World, evaluate, name_id, worlds


@st.composite
def questions(draw: st.DrawFn) -> tuple[World, set[int], dict[str, set[int]]]:
    world = draw(st.one_of(worlds(25), wired_worlds(20)))
    sets = st.sets(st.integers(0, world.size - 1), min_size=1, max_size=2)
    return world, draw(sets), draw(st.dictionaries(st.sampled_from("abcd"), sets, max_size=4))


@settings(max_examples=150, deadline=None)
@given(questions())
def test_the_four_sets_are_as_defined(question: tuple[World, set[int], dict[str, set[int]]]) -> None:
    world, mine, also = question
    projection = world.projection()
    number = {ci: projection.ci(name_id(str(ci))) for ci in range(world.size)}

    def back(cis: Longs) -> set[int]:
        return {int(projection.names[ci]) for ci in cis.tolist()}

    told = in_context(
        projection, [number[ci] for ci in mine], {name: [number[ci] for ci in cis] for name, cis in also.items()}
    )
    theirs = set().union(*also.values())
    f_mine, f_also, f_joint = (evaluate(world, failed).down() for failed in (mine, theirs, mine | theirs))
    assert back(told.already) == f_also
    assert back(told.alone) == f_mine - f_also
    assert back(told.anyway) == f_mine & f_also
    assert back(told.together) == f_joint - f_mine - f_also
    assert bool(told.meeting_points) == bool(len(told.together))
    for point in told.meeting_points:
        ci = int(projection.names[point.ci])
        singles = {name for name, cis in also.items() if ci in evaluate(world, mine | cis).down()}
        if not point.minimal_group:
            assert set(point.with_) == singles
        else:
            assert not singles
            group = set(point.with_)
            assert ci in evaluate(world, mine.union(*(also[name] for name in group))).down()
            for name in group:
                less = mine.union(*(also[other] for other in group - {name}))
                assert ci not in evaluate(world, less).down()


def test_two_changes_on_one_pool_meet_there() -> None:
    pool = tuple((3, "depends_on", ci, "pool", None) for ci in range(3))
    world = World(5, (*pool, (4, "depends_on", 3, None, None)), {3: {"depends_on/pool": {"kind": "at_least", "k": 1}}})
    projection = world.projection()
    number = [projection.ci(name_id(str(ci))) for ci in range(5)]
    told = in_context(projection, [number[0]], {"CHG1": [number[1]], "CHG2": [number[2]]})
    assert set(told.together.tolist()) == {number[3], number[4]}
    (point,) = told.meeting_points
    assert (point.ci, point.with_, point.minimal_group) == (number[3], ("CHG1", "CHG2"), True)
    told = in_context(projection, [number[0], number[1]], {"CHG2": [number[2]], "CHG3": [number[4]]})
    assert [point.with_ for point in told.meeting_points] == [("CHG2",)]
