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
    assert reader.get(f"{path}?attribute=os_version").json["attributes"] == [], "nobody speaks of it"
    assert reader.get(f"{path}?attribute=never_told").status_code == 404


def test_an_unknown_ci_is_404(reader) -> None:
    assert reader.get("/api/v1/cis/00000000-0000-0000-0000-000000000000/explain").status_code == 404


def test_why_a_relation_is_there_and_why_another_is_not(agent, reader) -> None:
    hosts = [host("db", "10.0.0.2", listens=[5432]), host("web", "10.0.0.1", uses=[("10.0.0.2", 5432)])]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    ids = {ci["parent"]: ci["id"] for ci in reader.get("/api/v1/cis?class=application").json["items"]}
    by_name = {ci["name"]: ci["id"] for ci in reader.get("/api/v1/cis?class=server").json["items"]}
    web, db = ids[by_name["web"]], ids[by_name["db"]]
    path = "/api/v1/relations/explain?type=depends_on"
    there = reader.get(f"{path}&from={web}&to={db}").json
    assert (there["stands"], there["why"], there["claims"][0]["section"]) == (True, "claimed", "connections")
    assert there["claims"][0]["bearers"][0]["name"] == "db"
    assert reader.get(f"{path}&from={db}&to={web}").json["why"] == "unclaimed"
    assert reader.get(f"{path}&from={db}&to={'0' * 8}-0000-0000-0000-{'0' * 12}").status_code == 404
    assert reader.get(f"/api/v1/relations/explain?type=worships&from={db}&to={web}").status_code == 422
