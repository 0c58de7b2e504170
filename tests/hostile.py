"""Names that would do harm wherever one of them is taken for anything but a text."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    '"', "'", "`", "```", "|", "||", "\\", '\\"', "\\|", "\\\\|", "\n", "\r\n", "\n\n# ", "\u2028", "\x00", "\x1b[2J",
    "\u202e", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</style>", "</td>", "<!--", "&lt;", "&#60;",
    "[a](http://evil)", "![a](x)", "<http://evil>", "http://evil.example", "www.evil.example", "a@evil.example", "@all",
    "**b**", "__b__", "_i_", "~~s~~", "- item", "1. one", "# head", "---", "{{ 7*7 }}", "{% x %}", "${x}", "$$x$$", ":b:",
    "];", '"] --> x["', "%%{init: {}}%%", "end", "style x:#a;", "click n0 href", ":::c", "\\N", "\\G", "\\l", "}", "é", "名",
    "]]>", "]]", "/]", "#quot;", "#", ";", ",", "=1+1", "--", "->", "subgraph", "x" * 90, " ", "\t", "🏴",
)  # fmt: skip

NAMES: st.SearchStrategy[str] = (
    st.lists(
        st.one_of(st.sampled_from(PIECES), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
        min_size=1,
        max_size=6,
    )
    .map("".join)
    .filter(bool)
)
