"""What the server counts about itself, in Prometheus' terms."""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
SHARED = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """Counters of one app. Where several processes serve, ``PROMETHEUS_MULTIPROC_DIR`` is set before this module is
    imported and the counts of all are told."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "cmdb_http_requests", "Requests answered", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "cmdb_http_request_seconds", "Time to answer", ("route",), buckets=BUCKETS, registry=self.registry
        )
        self.reports = Counter("cmdb_reports", "Reports acknowledged", ("outcome",), registry=self.registry)
        self.report_bytes = Counter("cmdb_report_bytes", "Bytes of acknowledged reports", registry=self.registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. ``route``: the rule, never the path, which anyone could make up."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def exposition(self, gauges: Iterable[Metric]) -> bytes:
        """Everything in Prometheus' text format, ``gauges`` of the store included."""
        counted = self.registry
        if SHARED in os.environ:
            counted = CollectorRegistry()
            multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        stored = CollectorRegistry()
        stored.register(_Fixed(list(gauges)))
        return generate_latest(counted) + generate_latest(stored)


class _Fixed:
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def gauge(name: str, description: str, values: dict[tuple[str, ...], float], labels: tuple[str, ...] = ()) -> Metric:
    """One gauge family from label values to numbers."""
    family = GaugeMetricFamily(name, description, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family
