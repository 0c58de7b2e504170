from __future__ import annotations

import pytest


def test_a_token_is_told_once(admin, client) -> None:
    made = admin.post("/api/v1/tokens", json={"subject": "ann", "role": "reader", "days": 1})
    assert made.status_code == 201, made.json
    client.token = made.json["token"]
    assert client.get("/api/v1/classes").status_code == 200
    listed = admin.get("/api/v1/tokens")
    assert made.json["id"] in {one["id"] for one in listed.json}
    assert made.json["token"].rpartition("_")[2] not in listed.text and "hash" not in listed.text
    assert listed.headers["Cache-Control"] == "no-store" == made.headers["Cache-Control"]


def test_revocation(admin, client) -> None:
    made = admin.post("/api/v1/tokens", json={"subject": "ann", "role": "reader"}).json
    client.token = made["token"]
    for _ in range(2):
        assert admin.delete(f"/api/v1/tokens/{made['id']}").json["revoked_at"] is not None
    assert client.get("/api/v1/classes").status_code == 401
    assert admin.delete("/api/v1/tokens/00000000-0000-0000-0000-000000000000").status_code == 404


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"role": "reader"}, "subject"),
        ({"subject": "x", "role": "agent"}, "role"),
        ({"subject": "x", "role": "emperor"}, "role"),
        ({"subject": "x", "role": "reader", "days": 0}, "days"),
        ({"subject": "x", "role": "reader", "days": 1.5}, "days"),
        ({"subject": "x", "role": "reader", "days": True}, "days"),
        ({"subject": "x", "role": "reader", "days": "7"}, "days"),
        ({"subject": "x" * 257, "role": "reader"}, "subject"),
        ({"subject": "x", "role": "reader", "sees": "name === 1"}, "sees"),
        ({"subject": "x", "role": "reader", "sees": "nonsense == 1"}, "sees"),
        ({"subject": "x", "role": "admin", "sees": 'name == "web"'}, "sees"),
    ],
)
def test_bad_wishes_name_the_field(admin, body: dict[str, object], path: str) -> None:
    answer = admin.post("/api/v1/tokens", json=body)
    assert answer.status_code == 422
    assert [fault["path"] for fault in answer.json["errors"]] == [path]


def test_a_token_tells_what_it_sees(admin, client) -> None:
    for name in ("web", "db"):
        assert admin.post("/api/v1/cis", json={"class": "server", "name": name}).status_code == 201
    made = admin.post("/api/v1/tokens", json={"subject": "ann", "role": "reader", "sees": 'name == "web"'}).json
    assert made["sees"] == 'name == "web"'
    assert {one["subject"]: one["sees"] for one in admin.get("/api/v1/tokens").json} == {
        "a admin": None, "ann": 'name == "web"',
    }  # fmt: skip
    client.token = made["token"]
    assert [one["name"] for one in client.get("/api/v1/cis").json["items"]] == ["web"]
    assert [one["name"] for one in admin.get("/api/v1/cis").json["items"]] != ["web"]


def test_the_column_of_a_fault_is_told(admin) -> None:
    answer = admin.post("/api/v1/tokens", json={"subject": "x", "role": "reader", "sees": "name === 1"})
    assert answer.json["detail"] == "sees, column 8: '=' means nothing here; write =="
