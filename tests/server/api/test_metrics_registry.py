from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cmdb_server.api.metrics_registry import Metrics, gauge


def test_two_apps_of_one_process_count_apart() -> None:
    first, second = Metrics(), Metrics()
    first.observe("GET", "/x", 200, 0.01)
    assert b'route="/x"' in first.exposition([])
    assert b'route="/x"' not in second.exposition([])


def test_gauges_with_and_without_labels() -> None:
    told = Metrics().exposition([gauge("a", "A", {("x",): 1, ("y",): 2}, ("l",)), gauge("b", "B", {(): 3})]).decode()
    assert 'a{l="x"} 1.0' in told and 'a{l="y"} 2.0' in told and "\nb 3.0" in told


def test_processes_are_told_together(tmp_path: Path) -> None:
    program = """
import os
from cmdb_server.api.metrics_registry import Metrics
metrics = Metrics()
for _ in range(2):
    if os.fork() == 0:
        metrics = Metrics()
        metrics.observe("GET", "/x", 200, 0.01)
        os._exit(0)
    os.wait()
print(metrics.exposition([]).decode())
"""
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert 'cmdb_http_requests_total{method="GET",route="/x",status="200"} 2.0' in told.stdout
