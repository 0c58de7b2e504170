from __future__ import annotations

import pytest

from cmdb_server.model.selector_lexer import LONGEST, MOST, SelectorError, words


def test_words_know_their_columns_and_texts_lose_their_quotes() -> None:
    found = words('a>="x\\"\\u0041"\t&& 1.5e3')
    assert [(word.kind, word.text, word.column) for word in found] == [
        ("name", "a", 1), ("sign", ">=", 2), ("string", 'x"A', 4), ("sign", "&&", 16), ("number", "1.5e3", 19),
        ("end", "the end", 24),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ('a == "b', 6, "does not end"),
        ("a = 1", 3, "write =="),
        ("a & b", 3, "write &&"),
        ("a == §", 6, "means nothing"),
        ('"\\q"', 2, "no escape"),
        ("a" * (LONGEST + 1), LONGEST + 1, "at most"),
        ("!" * MOST, MOST + 1, "at most"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_column(text: str, column: int, message: str) -> None:
    with pytest.raises(SelectorError, match=message) as refused:
        words(text)
    assert refused.value.column == column
    assert refused.value.extra["errors"][0]["column"] == column
