from __future__ import annotations

from cmdb_server.api.context import now_ms
from tests.factories import host, report


def test_relations_as_seen_from_either_end(agent, reader, store) -> None:
    hosts = [
        host("web-1", "10.0.0.1", listens=[80], uses=[("10.0.0.2", 5432)]),
        host("db-1", "10.0.0.2", listens=[5432]),
    ]
    agent.post("/api/v1/reports", data=report("r1", now_ms(), hosts), content_type="application/json")
    apps = reader.get("/api/v1/cis?class=application").json["items"]
    seen = {app["id"]: reader.get(f"/api/v1/cis/{app['id']}/relations?type=depends_on").json["items"] for app in apps}
    assert sorted(len(items) for items in seen.values()) == [1, 1]
    (out,) = [(ci, items[0]) for ci, items in seen.items() if not items[0]["incoming"]]
    (into,) = [(ci, items[0]) for ci, items in seen.items() if items[0]["incoming"]]
    assert (out[1]["other"], into[1]["other"]) == (into[0], out[0])
    assert (out[1]["label"], into[1]["label"]) == ("depends_on", "used_by")
    assert out[1]["claims"] == 1
    everything = reader.get(f"/api/v1/cis/{out[0]}/relations").json
    assert len(everything["items"]) == 2 and everything["revision"] == store.revision()


def test_an_unknown_ci_is_404(reader) -> None:
    assert reader.get("/api/v1/cis/00000000-0000-0000-0000-000000000000/relations").status_code == 404
