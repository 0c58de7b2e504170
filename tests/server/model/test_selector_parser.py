from __future__ import annotations

import pytest

from cmdb_server.model.selector_lexer import SelectorError
from cmdb_server.model.selector_parser import DEEPEST, parse
from cmdb_server.model.selector_syntax import Binary, Call, Joined, Name, Unary


def test_signs_bind_as_in_cel() -> None:
    found = parse("a || b && !c == d")
    assert isinstance(found, Joined) and found.sign == "||"
    both = found.items[1]
    assert isinstance(both, Joined) and both.sign == "&&"
    same = both.items[1]
    assert isinstance(same, Binary) and isinstance(same.left, Unary) and same.right == Name("d", 17)


def test_calls_follow_values() -> None:
    found = parse('rel("x").y.startsWith("z")')
    assert isinstance(found, Call) and found.name == "startsWith" and found.column == 12


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1), ("(a", 3), ("a b", 3), ("a &&", 5), ("a == b == c", 8), ("[1, ", 5), ("f(a b)", 5), ("a.1", 3),
        ("in", 1), ("(" * 40 + "a", DEEPEST + 1), ("!" * 40 + "a", DEEPEST), ("a" + ".b" * 40, 2 * DEEPEST + 3),
        ("a == 1" + "+1" * 900, 2 * DEEPEST + 7),
    ],
)  # fmt: skip
def test_refusals_name_the_column(text: str, column: int) -> None:
    with pytest.raises(SelectorError) as refused:
        parse(text)
    assert refused.value.column == column
