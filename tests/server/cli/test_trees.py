from __future__ import annotations

import io
from typing import Any

from rich.console import Console, RenderableType

from cmdb_server.cli.trees import path_tree, required_tree, services_tree


def drawn(tree: RenderableType) -> list[str]:
    out = io.StringIO()
    Console(width=200, file=out).print(tree)
    return [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]


def ci(name: str, class_: str = "server") -> dict[str, Any]:
    return {"id": name, "name": name, "class": class_}


def step(name: str, gate: str = "") -> dict[str, Any]:
    return {"ci": ci(name), "gate": {"relation": "depends_on", "over": "server", "text": gate} if gate else None}


def service(*names: str, criticality: str | None = None) -> dict[str, Any]:
    first, *rest = names
    path = [step(first), *(step(name, "1 of 1 serving, needs 1") for name in rest)]
    return {"ci": ci(names[-1]), "criticality": criticality, "owner": None, "path": path}


def test_services_share_the_way_to_them() -> None:
    items = [service("web", "app", "shop", criticality="critical"), service("web", "app", "wiki")]
    told = drawn(services_tree({"ci": ci("web"), "items": items, "more": 3}))
    assert told == [
        "server web",
        "└── server app (depends_on server: 1 of 1 serving, needs 1)",
        "    ├── server shop critical (depends_on server: 1 of 1 serving, needs 1)",
        "    └── server wiki (depends_on server: 1 of 1 serving, needs 1)",
        "3 more services not listed",
    ]
    assert drawn(services_tree({"ci": ci("web"), "items": [], "more": 0}))[1] == "└── no service stands on it"


def test_what_several_stand_on_is_opened_once_and_cycles_end() -> None:
    def leaning(consumer: str, provider: str) -> dict[str, str]:
        return {"consumer": consumer, "provider": provider, "relation": "on", "text": "ok"}

    items = [{"ci": ci(name), "hops": 1, "cannot_start_cold": name == "b"} for name in ("a", "b")]
    leanings = [leaning("top", "a"), leaning("top", "b"), leaning("a", "b"), leaning("b", "top")]
    told = drawn(required_tree({"ci": ci("top"), "items": items, "leanings": leanings, "more": 0}))
    assert told == [
        "server top",
        "├── server a (on: ok)",
        "│   └── server b (on: ok) again",
        "└── server b (on: ok) needs others first",
        "    └── server top (on: ok) again",
    ]


def test_a_way_goes_down_step_by_step() -> None:
    told = drawn(path_tree({"steps": [step("web"), step("app", "1 of 2 serving, needs 1")]}))
    assert told == ["server web", "└── server app (depends_on server: 1 of 2 serving, needs 1)"]
    assert drawn(path_tree({"steps": []})) == ["there is no way"]
