"""Fixtures that more than one part of the tests needs, and patience."""

from hypothesis import HealthCheck, settings

from tests.neo4j_server import neo4j_opener, neo4j_server

__all__ = ["neo4j_opener", "neo4j_server"]

# How long an example takes is the machine's business; in CI the examples are the same every time.
settings.register_profile(
    "patient", parent=settings.get_profile(settings.get_current_profile_name()), deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
settings.load_profile("patient")
