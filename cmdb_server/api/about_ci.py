"""Questions of the graph about one CI: what it stands on, what stands on it, what breaks it alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from cmdb_server.answers.render.media import FORMATS
from cmdb_server.answers.told import plain
from cmdb_server.api.asking import TimesSchema
from cmdb_server.api.auth import viewer
from cmdb_server.api.context import context
from cmdb_server.api.fields import Whole
from cmdb_server.api.rendering import answered


class AboutCiSchema(TimesSchema):
    limit = Whole(1, 1000, query=True, load_default=100)


def answer_about(
    question: Callable[..., Any], ci: UUID, asked: dict[str, Any], name: str, formats: tuple[str, ...] = FORMATS,
    **more: Any,
) -> Response:  # fmt: skip
    """The answer to a ``question`` (projections, viewer, CI, at, known at, limit and ``more``) in the format that was
    asked for. ``name``: of the file."""
    answer = question(context().projections, viewer(), str(ci), asked["at"], asked["known_at"], asked["limit"], **more)
    return answered(lambda: answer, lambda: plain(asdict(answer)), answer.revision, asked["format"], name, formats)
