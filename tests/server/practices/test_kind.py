"""Which transitions lead on from a state, with a body."""

from __future__ import annotations

import pytest

from cmdb_server.practices.kind import Kind, Transition

FAST = Transition("close", ("open",), "closed", ("operator",), when={"size": ("s",)})
SLOW = Transition("close", ("open", "held"), "checked", ("approver",), when={"size": ("m", "l")})
HOLD = Transition("hold", ("open",), "held", ("operator",))
KIND = Kind(
    "risk", "Risk", "RSK", {}, {}, "open", frozenset({"closed"}), ("open", "closed"), (FAST, SLOW, HOLD), ("operator",),
    ("operator",), frozenset({"open"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "state", "body", "found"),
    [
        ("close", "open", {"size": "s"}, FAST),
        ("close", "open", {"size": "l"}, SLOW),
        ("close", "held", {"size": "s"}, None),
        ("close", "open", {}, None),
        ("hold", "open", {}, HOLD),
        ("hold", "closed", {}, None),
        ("fly", "open", {}, None),
    ],
)
def test_the_one_that_leads_on(name: str, state: str, body: dict[str, str], found: Transition | None) -> None:
    assert KIND.transition(name, state, body) is found


def test_what_is_possible_is_told_once_each() -> None:
    assert KIND.possible("open", {"size": "m"}) == ("close", "hold")
    assert KIND.possible("open", {}) == ("hold",) and KIND.possible("closed", {}) == ()
