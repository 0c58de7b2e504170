from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cmdb_server.model.selector_pattern import MOST_STEPS, Pattern, PatternError

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\.", "^", "$", "c"])


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    times = st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "{0}"])
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.builds(lambda part, count: f"({part}){count}", inner, times),
    )


@settings(max_examples=400, deadline=None)
@given(st.recursive(ATOMS, combined, max_leaves=6), st.text("ab1.c", max_size=7))
def test_finds_what_a_backtracking_engine_finds(pattern: str, text: str) -> None:
    assert Pattern.of(pattern).found_in(text) == (re.search(pattern.replace("$", r"\Z"), text) is not None)


def test_no_pattern_takes_longer_than_its_text_allows() -> None:
    """Backtracking engines need exponential or high polynomial time for these: they would not come back."""
    text = "a" * 5000 + "b"
    for pattern in ("^(a+)+$", "^(a|a)*$", "(.*)(.*)(.*)(.*)(.*)c$", "^(a?){50}a{50}c"):
        assert not Pattern.of(pattern).found_in(text)


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "*a", "a**", "a{2,1}", "a{101}", "[a", "(?=a)", "(?P<n>a)", r"\1", r"(a)\b", "[[a]", "a" * 201,
     "((a{100}){100}){100}", "(" * 30 + ")" * 30],
)  # fmt: skip
def test_what_is_not_understood_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        Pattern.of(pattern)


def test_patterns_stay_small() -> None:
    assert len(Pattern.of("(a{9}b){9}").steps) < MOST_STEPS
