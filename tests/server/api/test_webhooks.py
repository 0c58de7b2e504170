from __future__ import annotations

import uuid

import pytest

PATH = "/api/v1/webhooks"
GOOD = {"url": "https://hooks.example.net/cmdb", "secret": "env:HOOK_KEY", "kinds": ["ci"]}


def test_made_listed_and_removed_by_administrators(admin) -> None:
    made = admin.post(PATH, json=GOOD)
    assert made.status_code == 201 and made.json["attempts"] == 0
    assert "secret" not in made.json
    assert admin.get(PATH).json == [made.json]
    assert admin.delete(f"{PATH}/{made.json['id']}").status_code == 200
    assert admin.get(PATH).json == []
    assert admin.delete(f"{PATH}/{uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize("role", ["operator", "approver", "reader"])
def test_by_nobody_else(as_role, role: str) -> None:
    client = as_role(role)
    assert client.post(PATH, json=GOOD).status_code == 403
    assert client.get(PATH).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://example.net"}, {"url": "https://"}, {"url": "https://me:it@example.net"}, {"url": "nothing"},
        {"url": "http://[::1"}, {"secret": "hunter2"}, {"kinds": ["everything"]},
    ],
)  # fmt: skip
def test_refusals(admin, wrong: dict[str, object]) -> None:
    assert admin.post(PATH, json=GOOD | wrong).status_code == 422
