"""The embedded engine: one file, several processes, nothing to install."""

from cmdb_server.store.sqlite.engine import SqliteStore

__all__ = ["SqliteStore"]
