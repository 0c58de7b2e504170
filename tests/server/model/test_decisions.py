from __future__ import annotations

from itertools import permutations

from cmdb_server.model.decisions import Decision, distrusted, in_force, pins

PIN_OLD = Decision("p1", "pin", 1, (("a",),), attribute="name", pinned="old")
PIN_NEW = Decision("p2", "pin", 2, (("b",),), attribute="name", pinned="new")
DOUBT = Decision("d1", "distrust", 3, value=("serial", "CZ1"))


def test_newest_first_without_what_was_undone_whatever_the_order() -> None:
    for order in permutations([PIN_OLD, PIN_NEW, DOUBT]):
        assert in_force(order) == (DOUBT, PIN_NEW, PIN_OLD)
        assert in_force(order, ["p2"]) == (DOUBT, PIN_OLD)
    assert distrusted([DOUBT, PIN_OLD]) == {("serial", "CZ1")}


def test_the_newest_pin_on_any_of_the_records_holds() -> None:
    assert pins([PIN_OLD, PIN_NEW], frozenset("ab"))["name"].pinned == "new"
    assert pins([PIN_OLD, PIN_NEW], frozenset("a"))["name"].pinned == "old"
    assert not pins([PIN_OLD, PIN_NEW], frozenset("c"))
