"""The command ``cmdb``: serves, and asks a server. Exit codes stand in ``cmdb --help``."""

from cmdb_server.cli.main import main

__all__ = ["main"]
