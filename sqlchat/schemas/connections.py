"""Schemas of connections, their policies and their catalogs."""

from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields, validates_schema

from sqlchat.schemas.fields import NOT_EMPTY, make_choice_field, make_field, required_field

CONNECT_EXAMPLE = {
    "provider": "postgres",
    "name": "warehouse",
    "config": {"host": "db.example.com", "database": "analytics", "user": "readonly", "password": "..."},
}
CONNECT_LOCALLY_EXAMPLE = {"provider": "sqlite", "name": "warehouse", "config": {"database": "demo.sqlite"}}
CHANGE_EXAMPLE = {"policy": {"deny_columns": ["customers.email"]}, "privacy": "schema"}
CONNECTED_EXAMPLE = {"name": "warehouse", "provider": "postgres", "status": {"state": "ready", "warnings": []}}
LISTED_EXAMPLE = {
    "name": "warehouse",
    "provider": "PostgresConnection",
    "dialect": "postgresql",
    "created_at": "2026-01-31T09:30:00+00:00",
    "status": {"state": "unknown", "warnings": []},
}
CONNECTIONS_EXAMPLE = {"connections": [LISTED_EXAMPLE]}
CONNECTION_EXAMPLE = LISTED_EXAMPLE | {
    "status": {"state": "ready", "warnings": []},
    "policy": None,
    "privacy": "samples",
}
CATALOG_EXAMPLE = orjson.loads("""
{"dialect": "postgresql", "default_schema": "public", "version": "5f1d0c2a9b7e4436", "tables": [
  {"name": "orders", "schema": "public", "kind": "table", "comment": "one purchase of one customer", "columns": [
    {"name": "id", "type": "bigint", "nullable": false, "comment": "", "base_type": "", "labels": [], "profile":
      {"kind": "number", "null_share": 0.0, "distinct": 1800, "exact": true, "unique": true, "least": "1",
       "most": "1800", "values": [], "complete": false, "examples": [], "strays": []}}],
   "primary_key": ["id"], "foreign_keys": [
    {"columns": ["customer_id"], "ref_schema": "public", "ref_table": "customers", "ref_columns": ["id"],
     "inferred": false, "source": "database"}],
   "row_estimate": 1800}]}
""")
REFRESHED_EXAMPLE = {"version": "5f1d0c2a9b7e4436", "tables": 12, "refreshed_at": "2026-01-31T09:30:00+00:00"}


class PolicySchema(Schema):
    allow_tables = make_field(
        fields.List,
        "`table` or `schema.table`, `*` for any characters; given any, SQL reads nothing else.",
        fields.String(),
    )
    deny_tables = make_field(
        fields.List, "In the same form; a view that reads one of them is denied too.", fields.String()
    )
    deny_columns = make_field(fields.List, "`table.column` or `schema.table.column`.", fields.String())


PRIVACY = ("schema", "samples", "rows")


def _make_config_field(**options: Any) -> fields.Dict:
    description = "The fields of that database; kept encrypted, never given back."
    return make_field(fields.Dict, description, keys=fields.String(), **options)


def _make_policy_field(removal: str = "") -> fields.Nested:
    description = "Limits of what SQL may read; the rest is in no answer, schema or prompt."
    return make_field(fields.Nested, description + removal, PolicySchema, allow_none=True)


def _make_privacy_field(**options: Any) -> fields.String:
    description = (
        "A model may see names, types and comments (`schema`), common values and other facts of columns too "
        "(`samples`), or the first rows of tables as well (`rows`)."
    )
    return make_choice_field(*PRIVACY, description=description, **options)


class ConnectSchema(Schema):
    provider = required_field(fields.String, "postgres, mysql, sqlite, duckdb, spark or files.")
    name = required_field(fields.String, "The `connection_id` from now on.", validate=NOT_EMPTY)
    config = _make_config_field(required=True)
    policy = _make_policy_field()
    privacy = _make_privacy_field(load_default="samples")


class ChangeSchema(Schema):
    """Changes of a connection. Parts that are left out stay."""

    config = _make_config_field()
    policy = _make_policy_field(" Null removes it.")
    privacy = _make_privacy_field()

    @validates_schema
    def _changes_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("Send at least one of config, policy and privacy.", "config")


class StatusSchema(Schema):
    state = required_field(
        fields.String, "`ready`, `unreachable`, `unreadable` (no key decrypts it) or, in the list, `unknown`."
    )
    warnings = make_field(fields.List, "Such as a role that may write.", fields.String())


class ConnectedSchema(Schema):
    name = fields.String(required=True)
    provider = required_field(fields.String, "As the request named it.")
    status = fields.Nested(StatusSchema, required=True)


class ListedConnectionSchema(Schema):
    name = fields.String(required=True)
    provider = required_field(fields.String, "Name of the class that serves it.")
    dialect = fields.String(required=True)
    created_at = fields.DateTime(required=True)
    status = fields.Nested(StatusSchema, required=True)


class ConnectionSchema(ListedConnectionSchema):
    policy = fields.Nested(PolicySchema, allow_none=True)
    privacy = make_choice_field(*PRIVACY, required=True)


class ConnectionsSchema(Schema):
    connections = fields.List(fields.Nested(ListedConnectionSchema), required=True)


class DisconnectedSchema(Schema):
    status = required_field(fields.String, example="disconnected")


class ContentSchema(Schema):
    kind = required_field(fields.String, "`text`, `number`, `time` or `other`.")
    null_share = required_field(fields.Float, "From 0 to 1.")
    distinct = required_field(fields.Integer, "Null if unknown.", allow_none=True)
    exact = required_field(fields.Boolean, "Whether all rows were looked at; else these are estimates.")
    unique = required_field(fields.Boolean, "Whether no value occurs twice.")
    least = required_field(fields.String, "Empty if it has no order that tells.")
    most = fields.String(required=True)
    values = required_field(fields.List, "The most frequent first.", fields.String())
    complete = required_field(fields.Boolean, "Whether `values` are all there are.")
    examples = required_field(
        fields.List, "Spellings of amounts or days kept as text, which `values` leaves out.", fields.String()
    )
    strays = required_field(
        fields.List, "Of texts that nearly all are numbers, those that are none, such as `n/a`.", fields.String()
    )


class ColumnSchema(Schema):
    name = fields.String(required=True)
    type = fields.String(required=True)
    nullable = fields.Boolean(required=True)
    comment = fields.String(required=True)
    base_type = required_field(fields.String, "Of a domain, the type that it is made of; else empty.")
    labels = required_field(fields.List, "Of an enum or a set, all labels that are declared.", fields.String())
    profile = make_field(
        fields.Nested,
        "With `profile=true`: the column's content; null if it was not read.",
        ContentSchema,
        allow_none=True,
    )


class ForeignKeySchema(Schema):
    columns = fields.List(fields.String(), required=True)
    ref_schema = fields.String(required=True)
    ref_table = fields.String(required=True)
    ref_columns = fields.List(fields.String(), required=True)
    inferred = required_field(fields.Boolean, "Found from names and values; the database does not hold it.")
    source = make_choice_field(
        *("database", "inferred", "owner"),
        description="Its origin; `owner` is a reference of the connection's context.",
        required=True,
    )


class TableSchema(Schema):
    name = fields.String(required=True)
    schema = required_field(fields.String, "Empty if the database has no schemas.")
    kind = required_field(fields.String, "`table` or `view`.")
    comment = fields.String(required=True)
    columns = fields.List(fields.Nested(ColumnSchema), required=True)
    primary_key = fields.List(fields.String(), required=True)
    foreign_keys = fields.List(fields.Nested(ForeignKeySchema), required=True)
    row_estimate = fields.Integer(required=True, allow_none=True)


class CatalogSchema(Schema):
    dialect = fields.String(required=True)
    default_schema = fields.String(required=True)
    version = required_field(fields.String, "Changes when the content changes.")
    tables = fields.List(fields.Nested(TableSchema), required=True)


class CatalogQuerySchema(Schema):
    refresh = make_field(fields.Boolean, "Read it anew from the database.", load_default=False)
    profile = make_field(fields.Boolean, "Add the content of each column.", load_default=False)


class RefreshedSchema(Schema):
    version = required_field(fields.String, "Of the catalog as it is now.")
    tables = required_field(fields.Integer, "Their number, with views.")
    refreshed_at = fields.DateTime(required=True)
