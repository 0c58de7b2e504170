"""What proves an answer, and whether it holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, request
from flask.views import MethodView
from marshmallow import Schema, ValidationError, fields, post_load, validate

from cmdb_server.answers.proof import (
    BY_GATE,
    MOST,
    STATES,
    WHY,
    Claim,
    Cut,
    GateNamed,
    Held,
    Proof,
    Question,
    proof,
    proof_in_columns,
    verdict,
)
from cmdb_server.answers.proof_file import pack, unpack
from cmdb_server.answers.what_if import Edit
from cmdb_server.api.auth import requires, viewer
from cmdb_server.api.context import context
from cmdb_server.api.fields import Instant, Text, Whole
from cmdb_server.api.resource import BODY_REFUSALS, resource, take_body
from cmdb_server.api.what_if import EditedSchema
from cmdb_server.errors import Malformed, UnsupportedMediaType
from cmdb_server.model.instants import rfc3339

BLUEPRINT = resource("proofs", __name__, "What proves an answer, and whether it holds: checked without the engine")
CIS = 1000
LARGEST = 2**53
CIS_ASKED = ("failed", "not_impacted")


class ProvedSchema(EditedSchema):
    """What is asked."""

    failed = fields.List(fields.UUID(), required=True, validate=validate.Length(1, CIS))
    not_impacted = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=CIS))
    at = Instant(load_default=None, allow_none=True)
    known_at = Instant(load_default=None, allow_none=True)

    @staticmethod
    def question(told: dict[str, Any]) -> Question:
        return Question(
            [str(one) for one in told["failed"]], [str(one) for one in told["not_impacted"]], told["at"],
            told["known_at"], told["edits"],
        )  # fmt: skip


class GateNamedSchema(Schema):
    """A gate by what it is of."""

    consumer = fields.UUID(required=True)
    relation = Text(required=True)
    over = fields.String(required=True, validate=validate.Length(max=4096))
    grouped = fields.Boolean(required=True, metadata={"description": "Over a named group; else over a class"})

    @post_load
    def _made(self, told: dict[str, Any], **_: Any) -> GateNamed:
        return GateNamed(**(told | {"consumer": str(told["consumer"])}))


class ProofClaimSchema(Schema):
    """A CI's state, that follows by the gate from CIs of lower rank."""

    ci = fields.UUID(required=True)
    state = fields.String(required=True, validate=validate.OneOf(tuple(STATES)))
    rank = Whole(0, LARGEST, required=True)
    why = fields.String(required=True, validate=validate.OneOf((*WHY, BY_GATE)))
    gate = fields.Nested(GateNamedSchema, required=True, allow_none=True)

    @post_load
    def _made(self, told: dict[str, Any], **_: Any) -> Claim:
        return Claim(**(told | {"ci": str(told["ci"])}))


class HeldSchema(Schema):
    """A gate that holds."""

    gate = fields.Nested(GateNamedSchema, required=True)
    lost = Whole(0, LARGEST, required=True)

    @post_load
    def _made(self, told: dict[str, Any], **_: Any) -> Held:
        return Held(**told)


class CutSchema(Schema):
    """A member that is up, and to which no way leads."""

    gate = fields.Nested(GateNamedSchema, required=True)
    provider = fields.UUID(required=True)
    rank = Whole(0, LARGEST, required=True)

    @post_load
    def _made(self, told: dict[str, Any], **_: Any) -> Cut:
        return Cut(**(told | {"provider": str(told["provider"])}))


class ProofSchema(ProvedSchema):
    """A question, its whole answer, and what proves it."""

    large = True
    revision = Whole(0, LARGEST, required=True, metadata={"description": "Of the graph that it was asked of"})
    claims = fields.List(fields.Nested(ProofClaimSchema), required=True, validate=validate.Length(max=MOST))
    held = fields.List(fields.Nested(HeldSchema), required=True, validate=validate.Length(max=MOST))
    cut = fields.List(fields.Nested(CutSchema), required=True, validate=validate.Length(max=MOST))


class VerdictSchema(Schema):
    revision = fields.Integer(required=True, metadata={"description": "Of the graph that it was held against"})
    holds = fields.Boolean(required=True)
    problems = fields.List(fields.String(), required=True)
    claims = fields.Integer(required=True)
    gates = fields.Integer(required=True)


_ASKED = ProvedSchema()


@BLUEPRINT.route("/impact/proof")
class ProofOf(MethodView):
    @requires("read")
    @BLUEPRINT.arguments(ProvedSchema)
    @BLUEPRINT.doc(responses={404: "NOT_FOUND"})
    @BLUEPRINT.response(200, ProofSchema)
    def post(self, asked: dict[str, Any]) -> Any:
        """What proves the answer to what breaks if these fail together: who is affected since which round and by which
        gate, and the gates that hold. For who sees everything."""
        found = proof(context().projections, viewer(), ProvedSchema.question(asked))
        return {**asdict(found), **asked, "edits": [_told(edit) for edit in asked["edits"]]}


def _told(edit: Edit) -> dict[str, Any]:
    """As it was told: what says nothing left out, but for a gate that is taken away."""
    return {name: value for name, value in asdict(edit).items() if value is not None or name == edit.edit == "gate"}


@BLUEPRINT.route("/impact/proof/verdict")
class VerdictOn(MethodView):
    @requires("read")
    @BLUEPRINT.arguments(ProofSchema)
    @BLUEPRINT.doc(responses={404: "NOT_FOUND"})
    @BLUEPRINT.response(200, VerdictSchema)
    def post(self, told: dict[str, Any]) -> Any:
        """Whether a proof holds on the graph that it is about, by a checker that shares nothing with the engine."""
        claimed = Proof(told["revision"], (), (), *(tuple(told[name]) for name in ("claims", "held", "cut")))
        found = verdict(context().projections, viewer(), ProvedSchema.question(told), claimed)
        return {**asdict(found), "holds": found.holds}


FILE = "application/zip"
READ = (FILE, "application/octet-stream")
AS_FILE = {"schema": {"type": "string", "format": "binary"}}


@BLUEPRINT.route("/impact/proof/columns")
class ColumnsOf(MethodView):
    @requires("read")
    @BLUEPRINT.arguments(ProvedSchema)
    @BLUEPRINT.doc(
        responses={200: {"description": "The proof as a zip of columns", "content": {FILE: AS_FILE}}, 404: "NOT_FOUND"}
    )
    def post(self, asked: dict[str, Any]) -> Response:
        """The same of an answer of any size, as columns in a zip (docs/services.md)."""
        found = proof_in_columns(context().projections, viewer(), ProvedSchema.question(asked))
        times = {name: rfc3339(asked[name]) for name in ("at", "known_at") if asked[name] is not None}
        told = {**asked, **times, "edits": [_told(edit) for edit in asked["edits"]]}
        question = {name: [str(one) for one in value] if name in CIS_ASKED else value for name, value in told.items()}
        headers = {"Content-Disposition": 'attachment; filename="proof.zip"'}
        return Response(pack(question, found), content_type=FILE, headers=headers)


@BLUEPRINT.route("/impact/proof/columns/verdict")
class VerdictOnColumns(MethodView):
    @requires("read")
    @BLUEPRINT.doc(
        requestBody={"required": True, "content": {READ[-1]: AS_FILE}}, responses=BODY_REFUSALS | {404: "NOT_FOUND"}
    )
    @BLUEPRINT.response(200, VerdictSchema)
    def post(self) -> Any:
        """Whether such a proof holds."""
        if request.mimetype not in READ:
            raise UnsupportedMediaType(f"Content-Type {request.mimetype or 'absent'!r} is not read; {FILE} is")
        question, claimed = unpack(take_body(context().settings.max_report))
        try:
            asked = _ASKED.load(question)
        except ValidationError as error:
            raise Malformed(f"the question in the file: {error}") from None
        found = verdict(context().projections, viewer(), ProvedSchema.question(asked), claimed)
        return {**asdict(found), "holds": found.holds}
