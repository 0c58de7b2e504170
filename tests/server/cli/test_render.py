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
        ("\u202eabc", "\\u202eabc"),
        ("\x9b31m", "\\x9b31m"),
    ):
        assert shown(render.plain(hostile)).rstrip("\n") == harmless


def test_values_that_are_no_texts() -> None:
    assert shown(render.plain({"value": 8, "unit": "GiB"})).strip() == '{"value": 8, "unit": "GiB"}'
    assert shown(render.table(("a", "b"), [(None, True)])).split() == ["a", "b", "true"]


def relation(label: str, other: str, class_: str = "software_package") -> dict[str, Any]:
    return {"label": label, "other": other, "other_class": class_, "other_name": other, "confidence": 1}


def a_ci(**more: Any) -> dict[str, Any]:
    empty = {
        "attributes": {},
        "components": [],
        "relations": [],
        "open_ends": [],
        "sources": [],
        "samples": [],
        "life": "current",
    }
    return {**named("web-1"), **empty, **more}


def test_a_long_group_is_cut_unless_all_are_asked_for() -> None:
    ci = a_ci(relations=[relation("installs", f"package-{n}") for n in range(render.LEAVES + 20)])
    told = shown(render.ci_tree(ci))
    assert f"installs ({render.LEAVES + 20})" in told
    assert "package-0" in told
    assert f"package-{render.LEAVES}" not in told
    assert "and 20 more: --all shows them" in told
    assert f"package-{render.LEAVES + 19}" in shown(render.ci_tree(ci, whole=True))


def test_a_relation_to_its_own_component_is_not_told_twice() -> None:
    part = {**named("eth0", "network_interface"), "attributes": {}}
    ci = a_ci(components=[part], relations=[relation("contains", "id-eth0", "network_interface")])
    told = shown(render.ci_tree(ci))
    assert "eth0" in told
    assert "contains" not in told


def test_bytes_are_told_in_a_unit_that_people_read() -> None:
    assert render.quantity({"value": 25276510208, "unit": "By"}).plain == "23.54 GiB"
    assert render.quantity({"value": 512, "unit": "By"}).plain == "512 By"
    assert render.quantity({"value": 10, "unit": "Gbit/s"}).plain == "10 Gbit/s"
    assert render.quantity({"value": 1, "other": 2}).plain == '{"value": 1, "other": 2}'
