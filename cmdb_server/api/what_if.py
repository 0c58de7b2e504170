"""Edits that a question supposes: no resource of its own, a part of questions."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_load, validate

from cmdb_server.answers.what_if import MOST, NEEDED, Edit
from cmdb_server.api.fields import Instant, Text, Whole
from cmdb_server.projection.build import HEAVIEST


class SupposedEditSchema(Schema):
    """remove: ``ci``. gate: ``ci`` and ``gate``, as its attribute (null: none of its own). relate: ``from``,
    ``relation``, ``to``, and ``group`` and ``weight`` if wanted. unrelate: ``from``, ``relation``, ``to``."""

    edit = fields.String(required=True, validate=validate.OneOf(tuple(NEEDED)))
    ci = fields.UUID()
    gate = fields.Dict(allow_none=True, metadata={"description": "A gate, or relation type -> gate"})
    from_ = fields.UUID(data_key="from")
    relation = Text()
    to = fields.UUID()
    group = Text()
    weight = Whole(1, HEAVIEST)

    @post_load
    def _edit(self, told: dict[str, Any], **_: Any) -> Edit:
        ids: dict[str, Any] = {name: str(told[name]) for name in ("ci", "from_", "to") if name in told}
        return Edit(**(told | ids))


class EditedSchema(Schema):
    """What every question of a graph as it would be begins with."""

    edits = fields.List(
        fields.Nested(SupposedEditSchema),
        load_default=list,
        validate=validate.Length(max=MOST),
        metadata={"description": "What to suppose; nothing is written"},
    )


class AskedAboutSchema(EditedSchema):
    """A question about one CI as it would be."""

    at = Instant(load_default=None, allow_none=True)
    known_at = Instant(load_default=None, allow_none=True)
    limit = Whole(1, 1000, load_default=100)
