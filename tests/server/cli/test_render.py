from __future__ import annotations

import io
from typing import Any

from rich.console import Console, RenderableType

from cmdb_server.cli import render


def shown(answer: RenderableType) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(answer)
    return console.export_text()


def named(name: str, class_: str = "server") -> dict[str, Any]:
    return {"id": f"id-{name}", "name": name, "class": class_}


def gate(text: str) -> dict[str, Any]:
    return {"relation": "depends_on", "over": "server", "text": text}


ANSWER: dict[str, Any] = {
    "revision": 7,
    "failed": [named("db-1"), named("db-2")],
    "services": [
        {
            "affected": {
                "ci": named("shop", "application_service"),
                "state": "down",
                "hops": 1,
                "path": [
                    {"ci": named("db-1"), "state": "down", "gate": None},
                    {
                        "ci": named("shop", "application_service"),
                        "state": "down",
                        "gate": gate("0 of 1 serving, needs 1"),
                    },
                ],
            },
            "criticality": "critical",
            "owner": "ann",
        }
    ],
    "cis": [],
    "redundancy_lost": [
        {"ci": named("pool", "cluster"), "gate": gate("1 of 2 serving, needs 1"), "holding": [named("web-2")]}
    ],
    "counts": {"by_state": {"down": 1}, "by_class": {}},
    "more": {"services": 0, "cis": 3, "redundancy_lost": 0},
}


def test_impact_tells_path_arithmetic_owner_and_what_is_not_listed() -> None:
    told = shown(render.impact(ANSWER))
    for text in (
        "if server db-1, server db-2 fail",
        "application_service shop down critical owner ann",
        "server db-1 down fails itself",
        "depends_on server: 0 of 1 serving, needs 1",
        "cluster pool redundancy lost (depends_on server: 1 of 2 serving, needs 1)",
        "held by server web-2",
        "3 more cis not listed",
        "revision 7: 1 down",
    ):
        assert text in told, told


def test_nothing_broken_is_said_so() -> None:
    nothing = {"services": [], "cis": [], "redundancy_lost": [], "counts": {"by_state": {}}, "more": {}}
    assert "nothing else breaks" in shown(render.impact({**ANSWER, **nothing}))


def test_a_hidden_ci_is_told_by_its_token() -> None:
    hidden = {"id": "hidden-1234", "name": None, "class": None}
    assert "if hidden-1234 fails" in shown(render.impact({**ANSWER, "failed": [hidden]}))


def test_texts_are_never_markup_nor_control() -> None:
    for hostile, harmless in (
        ("[red]x[/red]", "[red]x[/red]"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\nb", "a\\x0ab"),
        ("\u202eabc", "\\x202eabc"),
        ("\x9b31m", "\\x9b31m"),
    ):
        assert shown(render.plain(hostile)).rstrip("\n") == harmless


def test_values_that_are_no_texts() -> None:
    assert shown(render.plain({"value": 8, "unit": "GiB"})).strip() == '{"value": 8, "unit": "GiB"}'
    assert shown(render.table(("a", "b"), [(None, True)])).split() == ["a", "b", "true"]
