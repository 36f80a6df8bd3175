"""`/api/connections`: the caller's databases."""

from dataclasses import asdict
from typing import Any

from flask import Response

from sqlchat.api import security
from sqlchat.api.requests import note
from sqlchat.api.resource import Resource, answer, describe_path, runtime
from sqlchat.connections.manager import ConnectionSummary
from sqlchat.schemas.connections import (
    CATALOG_EXAMPLE,
    CHANGE_EXAMPLE,
    CONNECT_EXAMPLE,
    CONNECTED_EXAMPLE,
    CONNECTION_EXAMPLE,
    CONNECTIONS_EXAMPLE,
    REFRESHED_EXAMPLE,
    CatalogQuerySchema,
    CatalogSchema,
    ChangeSchema,
    ColumnSchema,
    ConnectedSchema,
    ConnectionSchema,
    ConnectionsSchema,
    ConnectSchema,
    DisconnectedSchema,
    ForeignKeySchema,
    ListedConnectionSchema,
    RefreshedSchema,
    StatusSchema,
    TableSchema,
)
from sqlchat.schemas.members import render
from sqlchat.sql.catalog import Table
from sqlchat.sql.dialects import write_public_name
from sqlchat.sql.profiles import Profiles
from sqlchat.store.connections import Changes

blueprint = Resource(
    "connections",
    __name__,
    access=security.DATA,
    url_prefix="/api/connections",
    description="The caller's databases.",
)

NAMED = [describe_path("connection_id", "warehouse")]  # sending all examples must not delete the demo
DEMO = [describe_path("connection_id", "demo")]


@blueprint.post("")
@blueprint.arguments(ConnectSchema, example=CONNECT_EXAMPLE)
@blueprint.response(201, ConnectedSchema, example=CONNECTED_EXAMPLE)
@blueprint.fails(401, 409, 413, 415, 503, 504)
def connect(payload: dict[str, Any]) -> dict[str, Any]:
    """Try a database, and keep its definition, encrypted, under a name.

    A config that does not work is refused with 400 and the database's own words.
    """
    connection = runtime().manager.create(
        security.get_owner(),
        payload["provider"],
        payload["name"],
        payload["config"],
        payload.get("policy"),
        privacy=payload["privacy"],
    )
    note(connection=connection.name)
    return _render_changed(connection)


@blueprint.get("")
@blueprint.response(200, ConnectionsSchema, example=CONNECTIONS_EXAMPLE)
@blueprint.fails(401, 503)
def list_connections() -> dict[str, Any]:
    """List the caller's connections, without touching their databases."""
    connections = runtime().manager.list(security.get_owner())
    return {"connections": [_render_connection(ListedConnectionSchema, connection) for connection in connections]}


@blueprint.get("/<connection_id>", parameters=NAMED)
@blueprint.response(200, ConnectionSchema, example=CONNECTION_EXAMPLE)
@blueprint.fails(401, 404, 503)
def show_connection(connection_id: str) -> dict[str, Any]:
    """Show a connection and whether its database can be reached now."""
    return _render_connection(ConnectionSchema, runtime().manager.describe(security.get_owner(), connection_id))


@blueprint.patch("/<connection_id>", parameters=NAMED)
@blueprint.arguments(ChangeSchema, example=CHANGE_EXAMPLE)
@blueprint.response(200, ConnectedSchema, example=CONNECTED_EXAMPLE)
@blueprint.fails(401, 404, 413, 415, 503, 504)
def change_connection(payload: Changes, connection_id: str) -> dict[str, Any]:
    """Change a connection that stays the same one: its context, examples and history stay, in every process.

    A `config` replaces the whole one, password included. It is tried first; one that does not work is refused with
    400, and nothing changes.
    """
    return _render_changed(runtime().manager.change(security.get_owner(), connection_id, payload))


@blueprint.delete("/<connection_id>", parameters=NAMED)
@blueprint.response(200, DisconnectedSchema, example={"status": "disconnected"})
@blueprint.fails(401, 404, 503)
def disconnect(connection_id: str) -> dict[str, str]:
    """Forget a connection, in every process at once; its database stays as it is."""
    runtime().manager.delete(security.get_owner(), connection_id)
    return {"status": "disconnected"}


@blueprint.get("/<connection_id>/schema", parameters=DEMO)
@blueprint.arguments(CatalogQuerySchema, location="query")
@blueprint.response(200, CatalogSchema, example=CATALOG_EXAMPLE)
@blueprint.fails(401, 404, 503, 504)
def show_schema(query: dict[str, bool], connection_id: str) -> Response:
    """Show the catalog: schemas, tables, views, columns, keys, comments and row estimates, and what columns hold."""
    connection = runtime().manager.open(security.get_owner(), connection_id, security.get_claims())
    catalog = connection.read_catalog() if query["refresh"] else connection.catalog
    profiles = connection.read_profiles(refresh=query["refresh"]) if query["profile"] else None
    taught = runtime().knowledge.extend_catalog(security.get_owner(), connection_id, catalog, profiles or Profiles())
    tables = [_render_table(table, profiles) for table in taught.listed.tables]
    return answer(render(CatalogSchema, catalog, dialect=write_public_name(catalog.dialect), tables=tables))


@blueprint.post("/<connection_id>/refresh", parameters=DEMO)
@blueprint.response(200, RefreshedSchema, example=REFRESHED_EXAMPLE)
@blueprint.fails(401, 404, 503, 504)
def refresh(connection_id: str) -> dict[str, Any]:
    """Read the catalog and the profiles of its columns anew, after tables or data have changed."""
    catalog = runtime().manager.refresh(security.get_owner(), connection_id, security.get_claims())
    return {"version": catalog.version, "tables": catalog.tables, "refreshed_at": catalog.at}


def _render_connection(schema: type[ListedConnectionSchema], connection: ConnectionSummary) -> dict[str, Any]:
    dialect, status = write_public_name(connection.dialect), render(StatusSchema, connection)
    return render(schema, connection, provider=connection.class_name, dialect=dialect, status=status)


def _render_changed(connection: ConnectionSummary) -> dict[str, Any]:
    return render(ConnectedSchema, connection, status=render(StatusSchema, connection))


def _render_table(table: Table, profiles: Profiles | None) -> dict[str, Any]:
    columns = [render(ColumnSchema, column) for column in table.columns]
    if profiles is not None:
        for column in columns:
            profile = profiles.get((table.schema, table.name, column["name"]))
            column["profile"] = asdict(profile) if profile else None
    keys = [render(ForeignKeySchema, key) for key in table.foreign_keys]
    return render(TableSchema, table, columns=columns, foreign_keys=keys)
