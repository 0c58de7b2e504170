from __future__ import annotations

import argparse
import io
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from cmdb_server.cli.in_context import asked, options, with_context


def shown(context: dict[str, Any] | None) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(with_context(lambda _: Text("the answer"))({"context": context}))
    return out.getvalue()


def test_minutes_left_are_told_of_services_that_have_any_agreed() -> None:
    level = {"minutes": 432.0, "minutes_left": 400.5, "minutes_left_after": None, "end": "2023-12-01"}
    services = [
        {"affected": {"ci": named(name)}, "level": told}
        for name, told in (("desk", level), ("shop", {**level, "minutes_left_after": -3.0}), ("wiki", None))
    ]
    out = io.StringIO()
    Console(file=out, width=200).print(with_context(lambda _: Text("the answer"))({"services": services}))
    assert out.getvalue().splitlines() == [
        "the answer", "desk 400.5 of 432 minutes left until 2023-12-01",
        "shop 400.5 of 432 minutes left until 2023-12-01, -3 after this",
    ]  # fmt: skip


def named(name: str) -> dict[str, Any]:
    return {"id": "1", "name": name, "class": "server"}


def test_an_answer_without_context_stays_as_it_is() -> None:
    assert shown(None).strip() == "the answer"


def test_whom_it_meets_is_told() -> None:
    gate = {"relation": "depends_on", "over": "server", "text": "0 of 3 serving, needs 1"}
    point = {"ci": named("shop"), "gate": gate, "with": ["CHG1", "CHG2"], "minimal_group": True,
             "others_may_exist": True}  # fmt: skip
    other = {"number": "CHG1", "summary": "patch", "degraded": False, "cis": [named("a")],
             "spans": [{"start": "then", "end": None}]}  # fmt: skip
    counts = {"already": 1, "alone": 0, "anyway": 0, "together": 3}
    told = shown({
        "others": [other], "already": [named("a")], "alone": [], "anyway": [], "together": [named("shop")],
        "counts": counts, "meeting_points": [point],
    })  # fmt: skip
    assert "CHG1 patch down a then to an unknown end" in told
    assert "down only of both together: shop and 2 more" in told
    assert "shop meets all of CHG1, CHG2 (depends_on server: 0 of 3 serving, needs 1) others may exist" in told


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ([], {}),
        (["--also", "both"], {"also": "both"}),
        (["--also", "open", "--during", "a", ""], {"also": "open", "during": {"start": "a", "end": None}}),
    ],
)
def test_options_as_the_api_takes_them(arguments: list[str], body: dict[str, Any]) -> None:
    parser = argparse.ArgumentParser()
    options(parser)
    assert asked(parser.parse_args(arguments)) == body
