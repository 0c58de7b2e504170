"""How complete, correct, fresh and far-reaching the CMDB is, with the CIs behind every figure."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from cmdb_server.answers.health import CHECKS, OF_TASKS, findings, health
from cmdb_server.answers.health_course import LOOK_BACK_MS, health_course, trends
from cmdb_server.api.asking import PageSchema, TimesSchema, cursor_of, opaque
from cmdb_server.api.auth import requires, seen, viewer
from cmdb_server.api.conditional import tagged
from cmdb_server.api.context import now_ms
from cmdb_server.api.fields import Instant, Text
from cmdb_server.api.resource import resource

TRENDS = ("better", "worse", "steady")
BLUEPRINT = resource("cmdb-health", __name__, "How well the CMDB tells of the estate")


class FigureSchema(Schema):
    dimension = fields.String(required=True)
    check = fields.String(required=True, metadata={"enum": list(CHECKS)})
    class_ = fields.String(required=True, data_key="class")
    owner = fields.String(required=True, metadata={"description": "Empty: nobody's"})
    failing = fields.Integer(required=True)
    of = fields.Integer(required=True, metadata={"description": "CIs that the check is about"})


class CheckSchema(Schema):
    check = fields.String(required=True)
    dimension = fields.String(required=True)
    meaning = fields.String(required=True)
    failing = fields.Integer(required=True)
    of = fields.Integer(required=True)
    trend = fields.String(
        required=True, allow_none=True,
        metadata={"enum": [*TRENDS, None], "description": "Against a week ago, or since figures are recorded"},
    )  # fmt: skip


class CmdbHealthSchema(Schema):
    checks = fields.List(fields.Nested(CheckSchema), required=True, metadata={"description": "Over all classes"})
    figures = fields.List(fields.Nested(FigureSchema), required=True, metadata={"description": "By class and owner"})
    revision = fields.Integer(required=True)


class CourseAskedSchema(Schema):
    since = Instant(load_default=None, metadata={"description": "Left out: a week ago"})
    until = Instant(load_default=None, metadata={"description": "Left out: now"})
    check = fields.String(validate=validate.OneOf(tuple(CHECKS)), load_default=None)
    class_ = Text(data_key="class", load_default=None)
    owner = Text(shortest=0, load_default=None, metadata={"description": "Empty: nobody's"})


class HealthPointSchema(Schema):
    at = Instant(required=True)
    failing = fields.Integer(required=True)
    of = fields.Integer(required=True)


class CheckCourseSchema(Schema):
    check = fields.String(required=True)
    points = fields.List(fields.Nested(HealthPointSchema), required=True)
    trend = fields.String(required=True, allow_none=True, metadata={"enum": [*TRENDS, None]})


class CourseSchema(Schema):
    checks = fields.List(fields.Nested(CheckCourseSchema), required=True)


class ListSchema(PageSchema):
    check = fields.String(required=True, validate=validate.OneOf(tuple(CHECKS)))
    class_ = Text(data_key="class", load_default=None)
    owner = Text(shortest=0, load_default=None, metadata={"description": "Empty: nobody's"})


class FindingSchema(Schema):
    check = fields.String(required=True)
    ci = fields.String(required=True)
    class_ = fields.String(required=True, data_key="class")
    name = fields.String(required=True)
    owner = fields.String(required=True)
    detail = fields.String(
        required=True, metadata={"description": "The attribute, address, name or task that it fails by"}
    )


class FindingsSchema(Schema):
    items = fields.List(fields.Nested(FindingSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)


_HEALTH, _FINDINGS, _COURSE = CmdbHealthSchema(), FindingsSchema(), CourseSchema()


@BLUEPRINT.route("/cmdb-health")
@requires("read")
@BLUEPRINT.arguments(TimesSchema, location="query")
@BLUEPRINT.response(200, CmdbHealthSchema)
def figures(asked: dict[str, Any]) -> Response:
    """Completeness, correctness, freshness and coverage, by class and owner. Of the past contradictions are not told:
    which tasks were open is not kept."""
    now = now_ms()
    is_past = (asked["at"], asked["known_at"]) != (None, None)
    told = health(seen(), viewer(), now_ms=now, **asked)
    going = {} if is_past else trends(seen(), told, now)
    checks = []
    for check, (dimension, meaning) in CHECKS.items():
        if is_past and check in OF_TASKS:
            continue
        some = [one for one in told.figures if one.check == check]
        failing, of = sum(one.failing for one in some), sum(one.of for one in some)
        checks.append({"check": check, "dimension": dimension, "meaning": meaning, "failing": failing, "of": of})
        checks[-1]["trend"] = going.get(check)
    body = {"checks": checks, "figures": told.figures, "revision": told.revision}
    return tagged(_HEALTH.dump(body), told.revision)


@BLUEPRINT.route("/cmdb-health/course")
@requires("read")
@BLUEPRINT.arguments(CourseAskedSchema, location="query")
@BLUEPRINT.response(200, CourseSchema)
def course(asked: dict[str, Any]) -> Response:
    """The figures as they were recorded, hourly for two weeks and daily before: their course over time."""
    until = now_ms() if asked["until"] is None else asked["until"]
    since = until - LOOK_BACK_MS if asked["since"] is None else asked["since"]
    told = health_course(seen(), since, until, asked["check"], asked["class_"], asked["owner"])
    return tagged(_COURSE.dump({"checks": told}), seen().revision())


@BLUEPRINT.route("/cmdb-health/findings")
@requires("read")
@BLUEPRINT.arguments(ListSchema, location="query")
@BLUEPRINT.response(200, FindingsSchema)
def behind(asked: dict[str, Any]) -> Response:
    """The CIs behind a figure, of the past too."""
    found = findings(
        seen(), viewer(), asked["check"], asked["class_"], asked["owner"], cursor_of(asked["cursor"]),
        asked["limit"], now_ms=now_ms(), at=asked["at"], known_at=asked["known_at"],
    )  # fmt: skip
    told = {"items": found.items, "next_cursor": opaque(found.cursor), "revision": found.revision}
    return tagged(_FINDINGS.dump(told), found.revision)
