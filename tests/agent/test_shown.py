from __future__ import annotations

import msgspec
from rich.console import Console

from cmdb_agent.shown import report_tree
from cmdb_schemas.report import (
    Component,
    Content,
    Coverage,
    End,
    Observation,
    Relation,
    Report,
    Scan,
    ScanError,
    Scope,
    encode_content,
)


def shown(observation: Observation, *errors: ScanError) -> str:
    content = Content([Coverage("os", "complete"), Coverage("dmi", "partial", "no [right]")], [observation])
    now = "2026-01-01T00:00:00Z"
    report = Report(
        1, "r", "edge", "lab", "ssh", Scope("[::1]:22"), Scan("s"), now, now, msgspec.Raw(encode_content(content)),
        errors=list(errors),
    )  # fmt: skip
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(report_tree(report))
    return console.export_text()


def test_what_was_observed_is_shown_and_markup_is_only_text() -> None:
    relation = Relation("depends_on", End(address="10.0.0.2", port=5432), End(ref="application:web"))
    observation = Observation(
        "h", "server", identifiers={"mac": ["a", "b"]}, components=[Component("i", "network_interface", "[bold]eth0")],
        attributes={"name": "web[1]", "memory": {"value": 8, "unit": "GiB"}, "tags": ["x", "y"]}, relations=[relation],
    )  # fmt: skip
    text = shown(observation, ScanError("timeout", "[red]cut", "processes"))
    for expected in (
        "[::1]:22 by ssh", "server web[1]", "mac a, b", "memory = 8 GiB", "tags = x, y", "network_interface (1)",
        "[bold]eth0", "application:web depends_on 10.0.0.2:5432", "dmi partial no [right]", "timeout processes [red]cut",
    ):  # fmt: skip
        assert expected in text


def test_long_lists_are_cut_and_counted() -> None:
    components = [Component(f"i{n}", "network_interface", f"eth{n}") for n in range(50)]
    text = shown(Observation("h", "server", components=components))
    assert "network_interface (50)" in text
    assert "and 30 more" in text
    assert "eth45" not in text


def test_nothing_that_a_host_says_steers_the_terminal() -> None:
    hostile = "name\x1b]0;title\x07\x1b[31m\u202e\n"
    component = Component("i", "network_interface", hostile)
    observation = Observation(
        "h", "server", identifiers={"mac": [hostile]}, components=[component], attributes={"os": hostile}
    )
    text = shown(observation, ScanError("timeout", hostile, "processes"))
    assert text.count("name\\x1b]0;title\\x07\\x1b[31m\\u202e\\x0a") == 4
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
