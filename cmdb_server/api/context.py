"""What the resources share: the app puts it together once, a request finds it here."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app

from cmdb_schemas.ci_class import CIClass
from cmdb_schemas.relations import RelationType
from cmdb_server.answers.past_graphs import PastGraphs
from cmdb_server.answers.sight import Sights
from cmdb_server.api.metrics_registry import Metrics
from cmdb_server.api.quota import Quota
from cmdb_server.practices.kind import Kind
from cmdb_server.projection.projections import Projections
from cmdb_server.settings import Settings
from cmdb_server.store.port import Store

KEY = "cmdb"


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    store: Store
    quota: Quota
    kinds: Mapping[str, CIClass]
    relation_types: Mapping[str, RelationType]
    metrics: Metrics
    projections: Projections
    kept: Mapping[str, Kind]
    sights: Sights
    past: PastGraphs


def context() -> Context:
    """The running app's."""
    found: Context = current_app.extensions[KEY]
    return found


def now_ms() -> int:
    """The server's clock, ms since 1970 UTC."""
    return time.time_ns() // 1_000_000
