"""Whether the server lives, and whether it can answer. Neither needs a token, and neither tells anything else."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from cmdb_server.api.context import context
from cmdb_server.api.resource import resource
from cmdb_server.errors import CmdbError, StoreUnavailable

BLUEPRINT = resource("health", __name__, "For those who start and watch the server", prefix="/health")


class HealthSchema(Schema):
    status = fields.String(required=True)
    revision = fields.Integer(metadata={"description": "The newest committed revision"})


@BLUEPRINT.route("/live")
@BLUEPRINT.response(200, HealthSchema)
def live() -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok"}


@BLUEPRINT.route("/ready")
@BLUEPRINT.response(200, HealthSchema)
@BLUEPRINT.doc(responses={503: "SERVICE_UNAVAILABLE"})
def ready() -> dict[str, Any]:
    """The store answers too."""
    try:
        return {"status": "ok", "revision": context().store.revision()}
    except CmdbError:
        raise
    except Exception as error:
        raise StoreUnavailable from error
