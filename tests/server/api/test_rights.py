"""Nothing of what somebody may not see is told by any endpoint: the list of endpoints is the app's own."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from cmdb_server import api
from cmdb_server.answers.proof import Proof, in_columns
from cmdb_server.answers.proof_file import pack
from cmdb_server.api import token
from cmdb_server.api.context import now_ms
from cmdb_server.app import create_app
from cmdb_server.model.instants import rfc3339
from cmdb_server.settings import Settings
from cmdb_server.store import tables
from cmdb_server.store.sqlite import SqliteStore
from tests.secret_estate import CLASS, CLASS_FILE, HOUR, SEES, SecretEstate
from tests.server.api.conftest import Client

UNKNOWN = "00000000-0000-4000-8000-000000000000"
MODEL = {"/api/v1/classes", "/api/v1/classes/{name}"}
"""Which classes there are is no secret: what is of them may be."""


class Desk:
    """The estate behind the API, and clients that see all of it and a part."""

    def __init__(self, folder: Path) -> None:
        (folder / "classes").mkdir()
        (folder / "classes" / f"{CLASS}.toml").write_text(CLASS_FILE)
        self.store = SqliteStore(folder / "cmdb.db")
        settings = Settings(classes=(folder / "classes",), requests_per_minute=10_000_000, jobs=False)
        self.app: Flask = create_app(settings, self.store)
        self.app.test_client_class = Client
        context = self.app.extensions["cmdb"]
        self.estate = SecretEstate(self.store, context.projections, context.kinds)
        self.secrets, self.hidden = self.estate.secrets(), self.estate.hidden()
        self.all, self.part = self.client(None), self.client(SEES)
        self.spec = self.all.get("/openapi.json").json
        names = {row[0]: row[2] for row in self.estate.rows(tables.CI)}
        self.seen = {name: id_ for id_, name in names.items() if id_ not in self.hidden}

    def client(self, sees: str | None, role: str = "operator", subject: str = "ann") -> Client:
        made: Client = self.app.test_client()  # type: ignore[assignment]
        made.token, _ = token.create(self.store, subject, role, None, now_ms(), token.DAY_MS, sees)
        return made

    def leaks(self, response: TestResponse, *asked: str) -> set[str]:
        """What is secret in an answer, but for what was in the question."""
        told = (response.get_data(as_text=True) + str(response.headers)).lower()
        return {secret for secret in self.secrets - set(asked) if secret in told}

    def rules(self, *methods: str) -> Iterator[tuple[Rule, str, str]]:
        """(rule, path as the description has it, method) of the app's endpoints."""
        for rule in self.app.url_map.iter_rules():
            for method in methods:
                if rule.rule.startswith("/api/") and method in (rule.methods or ()):
                    yield rule, re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule), method

    def part_of(self, name: str, part: str) -> str:
        rows = self.estate.rows(tables.CI)
        (found,) = [row[0] for row in rows if row[2] == part and row[3] == self.estate.ids[name]]
        return found

    # What is asked ----------------------------------------------------------------------------------------------------

    def places(self, name: str) -> list[str]:
        """What stands in a path, of what is seen and what is not."""
        estate = self.estate
        return {
            "ci": [self.seen["web"], self.seen["shop"], estate.ids["zqxvvault"]],
            "task": [row[0] for row in estate.rows(tables.TASK)],
            "id_": [row[0] for row in estate.rows(tables.DECISION)],
            "number": sorted(row[0] for row in estate.rows(tables.KEPT)),
            "kind": ["change", "outage", "approval", "assessment", "release", "freeze"],
            "name": ["before", "memory.used", "zqxv.used", "agent-1", CLASS],
        }[name]

    def values(self, name: str, schema: Mapping[str, Any]) -> list[str]:
        """What is asked with a parameter; KeyError for a new one, of which nobody has said yet how it is tried."""
        if schema.get("enum"):
            return [str(one) for one in schema["enum"] if one is not None]
        if schema.get("type") == "boolean":
            return ["true"]
        estate, now = self.estate, now_ms()
        past = [rfc3339(estate.between), rfc3339(estate.begun + 2 * HOUR)]
        return {
            "at": past[:1], "known_at": [rfc3339(now)], "q": ["zqxv", "10.66.6.6", "web", "ZQXVSERIAL", "app"],
            "select": ['rel("depends_on").name.startsWith("zqxv")', 'name == "web"'],
            "class": ["server", CLASS], "name": ["web", "zqxvvault"], "attribute": ["os_name=zqxvos2"],
            "ci": [self.seen["web"]], "failed": [self.seen["web"]], "not_impacted": [self.seen["web3"]],
            "from": [self.seen["web"], self.part_of("web", "app")],
            "to": [self.seen["wiki"], self.part_of("zqxvvault", "app")], "service": [self.seen["shop"]],
            "owner": ["olga", "zqxvowner"], "type": ["depends_on"], "check": ["orphan", "unresolved-end"],
            "subject": ["ann"], "state": ["new", "authorise", "open"], "source": ["ssh"], "site": ["lab"],
            "since": [rfc3339(estate.begun)], "until": [rfc3339(now)], "attribute_": ["os_name"], "limit": ["2"],
        }.get(name, [])  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("rights"))
    yield made
    made.store.close()


SPECIAL: dict[tuple[str, str], list[str]] = {
    ("/api/v1/diff", "from"): ["BEGUN"], ("/api/v1/diff", "to"): ["NOW"], ("/api/v1/schedule", "from"): ["BEGUN"],
    ("/api/v1/schedule", "to"): ["LATER"], ("/api/v1/baselines/{name}/drift", "to"): ["NOW"],
    ("/api/v1/changes", "since"): ["0", "5"], ("/api/v1/cis/{ci}/samples/{name}", "from"): ["BEGUN"],
    ("/api/v1/cis/{ci}/samples/{name}", "to"): ["NOW"], ("/api/v1/cis/{ci}/explain", "attribute"): ["os_name"],
}  # fmt: skip
"""Parameters whose name means something else there."""


def questions(desk: Desk, rule: Rule, path: str) -> Iterator[str]:
    """Every GET of an endpoint: each place in its path, with what it needs, and with each of its other parameters."""
    told = [one for one in desk.spec["paths"][path]["get"].get("parameters", ()) if one.get("in") == "query"]
    told += [one for one in desk.spec["paths"][path].get("parameters", ()) if one.get("in") == "query"]
    times = {"BEGUN": desk.estate.begun + 60_000, "NOW": now_ms(), "LATER": now_ms() + 24 * HOUR}

    def values(one: Mapping[str, Any]) -> list[str]:
        schema = one.get("schema", {})
        found = SPECIAL.get((path, one["name"])) or desk.values(one["name"], schema.get("items", schema))
        return [rfc3339(times[value]) if value in times else value for value in found]

    needed = {one["name"]: values(one) for one in told if one.get("required")}
    assert all(needed.values()), f"{path}: say in this test what {needed} are to be"
    ways = [dict(zip(needed, some, strict=True)) for some in product(*needed.values())]
    more = [{one["name"]: value} for one in told if not one.get("required") for value in values(one)]
    for places in product(*(desk.places(name) for name in sorted(rule.arguments))):
        where = path
        for name, value in zip(sorted(rule.arguments), places, strict=True):
            where = where.replace(f"{{{name}}}", value)
        yield from (with_query(where, way) for way in ways)
        yield from (with_query(where, ways[0] | one) for one in more)


def with_query(where: str, told: Mapping[str, str]) -> str:
    from urllib.parse import urlencode

    return f"{where}?{urlencode(told)}" if told else where


def test_no_answer_tells_of_what_is_not_seen(desk: Desk) -> None:
    told, shown = {}, set()
    for rule, path, _ in desk.rules("GET"):
        if path in MODEL:
            continue
        for question in questions(desk, rule, path):
            response = desk.part.get(question)
            assert response.status_code < 500, (question, response.text)
            asked = {word for word in desk.secrets if word in question.lower()}
            if leaks := desk.leaks(response, *asked):
                told[question] = leaks
            if path not in shown and desk.leaks(desk.all.get(question), *asked):
                shown.add(path)
    assert told == {}
    quiet = {path for _, path, _ in desk.rules("GET")} - shown - MODEL
    assert quiet <= QUIET, "what tells nothing of the secret to anybody is not tried here"


QUIET = {
    "/api/v1/agents", "/api/v1/agents/{name}", "/api/v1/audit", "/api/v1/jobs", "/api/v1/metrics", "/api/v1/retention",
    "/api/v1/tokens", "/api/v1/webhooks",  # for administrators, who see everything, and metrics for who does
    "/api/v1/baselines", "/api/v1/baselines/{name}", "/api/v1/health", "/api/v1/kept", "/api/v1/relation-types",
    "/api/v1/cmdb-health/course", "/api/v1/kept/change/{number}/slot", "/api/v1/cis/{ci}/samples/{name}",  # numbers
}  # fmt: skip


def test_what_is_not_seen_is_answered_like_what_is_not_there(desk: Desk) -> None:
    vault, differing, asked = desk.estate.ids["zqxvvault"], [], 0
    for rule, path, _ in desk.rules("GET"):
        told = [one for one in desk.spec["paths"][path]["get"].get("parameters", ()) if one.get("in") == "query"]
        ids = [one for one in told if one["schema"].get("items", one["schema"]).get("format") == "uuid"]
        needed = next(iter(questions(desk, rule, path))) if ids else ""
        for one in ids:
            question = with_value(needed, one["name"])
            asked += 1
            differing += [question for answers in [alike(desk, question, vault)] if not answers]
        if "ci" in rule.arguments:
            for question in questions(desk, rule, path):
                if vault in question.partition("?")[0]:
                    asked += 1
                    differing += [] if alike(desk, question.replace(vault, "{}"), vault) else [question]
    assert asked > 40
    assert differing == []


def with_value(question: str, name: str) -> str:
    """The question with a place for an id in that parameter."""
    where, _, query = question.partition("?")
    rest = [part for part in query.split("&") if part and not part.startswith(f"{name}=")]
    return f"{where}?{'&'.join([*rest, f'{name}={{}}'])}"


def alike(desk: Desk, question: str, hidden: str) -> bool:
    answers = []
    for id_ in (hidden, UNKNOWN):
        response = desk.part.get(question.format(id_), headers={"X-Request-Id": "the-same-one"})
        answers.append((response.status_code, response.get_data(as_text=True).replace(id_, "it")))
    return answers[0] == answers[1]


def _bodies(desk: Desk) -> dict[str, list[Any]]:
    """(method, endpoint) -> what is sent, of what is not seen; path parts in braces are put in."""
    vault, web, estate = desk.estate.ids["zqxvvault"], desk.seen["web"], desk.estate
    number, part = estate.numbers, [desk.estate.ids["zqxvthird"]]
    (review,) = [row[0] for row in estate.rows(tables.TASK) if row[1] == "review"]
    row = next(row for row in estate.rows(tables.DECISION) if row[4] == "ann" and row[3].get("sides") == [[vault]])
    span = {"start": rfc3339(now_ms()), "end": rfc3339(now_ms() + HOUR)}
    relate = {"edit": "relate", "from": web, "relation": "depends_on", "to": vault}
    csv = "class,name,os_name\nserver,zqxvvault,Plan9\n"
    return _questions(desk, span, relate) | {
        "POST /cis": [
            {"class": "server", "name": "zqxvvault"},
            {"class": "server", "name": "new", "relations": [{"type": "depends_on", "ci": vault}]},
            {"class": "business_service", "name": "zqxvservice"},
            {"class": "business_service", "name": "any", "attributes": {"member_rule": 'name.startsWith("z")'}},
        ],
        f"PATCH /cis/{vault}": [{"attributes": {"os_name": "Plan9"}}],
        f"PATCH /cis/{web}": [{"relations": [{"type": "depends_on", "ci": vault}]}],
        "POST /decisions": [
            {"verb": "pin", "sides": [[vault]], "attribute": "os_name", "pinned": "Plan9", "reason": "r"},
            {"verb": "merge", "sides": [[web], [vault]], "reason": "r"},
            {"verb": "distrust", "value": ["serial", "ZQXVSERIAL"], "reason": "r"},
            {"verb": "tombstone", "sides": [part], "reason": "r"},
        ],
        "POST /decisions/effect": [{"verb": "merge", "sides": [[web], [vault]]}, {"verb": "distrust", "value": ["mac", "3c:ec:ef:66:66:66"]}],
        f"POST /decisions/{row[0]}/undo": [{"reason": "r"}],
        f"POST /reviews/{review}": [{"answer": "accept", "reason": "r"}],
        "POST /kept/change": [
            {"body": {"summary": "mine"}, "cis": {"changed": [vault]}},
            {"body": {"summary": "mine"}, "cis": {"changed": [web, vault]}},
        ],
        "POST /kept/freeze": [{"body": {"summary": "mine", "selector": 'name.startsWith("z")', "windows": [span]}}],
        f"PATCH /kept/change/{number['vault']}": [{"body": {"owner": "me"}}],
        f"PATCH /kept/change/{number['both']}": [{"body": {"owner": "me"}}],
        f"PATCH /kept/change/{number['begun']}": [{"cis": {"changed": [vault]}}],
        f"POST /kept/change/{number['both']}/transitions": [{"transition": "cancel", "note": "n"}],
        f"POST /kept/change/{number['vault']}/transitions": [{"transition": "cancel", "note": "n"}],
        "POST /imports?name=mine&format=csv": [csv],
        "POST /imports?name=mine&format=csv&dry_run=true": [csv],
        "POST /imports?name=mine&format=cyclonedx&host=zqxvvault": ['{"bomFormat": "CycloneDX", "components": []}'],
        "POST /reports": [{}], "POST /reports?dry_run=true": [{}],
        "POST /tokens": [{"subject": "me", "role": "admin"}],
        "POST /baselines": [{"name": "mine"}], "DELETE /baselines/mine": [None],
        "POST /enrolment-codes": [{"agent": "mine"}], "POST /enrol": [{"code": "x"}],
        "POST /webhooks": [{"url": "https://example.org", "secret": "env:X"}],
        f"DELETE /webhooks/{UNKNOWN}": [None], f"DELETE /tokens/{UNKNOWN}": [None],
        "POST /agents/agent-1/retirement": [{"reason": "r"}], "DELETE /agents/agent-1/retirement": [None],
        "POST /retention": [{"before": rfc3339(estate.begun)}],
    }  # fmt: skip


def _questions(desk: Desk, span: dict[str, str], relate: dict[str, str]) -> dict[str, list[Any]]:
    """Of ``_bodies`` those that ask and change nothing."""
    vault, web = desk.estate.ids["zqxvvault"], desk.seen["web"]
    return {
        "POST /impact": [{"failed": [vault]}, {"failed": [web], "edits": [relate]}, {"failed": [web], "also": "both"}],
        "POST /impact/compare": [{"failed": [web]}, {"failed": [web], "after": {"edits": [{"edit": "remove", "ci": vault}]}}],
        "POST /impact/intervals": [
            {**span, "failures": [{"cis": [web], "spans": [span]}], "also": "both"},
            {**span, "failures": [{"cis": [vault], "spans": [span]}]},
        ],
        "POST /impact/proof": [{"failed": [web]}, {"failed": [vault]}],
        "POST /impact/proof/columns": [{"failed": [web]}, {"failed": [vault]}],
        "POST /impact/proof/columns/verdict": [
            pack({"failed": [web]}, in_columns(Proof(1, (), (), (), (), ()))), pack({"failed": [vault]}, in_columns(Proof(1, (), (), (), (), ()))),
        ],
        "POST /impact/proof/verdict": [
            {"failed": [web], "not_impacted": [], "revision": 1, "claims": [], "held": [], "cut": [], "edits": []}
        ],
        f"POST /cis/{vault}/requires": [{}],
        f"POST /cis/{desk.seen['shop']}/requires": [{}, {"edits": [relate]}],
        f"POST /cis/{vault}/single-points": [{}],
        f"POST /cis/{desk.seen['shop']}/single-points": [{"pairs": True}],
    }  # fmt: skip


ALLOWED = {
    "POST /impact",
    "POST /impact/compare",
    "POST /impact/intervals",
    "POST /baselines",
    "DELETE /baselines/mine",
}
"""Of these some may be done: questions about what is seen, and names for times."""


def test_nothing_is_done_to_what_is_not_seen_and_nothing_told_of_it(desk: Desk) -> None:
    before = graph(desk)
    tried = set()
    for action, bodies in _bodies(desk).items():
        method, _, where = action.partition(" ")
        rule, _ = desk.app.url_map.bind("").match(f"/api/v1{where.partition('?')[0]}", method, return_rule=True)
        tried.add((method, rule.rule))
        for body in bodies:
            media = {str: "text/plain", bytes: "application/zip"}.get(type(body))
            sent = {"json": body} if media is None else {"data": body, "content_type": media}
            response = desk.part.open(f"/api/v1{where}", method=method, headers={"If-Match": "*"}, **sent)
            asked = {word for word in desk.secrets if word in f"{action}{json.dumps(body, default=repr)}".lower()}
            assert not desk.leaks(response, *asked), (action, body, response.text)
            done = response.status_code < 400
            assert not done or action in ALLOWED or "dry_run" in action or "/shop" in action or "requires" in action or (
                "single-points" in action and desk.seen["shop"] in action
            ), (action, body, response.text)  # fmt: skip
    assert graph(desk) == before
    every = {(method, rule.rule) for rule, _, method in desk.rules("POST", "PUT", "PATCH", "DELETE")}
    assert every - tried == set(), "say in this test how somebody tries this on what they do not see"


def graph(desk: Desk) -> list[Any]:
    return [desk.estate.rows(table) for table in (tables.CI, tables.RELATION, tables.DECISION, tables.KEPT)]


def test_no_resource_reads_the_store_past_the_caller(desk: Desk) -> None:
    """But for those of administrators, of agents, and of tokens themselves."""
    own = {"agents", "audit", "auth", "context", "enrolments", "health", "jobs", "metrics", "reports", "retention"}
    own |= {"token", "tokens", "webhooks"}
    for module in sorted(Path(api.__file__).parent.glob("*.py")):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        stores = [one for one in ast.walk(tree) if isinstance(one, ast.Attribute) and one.attr == "store"]
        assert not stores or module.stem in own, f"{module.name}: read what seen() tells"
    assert desk.part.get("/api/v1/metrics").status_code == 403
