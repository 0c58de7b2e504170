from __future__ import annotations

from cmdb_server.model.selector_parser import parse
from cmdb_server.model.selector_syntax import Binary, Call, Joined, Listed, Literal, Member, Name, Unary


def test_every_part_knows_where_it_begins() -> None:
    found = parse('!a || rel("b").c in [1, "d"]')
    assert found == Joined(
        "||",
        (
            Unary("!", Name("a", 2), 1),
            Binary(
                "in",
                Member(Call("rel", (Literal("b", 11),), 7), "c", 16),
                Listed((Literal(1.0, 22), Literal("d", 25)), 21),
                18,
            ),
        ),
        1,
    )
