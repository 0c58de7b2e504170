"""The API against its own description, by schemathesis, with every check it has."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings

from cmdb_server.api import token
from cmdb_server.app import create_app
from cmdb_server.ingest import decisions, declare
from cmdb_server.practices import kept
from cmdb_server.settings import Settings
from cmdb_server.store import tables
from cmdb_server.store.sqlite import SqliteStore
from tests.delivered import bodies, deliver
from tests.situations import BOX, OTHER, SOFTWARE, box, of, ssh

BARE = of(BOX, "mac", *SOFTWARE, "name")
DOUBTFUL = [ssh(1, box("a", BARE)), ssh(3, box("b", {**BARE, **of(OTHER, "mac")}))]
MAX_EXAMPLES = int(os.environ.get("CMDB_API_EXAMPLES", "30"))
"""For each operation, generated ones; those of schemathesis' coverage phase come on top."""

BEYOND_SCHEMA = (
    "/api/v1/reports", "/api/v1/cis", "/api/v1/cis/{ci}", "/api/v1/impact",
    "/api/v1/cis/{ci}/requires", "/api/v1/cis/{ci}/single-points", "/api/v1/impact/compare", "/api/v1/impact/intervals",
    "/api/v1/exports", "/api/v1/imports",
    "/api/v1/retention", "/api/v1/cis/{ci}/samples/{name}",
    "/api/v1/changes", "/api/v1/cis/{ci}/timeline", "/api/v1/cmdb-health/findings", "/api/v1/decisions",
    "/api/v1/decisions/effect", "/api/v1/diff", "/api/v1/reviews", "/api/v1/reviews/{task}",
    "/api/v1/reviews/{task}/effect", "/api/v1/baselines", "/api/v1/baselines/{name}/drift",
    "/api/v1/webhooks", "/api/v1/schedule", "/api/v1/audit", "/api/v1/relations/explain",
    "/api/v1/kept/{kind}", "/api/v1/kept/{kind}/{number}", "/api/v1/kept/{kind}/{number}/transitions",
    "/api/v1/kept/change/{number}/assessment", "/api/v1/kept/change/{number}/slot", "/api/v1/unplanned-changes",
    "/api/v1/jobs", "/api/v1/tokens", "/api/v1/impact/proof", "/api/v1/impact/proof/verdict",
    "/api/v1/impact/proof/columns",
)  # fmt: skip
"""Here the rules go beyond what a schema can say (which classes there are, which attributes each has, that a report is
not from the future, which cursors were given out, what a verb needs), so that what fits the schema may still be 422."""


def _server() -> tuple[Flask, str, dict[str, str]]:
    folder = tempfile.mkdtemp(prefix="cmdb-openapi-")
    store = SqliteStore(Path(folder) / "cmdb.db")
    text, _ = token.create(store, "examples", "admin", None, 1_700_000_000_000, 10 * 365 * token.DAY_MS)
    limits = Settings(requests_per_minute=10_000_000, bytes_per_minute=1 << 40)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app = create_app(limits, store)
    inner = app.wsgi_app

    def from_loopback(environ: dict[str, Any], start_response: Any) -> Any:
        """Some of schemathesis' in-process requests come from nowhere."""
        return inner({**environ, "REMOTE_ADDR": "127.0.0.1"}, start_response)

    app.wsgi_app = from_loopback  # type: ignore[method-assign,assignment]
    made = declare.create(store, "examples", "server", {"name": "web-1"}, now_ms=1_700_000_000_000)
    decided = decisions.decide(store, "examples", "distrust", {"value": ["serial", "X1"]}, "", 1_700_000_000_000)
    deliver(store, bodies(DOUBTFUL))
    ((task, *_),) = store.read(lambda tx: tx.find(tables.TASK, ("state",), [("open",)]))
    change = kept.open_(store, "change", {"summary": "x"}, {}, kept.By("examples", ("admin",), 1_700_000_000_000))
    return app, text, {"ci": made.ci, "task": task, "id_": decided, "kind": change.kind, "number": change.number}


APP, TOKEN, THERE = _server()
CI = THERE["ci"]


def _of_the_past() -> set[str]:
    """The paths that take a time; once retention has dropped what was before it, that is 410, which no schema tells."""
    paths = APP.test_client().get("/openapi.json").json["paths"]
    return {
        path
        for path, operations in paths.items()
        for operation in operations.values() if isinstance(operation, dict)
        for parameter in operation.get("parameters", ()) if parameter.get("name") in ("at", "known_at", "since")
    }  # fmt: skip


def _accepting(path: str, *statuses: str) -> dict[str, Any]:
    expected = ["2xx", "3xx", "401", "403", "404", "409", "410", "412", *statuses, "429"]
    return {"include-path": path, "checks": {"positive_data_acceptance": {"expected-statuses": expected}}}


CONFIG = schemathesis.Config.from_dict(
    {
        "operations": [
            *(_accepting(path, "422") for path in BEYOND_SCHEMA),
            _accepting("/api/v1/impact/proof/columns/verdict", "400"),  # a file of a form that no schema tells
            *(_accepting(path) for path in sorted(_of_the_past().difference(BEYOND_SCHEMA))),
        ]
    }
)
ANSWERED: Counter[tuple[str, int]] = Counter()
SCHEMA = schemathesis.openapi.from_wsgi("/openapi.json", APP, config=CONFIG)


_ID_NEEDED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ID = re.compile(r"[02468ace][0-9a-f]{7}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _is_replaced(name: str, value: str) -> bool:
    """Half of the ids are, and a part of the names; never what is no id where one is needed."""
    return bool(_ID.fullmatch(value)) if _ID_NEEDED.fullmatch(THERE[name]) else len(value) % 4 == 1


@SCHEMA.hook
def map_path_parameters(context: schemathesis.HookContext, path_parameters: dict[str, Any]) -> dict[str, Any]:
    """A generated id names nothing, so that half of the questions are about what is there."""
    told = path_parameters or {}
    known = {name: THERE[name] for name, value in told.items() if name in THERE and _is_replaced(name, str(value))}
    return {**told, **known} if known else path_parameters


@SCHEMA.hook
def map_body(context: schemathesis.HookContext, body: Any) -> Any:
    """As for paths: what is asked to fail is there, in half of the questions."""
    if isinstance(body, dict) and str(body.get("before", ""))[4:5] == "-" and str(body["before"])[-1:] in "zZ":
        return {**body, "before": "0001" + body["before"][4:]}  # the others ask for the past
    failed = body.get("failed") if isinstance(body, dict) else None
    if isinstance(failed, list) and failed and all(isinstance(id_, str) and _ID.fullmatch(id_) for id_ in failed):
        return {**body, "failed": [CI for _ in failed]}
    return body


@SCHEMA.hook
def map_query(context: schemathesis.HookContext, query: dict[str, Any] | None) -> dict[str, Any] | None:
    return map_body(context, query)


@SCHEMA.hook
def map_headers(context: schemathesis.HookContext, headers: dict[str, Any] | None) -> dict[str, Any] | None:
    """Nobody guesses an ETag, so that many edits say they mean the CI as it is."""
    if headers and headers.get("If-Match", "")[:1] < "a":
        return {**headers, "If-Match": "*"} if "If-Match" in headers else headers
    return headers


@SCHEMA.parametrize()
@settings(max_examples=MAX_EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_keeps_to_its_description(case: schemathesis.Case) -> None:
    answer = case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})
    ANSWERED[(case.operation.label, answer.status_code // 100)] += 1


NEVER_BY_CHANCE = {
    "POST /api/v1/enrol",
    "POST /api/v1/impact/proof/columns/verdict",
    "DELETE /api/v1/tokens/{id_}",
    "GET /api/v1/classes/{name}",
    "DELETE /api/v1/baselines/{name}",
    "DELETE /api/v1/webhooks/{id_}",
    "GET /api/v1/cis/{ci}/samples/{name}",
    "GET /api/v1/agents/{name}",
    "POST /api/v1/agents/{name}/retirement",
    "DELETE /api/v1/agents/{name}/retirement",
}
"""Nobody guesses a code, a token's id or the name of a class, an agent or what is measured."""


def test_every_operation_was_answered_well_too() -> None:
    """What is only ever refused keeps to any description."""
    asked = {label for label, _ in ANSWERED}
    assert asked, "run together with the test above"
    assert {label for label in asked if not ANSWERED[(label, 2)]} <= NEVER_BY_CHANCE
