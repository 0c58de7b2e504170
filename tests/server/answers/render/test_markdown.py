"""Written Markdown, read by a real reader of CommonMark with tables."""

from __future__ import annotations

import re

from hypothesis import example, given
from markdown_it import MarkdownIt
from markdown_it.token import Token

from cmdb_schemas.visible import visible
from cmdb_server.answers.render.markdown import inert, markdown
from cmdb_server.answers.render.report import Report, Row, Section
from tests.hostile import NAMES

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HARMLESS = {"text", "text_special", "strong_open", "strong_close"}


def read(text: str) -> list[Token]:
    return READER.parse(text)


def texts(tokens: list[Token], kind: str) -> list[str]:
    """The text within each element of a kind."""
    return [
        "".join(inner.content for inner in tokens[place + 1].children or ())
        for place, token in enumerate(tokens)
        if token.type == f"{kind}_open"
    ]


def same(read_: str, written: str) -> bool:
    """Readers drop spaces at the ends."""
    return read_.strip() == visible(written).strip()


@example('"', "\x85")
@example('"', " ")
@given(NAMES, NAMES)
def test_hostile_texts_stay_texts_wherever_they_stand(one: str, other: str) -> None:
    section = Section(one, ("A", other), (Row((one, other)), Row(((one, other), one))), other)
    tokens = read(markdown(Report(one, other, ((one, other),), (section,))))
    for token in tokens:
        assert {inner.type for inner in token.children or ()} <= HARMLESS, token
    kinds = [token.type for token in tokens if token.nesting == 1]
    assert (kinds.count("table_open"), kinds.count("tr_open"), kinds.count("td_open")) == (1, 3, 4)
    assert not {"html_block", "fence", "code_block", "hr", "blockquote_open"} & {token.type for token in tokens}
    assert [len(texts(tokens, kind)) for kind in ("heading", "list_item")] == [2, 1]
    assert all(same(text, one) for text in texts(tokens, "heading"))
    cells = texts(tokens, "td")
    assert same(cells[0], one) and same(cells[1], other) and same(cells[3], one)


@given(NAMES)
def test_no_address_is_left_that_readers_make_links_of(text: str) -> None:
    told = inert(text)
    assert not re.search(r"(?<!\\)(?:://|@|www\.|[.:])", told)
    assert "\n" not in told


def test_names_of_hosts_stay_legible() -> None:
    assert inert("web-01") == "web-01" and inert('a, b / c; 50% "x" it\'s?') == 'a, b / c; 50% "x" it\'s?'
