from __future__ import annotations

from cmdb_server.api.context import now_ms
from tests.factories import host, report


def test_winner_and_losers_with_source_agent_and_time(agent, as_role) -> None:
    hosts = [host("web-1", "10.0.0.1", os_name="Debian")]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    operator = as_role("operator", subject="ann")
    (web,) = operator.get("/api/v1/cis?class=server").json["items"]
    path = f"/api/v1/cis/{web['id']}"
    operator.patch(path, json={"attributes": {"os_name": "Plan 9"}}, headers={"If-Match": "*"})
    told = operator.get(f"{path}/explain").json
    (name,) = [one for one in told["attributes"] if one["name"] == "os_name"]
    words = [name["winner"], *name["losers"]]
    assert {(word["source"], word["agent"], word["value"]) for word in words} == {
        ("manual", "ann", "Plan 9"),
        ("ssh", "agent-1", "Debian"),
    }
    assert name["value"] == name["winner"]["value"] == operator.get(path).json["attributes"]["os_name"]
    assert len(told["sources"]) == 2 and len(told["decisions"]) == 1


def test_one_attribute_alone(agent, reader) -> None:
    hosts = [host("web-1", "10.0.0.1", os_name="Debian")]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    (web,) = reader.get("/api/v1/cis?class=server").json["items"]
    path = f"/api/v1/cis/{web['id']}/explain"
    assert [one["name"] for one in reader.get(f"{path}?attribute=os_name").json["attributes"]] == ["os_name"]
    assert reader.get(f"{path}?attribute=never_told").json["attributes"] == []


def test_an_unknown_ci_is_404(reader) -> None:
    assert reader.get("/api/v1/cis/00000000-0000-0000-0000-000000000000/explain").status_code == 404
