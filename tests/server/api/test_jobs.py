from __future__ import annotations

from cmdb_server.practices import timed

JOBS = "/api/v1/jobs"
NOW = 1_700_000_000_000


def test_administrators_see_what_is_due_and_what_fails(store, admin, as_role) -> None:
    for id_ in ("a", "b", "c"):
        store.write(lambda tx, id_=id_: timed.schedule(tx, id_, "greet", {"whom": id_}, NOW))
    mine, other = timed.claim(store, "b", NOW), timed.claim(store, "c", NOW)
    timed.failed(store, mine, "no paper", NOW)
    timed.done(store, other, NOW)
    told = admin.get(JOBS).json
    assert [(one["id"], one["due_at"], one["fault"], one["attempts"]) for one in told["items"]] == [
        ("a", "2023-11-14T22:13:20.000Z", None, 0),
        ("b", "2023-11-14T22:13:25.000Z", "no paper", 1),
        ("c", None, None, 0),
    ]
    assert told["items"][2]["done_at"] == "2023-11-14T22:13:20.000Z" and told["items"][0]["subject"] == {"whom": "a"}
    assert [one["id"] for one in admin.get(f"{JOBS}?failing=true").json["items"]] == ["b"]
    first = admin.get(f"{JOBS}?limit=2").json
    rest = admin.get(JOBS, query_string={"cursor": first["next_cursor"]}).json
    assert [one["id"] for one in rest["items"]] == ["c"] and rest["next_cursor"] is None
    for role in ("operator", "approver", "reader"):
        assert as_role(role).get(JOBS).status_code == 403
    assert admin.get(f"{JOBS}?failing=perhaps").status_code == 422
