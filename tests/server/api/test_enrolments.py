from __future__ import annotations

import json

from cmdb_server.api.context import now_ms
from tests.factories import host, report

OFFER = {"agent": "agent-1", "sites": ["lab"], "sources": ["ssh"], "networks": ["10.0.0.0/8"]}


def test_a_code_buys_a_token_that_delivers_and_nothing_else(admin, client) -> None:
    offered = admin.post("/api/v1/enrolment-codes", json=OFFER)
    assert offered.status_code == 201, offered.json
    bought = client.post("/api/v1/enrol", json={"code": offered.json["code"], "agent": "agent-1"})
    assert bought.status_code == 201, bought.json
    assert bought.json["grant"] == OFFER and bought.json["role"] == "agent"
    client.token = bought.json["token"]
    body = report("r1", now_ms(), [host("web-1", "10.0.0.1")])
    assert client.post("/api/v1/reports", data=body, content_type="application/json").status_code == 200
    foreign = json.dumps({**json.loads(body), "id": "r2", "site": "elsewhere"})
    assert client.post("/api/v1/reports", data=foreign, content_type="application/json").status_code == 403
    assert client.get("/api/v1/cis").status_code == 403


def test_a_code_is_void_once_used_and_another_s_stays_good(admin, client) -> None:
    code = admin.post("/api/v1/enrolment-codes", json=OFFER).json["code"]
    assert client.post("/api/v1/enrol", json={"code": code, "agent": "agent-2"}).status_code == 401
    assert client.post("/api/v1/enrol", json={"code": code}).status_code == 201
    again = client.post("/api/v1/enrol", json={"code": code})
    assert again.status_code == 401 and "WWW-Authenticate" in again.headers


def test_only_an_admin_offers(as_role) -> None:
    for role in ("operator", "approver", "reader", "agent"):
        assert as_role(role).post("/api/v1/enrolment-codes", json=OFFER).status_code == 403


def test_bad_offers_name_the_field(admin) -> None:
    for wrong, path in (
        ({"sites": "lab"}, "sites"),
        ({"minutes": 0}, "minutes"),
        ({"agent": ""}, "agent"),
        ({"x": 1}, "x"),
    ):
        answer = admin.post("/api/v1/enrolment-codes", json={**OFFER, **wrong})
        assert answer.status_code == 422
        assert [fault["path"] for fault in answer.json["errors"]] == [path]


def test_a_code_does_not_travel_in_the_clear(client) -> None:
    answer = client.post("/api/v1/enrol", json={"code": "x"}, environ_base={"REMOTE_ADDR": "10.0.0.9"})
    assert answer.status_code == 403
