from __future__ import annotations

from cmdb_server.api.context import now_ms
from tests.factories import host, report

PATH = "/api/v1/changes"


def test_followers_read_on_and_hear_304_until_something_changes(agent, reader) -> None:
    at = now_ms()
    body = report("r0", at, [host("web-1", "10.0.0.1", os_name="os 0")])
    agent.post("/api/v1/reports", data=body, content_type="application/json")
    told = reader.get(f"{PATH}?since=0").json
    (web,) = reader.get("/api/v1/cis?class=server").json["items"]
    assert [web["id"]] in [one["id"] for one in told["items"] if one["kind"] == "ci"]
    assert told["next_cursor"] is None
    following = f"{PATH}?since={told['revision']}"
    tag = reader.get(following).headers["ETag"]
    again = report("r1", at + 1, [host("web-1", "10.0.0.1", os_name="os 0")])
    agent.post("/api/v1/reports", data=again, content_type="application/json")
    assert reader.get(following, headers={"If-None-Match": tag}).status_code == 304
    changed = report("r2", at + 2, [host("web-1", "10.0.0.1", os_name="os 1")])
    agent.post("/api/v1/reports", data=changed, content_type="application/json")
    answer = reader.get(following, headers={"If-None-Match": tag})
    assert answer.status_code == 200 and [one["id"] for one in answer.json["items"]] == [[web["id"]]]
    assert answer.json["items"][0]["cause"]["report"] == "r2"


def test_pages_and_refusals(agent, reader) -> None:
    hosts = [host(f"h{n}", f"10.0.0.{n}") for n in range(1, 4)]
    agent.post("/api/v1/reports", data=report("r0", now_ms(), hosts), content_type="application/json")
    whole = reader.get(f"{PATH}?since=0").json["items"]
    page = reader.get(f"{PATH}?since=0&limit=2").json
    rest = reader.get(PATH, query_string={"since": 0, "cursor": page["next_cursor"]}).json
    assert page["items"] + rest["items"] == whole and len(whole) > 3
    assert reader.get(PATH).json["items"] == whole
    assert reader.get(f"{PATH}?since=99").status_code == 422
    assert agent.get(f"{PATH}?since=0").status_code == 403
