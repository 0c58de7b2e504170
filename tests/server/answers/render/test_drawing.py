from __future__ import annotations

from cmdb_server.answers.render.drawing import MOST_ARROWS, MOST_NODES, Canvas, Node
from cmdb_server.answers.told import Named


def ci(number: int) -> Named:
    return Named(str(number), f"ci-{number}", "server")


def test_a_ci_is_drawn_once_and_keeps_its_first_state() -> None:
    canvas = Canvas("t")
    canvas.put(ci(1), "failed")
    canvas.put(ci(1), "down", "owner: ann")
    canvas.put(ci(1), "down", "owner: ann")
    assert canvas.done().nodes == {"1": Node(ci(1), "failed", ("owner: ann",))}


def test_states_are_told_in_words() -> None:
    assert Node(ci(1), "degraded", ("x",)).label == ("ci-1", "server", "◑ degraded", "x")
    assert Node(ci(1), "failed").label == ("ci-1", "server", "✖ fails itself")
    assert Node(ci(1), "plain").label == ("ci-1", "server")
    assert Node(Named("hidden-1", None, None), "down").label == ("hidden-1", "✖ down")


def test_beyond_the_bounds_is_counted() -> None:
    canvas = Canvas("t")
    for number in range(MOST_NODES + 3):
        canvas.put(ci(number), "plain")
    for number in range(MOST_ARROWS + 2):
        canvas.lead(ci(number % MOST_NODES), ci(0), str(number))
    canvas.lead(ci(MOST_NODES + 1), ci(0))
    drawing = canvas.done("5 services", "")
    assert (len(drawing.nodes), len(drawing.arrows)) == (MOST_NODES, MOST_ARROWS)
    assert drawing.left_out == ("5 services", "3 CIs", "2 arrows")
    assert drawing.every()["note"].label == ("Not drawn:", "5 services", "3 CIs", "2 arrows")


def test_one_arrow_is_drawn_once() -> None:
    canvas = Canvas("t")
    canvas.put(ci(1), "plain")
    canvas.put(ci(2), "plain")
    canvas.lead("1", ci(2), "a")
    canvas.lead(ci(1), "2", "a")
    drawing = canvas.done()
    assert len(drawing.arrows) == 1 and drawing.every() == drawing.nodes
