from __future__ import annotations

from cmdb_server.answers.render.report import (
    Report,
    Row,
    Section,
    arithmetic,
    asked_of,
    called,
    counted,
    left_out,
    marked,
    name,
    ranked,
    way,
    why,
)
from cmdb_server.answers.told import GateTold, Named, StepTold

SERVER, SECRET = Named("1", "web", "server"), Named("hidden-2", None, None)
GATE = GateTold("depends_on", "servers", {}, 3, 1, 0, 2, 2, 0, False, "2 of 3 serving, needs 2")


def test_cis_are_named_or_stand_hidden() -> None:
    assert (name(SERVER), called(SERVER)) == ("web", "server web")
    assert (name(SECRET), called(SECRET)) == ("hidden-2", "hidden-2")


def test_states_have_marks_of_their_own() -> None:
    told = [marked(state) for state in ("up", "degraded", "down")]
    assert len({one[0] for one in told}) == 3 and [one[2:] for one in told] == ["up", "degraded", "down"]
    assert marked("gone") == "gone"


def test_a_way_tells_why_at_each_step() -> None:
    steps = (StepTold(SERVER, "down", None), StepTold(SECRET, "down", GATE), StepTold(SERVER, "down", None, True))
    assert way(steps)[0] == "server web down (fails itself)"
    assert way(steps)[1] == f"hidden-2 down ({arithmetic(GATE)})"
    assert why(steps[2]) == "no path to a gateway is left"


def test_counts_and_times_are_told() -> None:
    assert counted({"a": 1, "c": 2, "b": 2}) == "2 b, 2 c, 1 a"
    assert (left_out(0, "x"), left_out(3, "CIs")) == ("", "3 more CIs not listed")
    assert asked_of(7) == (("Revision", "7"),)
    assert asked_of(7, 0) == (("As of", "1970-01-01T00:00:00.000Z"), ("Revision", "7"))
    assert (ranked(None), ranked(0)) == ("", "0")


def test_a_section_without_rows_is_told_only_if_something_is_left_out() -> None:
    empty, more, full = (Section("a", (), ()), Section("b", (), (), "more"), Section("c", (), (Row(()),)))
    assert Report("t", "v", (), (empty, more, full)).told() == (more, full)


def test_a_column_in_which_nothing_is_said_is_left_out() -> None:
    rows = (Row(("", "a", ()), "down"), Row(("", "", ("x", "y"))))
    (told,) = Report("t", "v", (), (Section("s", ("A", "B", "C"), rows),)).told()
    assert told.columns == ("B", "C")
    assert told.rows == (Row(("a", ()), "down"), Row(("", ("x", "y"))))
