from __future__ import annotations

from hypothesis import given

from cmdb_server.answers.render.plain_text import plain_text
from cmdb_server.answers.render.report import Report, Row, Section
from tests.hostile import NAMES


def test_one_statement_a_line() -> None:
    section = Section(
        "Services", ("State", "Name", "Why"), (Row(("✖ down", "shop", ("a", "b"))), Row(("up", "", "c"))), "1 more"
    )
    told = plain_text(Report("T", "V", (("Revision", "7"),), (section,)))
    assert told.splitlines() == [
        "T", "", "V", "", "Revision: 7", "", "Services", "  - State: ✖ down", "    Name: shop", "    Why: a -> b",
        "  - State: up", "    Why: c", "  (1 more)",
    ]  # fmt: skip


@given(NAMES)
def test_no_text_makes_a_line_of_its_own(text: str) -> None:
    section = Section(text, ("A",), (Row((text,)),), text)
    told = plain_text(Report(text, text, ((text, text),), (section,)))
    assert len(told.split("\n")) == 10 == len(told.splitlines()) + 1
