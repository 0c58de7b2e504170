"""Fixtures that more than one part of the tests needs."""

from tests.neo4j_server import neo4j_opener, neo4j_server

__all__ = ["neo4j_opener", "neo4j_server"]
