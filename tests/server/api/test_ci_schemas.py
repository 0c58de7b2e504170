from __future__ import annotations

from dataclasses import fields

from cmdb_server.answers import views
from cmdb_server.api.ci_schemas import (
    STAGES,
    CiSchema,
    CiSummarySchema,
    OpenEndSchema,
    RelationViewSchema,
    SourceSchema,
    links,
    whole,
)
from cmdb_server.model.presence import Run, stage

SUMMARY = views.CiSummary(
    "00000000-0000-0000-0000-000000000001", "server", "x", "", "current", "lab", 0, None, 3, {"a": [1]}
)


def test_nothing_of_an_answer_is_left_out() -> None:
    for kind, schema in (
        (views.CiSummary, CiSummarySchema),
        (views.RelationView, RelationViewSchema),
        (views.OpenEnd, OpenEndSchema),
        (views.SourceView, SourceSchema),
    ):
        told = {field.attribute or name for name, field in schema().fields.items()}
        assert {field.name for field in fields(kind)} == told, kind
    assert {field.name for field in fields(views.CiAnswer)} - {"summary"} <= set(CiSchema().fields)


def test_a_ci_as_json() -> None:
    told = whole(views.CiAnswer(SUMMARY, (), (), samples=({"name": "x", "value": 1.0},)))
    assert told["id"] == SUMMARY.id and told["parent"] is None and told["life"] == "current"
    assert (told["first_discovered"], told["last_discovered"]) == ("1970-01-01T00:00:00.000Z", None)
    assert told["samples"] == [{"name": "x", "value": 1.0}]
    assert told["links"] == links(SUMMARY.id)


def test_the_stages_are_those_of_the_model() -> None:
    assert stage([Run(0, 0, None)], None, 0).stage in STAGES
