from __future__ import annotations

import re

from cmdb_server.api.docs import SERVED
from cmdb_server.api.problem import subclasses
from cmdb_server.errors import CmdbError


def test_the_page_has_no_inline_script_and_all_it_names_is_served(client) -> None:
    page = client.get("/docs").text
    assert re.findall(r"<script(?![^>]*src=)", page) == []
    assert " style=" not in page and "<style" not in page and "onload" not in page
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) == 5
    for path in named:
        assert path.startswith("/docs/")
        answer = client.get(path)
        assert answer.status_code == 200 and len(answer.data) > 100, path


def test_the_scripts_are_scripts(client) -> None:
    assert client.get("/docs/init.js").mimetype == "text/javascript"
    assert client.get("/docs/assets/swagger-ui-bundle.js").mimetype == "text/javascript"
    assert client.get("/docs/assets/swagger-ui.css").mimetype == "text/css"


def test_nothing_else_of_the_wheel_is_served(client) -> None:
    for name in ("VERSION", "LICENSE", "../__init__.py", "%2e%2e/__init__.py", "oauth2-redirect.html"):
        assert name not in SERVED
        assert client.get(f"/docs/assets/{name}").status_code == 404


def test_every_problem_type_is_explained(client) -> None:
    page = client.get("/docs/problems").text
    for kind in subclasses(CmdbError):
        assert f'id="{kind.slug}"' in page
