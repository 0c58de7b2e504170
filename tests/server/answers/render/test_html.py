"""Written HTML, read by a real reader that stands for no fault."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import html5lib
from hypothesis import given, settings

from cmdb_schemas.visible import visible
from cmdb_server.answers.render.html import POLICY, html
from cmdb_server.answers.render.impact_report import impact_report
from cmdb_server.answers.render.report import Report, Row, Section
from tests.hostile import NAMES
from tests.shop import Shop

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "dl", "dt", "dd", "table", "thead", "tbody",
    "tr", "th", "td", "ol", "li",
}  # fmt: skip
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "id", "aria-labelledby", "scope"}


def read(text: str) -> Any:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def whole(element: Any) -> str:
    return "".join(element.itertext())


@settings(max_examples=50)
@given(NAMES, NAMES)
def test_hostile_texts_stay_texts_wherever_they_stand(one: str, other: str) -> None:
    section = Section(one, ("A", other), (Row((one, other), "down"), Row(((one, other), one))), other)
    document = read(html(Report(one, other, ((one, other),), (section,))))
    elements = list(document.iter())
    assert {element.tag for element in elements} <= ALLOWED
    assert {name for element in elements for name in element.attrib} <= ATTRIBUTES
    assert [whole(one_) for one_ in document.iter("h1")] == [visible(one)]
    assert [whole(cell) for cell in document.iter("td")][:2] == [visible(one), visible(other)]
    assert [whole(step) for step in document.iter("li")] == [visible(one), visible(other)]
    assert len(list(document.iter("style"))) == 1


def test_it_shows_under_a_policy_that_lets_nothing_in_but_its_style(shop: Shop) -> None:
    text = html(impact_report(shop.impact("db-host", "web1")))
    document = read(text)
    (style,) = document.iter("style")
    digest = base64.b64encode(hashlib.sha256(whole(style).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in POLICY and "default-src 'none'" in POLICY
    assert POLICY in [meta.get("content") for meta in document.iter("meta")]
    assert "url(" not in whole(style) and "@import" not in whole(style)
    assert not re.search(r"\b(?:src|href|style|on\w+)=", text)


def test_states_are_words(shop: Shop) -> None:
    document = read(html(impact_report(shop.impact("db-host"))))
    assert all(
        whole(next(row.iter("td"))) == "✖ down" for row in document.iter("tr") if row.get("class") == "down"
    )  # fmt: skip
