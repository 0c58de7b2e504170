"""The shapes of kept things and their kinds in answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from cmdb_server.api.fields import Instant
from cmdb_server.practices.kept_rows import Kept
from cmdb_server.practices.kind import Kind

CIS = {"description": "role -> ids of CIs"}


class KeptSchema(Schema):
    number = fields.String(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    version = fields.Integer(required=True)
    subject = fields.String(required=True, metadata={"description": "Who opened it"})
    created_at = Instant(required=True)
    changed_at = Instant(required=True)
    revision = fields.Integer(required=True)
    body = fields.Dict(required=True, metadata={"description": "field -> value"})
    cis = fields.Dict(required=True, metadata=CIS)
    possible = fields.List(
        fields.String(), required=True, metadata={"description": "The transitions that lead on from here"}
    )


class KeptPageSchema(Schema):
    Item = KeptSchema
    items = fields.List(fields.Nested(KeptSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)


class HistorySchema(Schema):
    version = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    at = Instant(required=True)
    subject = fields.String(required=True)
    transition = fields.String(required=True, metadata={"description": "open, edit or one of the kind's"})
    state = fields.String(required=True)
    note = fields.String(required=True)
    body = fields.Dict(required=True)
    cis = fields.Dict(required=True, metadata=CIS)


class KindFieldSchema(Schema):
    name = fields.String(required=True)
    title = fields.String(required=True)
    type = fields.String(required=True)
    many = fields.Boolean(required=True)
    required = fields.Boolean(required=True)
    choices = fields.List(fields.String(), required=True)
    states = fields.List(fields.String(), required=True, metadata={"description": "Edited in these alone, if any"})


class KindRoleSchema(Schema):
    name = fields.String(required=True)
    title = fields.String(required=True)
    many = fields.Boolean(required=True)
    required = fields.Boolean(required=True)


class KindTransitionSchema(Schema):
    name = fields.String(required=True)
    from_ = fields.List(fields.String(), required=True, data_key="from")
    to = fields.String(required=True)
    who = fields.List(fields.String(), required=True)
    requires = fields.List(fields.String(), required=True)
    when = fields.Dict(required=True, metadata={"description": "field -> values of which it must hold one"})
    note = fields.Boolean(required=True)


class KindSchema(Schema):
    name = fields.String(required=True)
    title = fields.String(required=True)
    prefix = fields.String(required=True)
    states = fields.List(fields.String(), required=True, metadata={"description": "The first is the initial one"})
    final = fields.List(fields.String(), required=True)
    open = fields.List(fields.String(), required=True, metadata={"description": "Who may open one"})
    edit = fields.List(fields.String(), required=True, metadata={"description": "Who may edit one"})
    fields_ = fields.List(fields.Nested(KindFieldSchema), required=True, data_key="fields")
    cis = fields.List(fields.Nested(KindRoleSchema), required=True)
    transitions = fields.List(fields.Nested(KindTransitionSchema), required=True)


_KEPT = KeptSchema()


def shown(thing: Kept, known: Mapping[str, Kind]) -> dict[str, Any]:
    """A thing as it is answered. One whose kind is no longer told by any file leads nowhere."""
    kind = known.get(thing.kind)
    told: dict[str, Any] = _KEPT.dump(thing)
    told["possible"] = list(kind.possible(thing.state, thing.body)) if kind else []
    return told


def kind_told(kind: Kind) -> dict[str, Any]:
    """A kind, for ``KindSchema``."""
    return {
        "name": kind.name,
        "title": kind.title,
        "prefix": kind.prefix,
        "states": kind.states,
        "final": sorted(kind.final),
        "open": kind.openers,
        "edit": kind.editors,
        "fields_": [
            {"name": one.name, "title": one.title, "type": one.type, "many": one.many, "required": one.required,
             "choices": one.attribute.choices, "states": sorted(one.states)}
            for one in kind.fields.values()
        ],
        "cis": list(kind.cis.values()),
        "transitions": list(kind.transitions),
    }  # fmt: skip
