"""In which words somebody is told what a change did not leave as expected."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cmdb_server.answers.changes.shortfall import LISTED, shortfall
from cmdb_server.answers.changes.verification import Outcome
from cmdb_server.answers.diff import Difference
from cmdb_server.answers.told import plain
from cmdb_server.practices.expected import expectations
from tests.booked_shop import BookedShop


def verification(expected: list[dict[str, Any]], stray: list[Difference], result: str = "missing") -> dict[str, Any]:
    outcomes = [asdict(Outcome(one, result)) for one in expectations(expected)]
    return {"result": plain({"outcomes": outcomes, "unplanned": [asdict(one) for one in stray], "more": 3})}


def test_what_is_missing_is_called_by_its_names(shop: BookedShop) -> None:
    app, db = shop.ids["app"], shop.ids["db"]
    told = verification(
        [
            {"edit": "set", "ci": app, "attribute": "os_version", "value": "12"}, {"edit": "remove", "ci": db},
            {"edit": "set", "ci": app, "attribute": "owned_by"}, {"edit": "create", "class": "server", "name": "new"},
            {"edit": "unrelate", "from": app, "relation": "depends_on", "to": db},
        ],
        [],
    )  # fmt: skip
    found = shop.store.read(lambda tx: shortfall(tx, told, [app]))
    assert found.rows == tuple(
        ("missing", what)
        for what in (
            "app os_version: 12", "db removed", "app owned_by", "server new created", "unrelate app depends_on db"
        )
    )  # fmt: skip
    assert found.more == 3


def test_of_what_was_not_planned_no_other_end_is_named(shop: BookedShop) -> None:
    app, db = shop.ids["app"], shop.ids["db"]
    stray = [
        Difference("ci", "changed", (app,), "server", "app", {"b": (1, 2), "a": (None, "x")}),
        Difference("relation", "created", (app, "depends_on", db), "depends_on", "", {}),
    ]
    found = shop.store.read(lambda tx: shortfall(tx, verification([], stray), [app]))
    assert found.rows == (
        ("not planned", "app changed: a from None to x, b from 1 to 2"),
        ("not planned", "app depends_on created"),
    )


def test_what_came_as_expected_is_not_told_and_much_is_counted(shop: BookedShop) -> None:
    app = shop.ids["app"]
    expected = [{"edit": "set", "ci": app, "attribute": "os_version"}]
    stray = [Difference("ci", "created", (str(place),), "server", f"s{place}", {}) for place in range(LISTED + 5)]
    found = shop.store.read(lambda tx: shortfall(tx, verification(expected, stray, "done"), [app]))
    assert len(found.rows) == LISTED and found.more == 5 + 3 and {kind for kind, _ in found.rows} == {"not planned"}
