"""The API's documentation page as a browser shows it, under the policy that it is served with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.serving import PATIENCE_S, Served, served

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed (the extra test)")
from selenium.webdriver.common.by import By  # noqa: E402 - only where selenium is
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

pytestmark = pytest.mark.browser
OPERATION = (By.CSS_SELECTOR, ".opblock")
OWN = "chrome:"
"""What the browser brings itself, such as the page of a new tab."""
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => window.violations.push(event.violatedDirective));
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served"), CMDB_WORKERS="1") as running:
        yield running


def opened(browser: webdriver.Chrome, url: str) -> None:
    """The page, once the description has been read and drawn; violations are listened for from its first moment."""
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": VIOLATIONS})
    browser.get(f"{url}/docs")
    WebDriverWait(browser, PATIENCE_S).until(lambda page: page.find_elements(*OPERATION))


def asked(browser: webdriver.Chrome) -> list[str]:
    """The URL of whatever was fetched or tried, by any part of the browser's page."""
    events: list[dict[str, Any]] = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in events if one["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith(OWN)]


def operations(url: str) -> set[tuple[str, str]]:
    described = httpx.get(f"{url}/openapi.json", timeout=PATIENCE_S).json()["paths"]
    methods = {"get", "put", "post", "delete", "patch"}
    return {(method.upper(), path) for path, item in described.items() for method in methods & item.keys()}


def test_every_operation_is_shown(browser: webdriver.Chrome, server: Served) -> None:
    opened(browser, server.url)
    shown = {
        (block.find_element(By.CLASS_NAME, "opblock-summary-method").text, _path(block))
        for block in browser.find_elements(*OPERATION)
        if block.is_displayed()
    }
    assert shown == operations(server.url)
    assert "CMDB" in browser.find_element(By.CSS_SELECTOR, ".info .title").text


def _path(block: Any) -> str:
    return str(block.find_element(By.CLASS_NAME, "opblock-summary-path").get_attribute("data-path"))


def test_an_operation_opens_with_its_parameters_and_answers(browser: webdriver.Chrome, server: Served) -> None:
    opened(browser, server.url)
    [search] = [one for one in browser.find_elements(*OPERATION) if _path(one) == "/api/v1/search"]
    search.find_element(By.CLASS_NAME, "opblock-summary-control").click()
    WebDriverWait(browser, PATIENCE_S).until(lambda _: search.find_elements(By.CSS_SELECTOR, "tr.response"))
    assert search.find_elements(By.CSS_SELECTOR, "tr[data-param-name]")
    answers = {one.get_attribute("data-code") for one in search.find_elements(By.CSS_SELECTOR, "tr.response")}
    assert {"200", "401"} <= answers


def test_nothing_is_refused_by_the_policy_and_nothing_fetched_from_elsewhere(
    browser: webdriver.Chrome, server: Served
) -> None:
    opened(browser, server.url)
    policy = httpx.get(f"{server.url}/docs", timeout=PATIENCE_S).headers["Content-Security-Policy"]
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert browser.execute_script("return window.violations") == []
    assert [line["message"] for line in browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")] == []
    fetched = asked(browser)
    assert f"{server.url}/openapi.json" in fetched
    assert [url for url in fetched if not url.startswith((f"{server.url}/", "data:"))] == []


def test_what_breaks_the_policy_would_be_heard(browser: webdriver.Chrome, server: Served) -> None:
    """The listener and the log do tell: a script of elsewhere and an inline one are refused and seen."""
    opened(browser, server.url)
    browser.execute_script(
        "for (const [name, value] of [['src', 'https://elsewhere.invalid/x.js'], ['textContent', 'window.ran = true']]) {"
        " const script = document.createElement('script'); script[name] = value; document.body.append(script); }"
    )
    WebDriverWait(browser, PATIENCE_S).until(lambda page: len(page.execute_script("return window.violations")) >= 2)
    assert browser.execute_script("return window.ran === undefined")
    assert [line for line in browser.get_log("browser") if line["level"] == "SEVERE"]
