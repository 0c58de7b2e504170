"""The engine for more than one machine, and for people who want Cypher, Bloom and GDS on the same graph."""

from cmdb_server.errors import SettingsError

try:
    import neo4j as _driver  # noqa: F401
except ImportError as error:
    raise SettingsError("the Neo4j store needs its driver (the extra neo4j): pip install neo4j") from error

from cmdb_server.store.neo4j.engine import Neo4jStore

__all__ = ["Neo4jStore"]
