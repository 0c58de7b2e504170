from __future__ import annotations

import pytest

from cmdb_schemas.ci_class import classes
from cmdb_schemas.relations import relation_types
from cmdb_server.errors import Invalid
from cmdb_server.model.member_rule import member_rule
from cmdb_server.model.selector_vocabulary import Vocabulary

WORDS = Vocabulary.of(classes(), relation_types())


@pytest.mark.parametrize(
    "text", ['class == "server"', 'rel("located_in").name == "r1"', 'warranty_expires < timestamp("2026-01-31")']
)
def test_what_the_graph_alone_decides_is_a_rule(text: str) -> None:
    assert member_rule(text, WORDS).text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("class ==", "column"),
        ('colour == "red"', "colour"),
        ('stage == "missing"', "stage changes"),
        ('rel("runs_on").site == "north"', "site changes"),
        ('warranty_expires < now + duration("P90D")', "now makes"),
    ],
)
def test_what_comes_and_goes_by_itself_or_is_no_selector_is_refused(text: str, why: str) -> None:
    with pytest.raises(Invalid, match=why) as refusal:
        member_rule(text, WORDS, "attributes.member_rule")
    assert refusal.value.extra["errors"][0]["path"] == "attributes.member_rule"
