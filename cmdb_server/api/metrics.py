"""The server's counts and gauges, for Prometheus to scrape with a token."""

from __future__ import annotations

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST

from cmdb_server.api.auth import requires
from cmdb_server.api.context import context
from cmdb_server.api.metrics_registry import gauge
from cmdb_server.api.resource import resource
from cmdb_server.store.tables import CI, RELATION, REPORT

BLUEPRINT = resource("metrics", __name__, "Prometheus metrics")


@BLUEPRINT.route("/metrics")
@requires("observe")
@BLUEPRINT.response(200, {"type": "string"}, content_type=CONTENT_TYPE_LATEST)
def metrics() -> Response:
    """Counters of all processes and gauges of the store, in Prometheus' text format."""
    store = context().store
    counts = store.read(lambda tx: {table.name: tx.count(table) for table in (CI, RELATION, REPORT)})
    gauges = [
        gauge("cmdb_store_rows", "Rows of a table", {(name,): n for name, n in counts.items()}, ("table",)),
        gauge("cmdb_revision", "The newest committed revision", {(): store.revision()}),
        gauge("cmdb_durable_revision", "The newest durable revision", {(): store.durable_revision()}),
    ]
    return Response(context().metrics.exposition(gauges), content_type=CONTENT_TYPE_LATEST)
