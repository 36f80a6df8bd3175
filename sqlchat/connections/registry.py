"""Finds the class of a connection by its provider. A new database needs one line here."""

from __future__ import annotations

import importlib

from sqlchat.connections.base import Connection
from sqlchat.errors import ProviderUnknownError

PROVIDERS = {
    "postgres": "sqlchat.connections.postgres.connection:PostgresConnection",
    "sqlite": "sqlchat.connections.sqlite.connection:SQLiteConnection",
    "duckdb": "sqlchat.connections.duckdb.connection:DuckDBConnection",
    "mysql": "sqlchat.connections.mysql.connection:MySQLConnection",
    "spark": "sqlchat.connections.spark.connection:SparkConnection",
    "files": "sqlchat.connections.files.connection:FilesConnection",
}


def connection_class(provider: str) -> type[Connection]:
    """Import and return the class of a provider. Raises ProviderUnknownError, which lists the known ones."""
    try:
        module, name = PROVIDERS[provider].split(":")
    except KeyError:
        known = ", ".join(PROVIDERS)
        raise ProviderUnknownError(f"There is no connection provider {provider!r}; known are {known}.") from None
    connection: type[Connection] = getattr(importlib.import_module(module), name)
    return connection
