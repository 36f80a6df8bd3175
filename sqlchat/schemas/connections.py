"""Schemas of connections, their policies and their catalogs."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from sqlchat.schemas.texts import required_field

CONNECT_EXAMPLE = {
    "provider": "postgres",
    "name": "warehouse",
    "config": {"host": "db.example.com", "database": "analytics", "user": "readonly", "password": "..."},
}
CONNECT_LOCALLY_EXAMPLE = {"provider": "sqlite", "name": "warehouse", "config": {"database": "demo.sqlite"}}
CHANGE_EXAMPLE = {"policy": {"deny_columns": ["customers.email"]}, "privacy": "schema"}
CONNECTED_EXAMPLE = {"name": "warehouse", "provider": "postgres", "status": {"state": "ready", "warnings": []}}
CONNECTION_EXAMPLE = CONNECTED_EXAMPLE | {
    "provider": "PostgresConnection",
    "dialect": "postgresql",
    "created_at": "2026-01-31T09:30:00+00:00",
    "policy": None,
    "privacy": "samples",
}
CONNECTIONS_EXAMPLE = {
    "connections": [
        {
            "name": "warehouse",
            "provider": "PostgresConnection",
            "dialect": "postgresql",
            "created_at": "2026-01-31T09:30:00+00:00",
            "status": {"state": "unknown", "warnings": []},
        }
    ]
}
CATALOG_EXAMPLE = {
    "dialect": "postgresql",
    "default_schema": "public",
    "version": "5f1d0c2a9b7e4436",
    "tables": [
        {
            "name": "orders",
            "schema": "public",
            "kind": "table",
            "comment": "one purchase of one customer",
            "columns": [
                {
                    "name": "id",
                    "type": "bigint",
                    "nullable": False,
                    "comment": "",
                    "base_type": "",
                    "labels": [],
                    "profile": {
                        "kind": "number",
                        "null_share": 0.0,
                        "distinct": 1800,
                        "exact": True,
                        "unique": True,
                        "least": "1",
                        "most": "1800",
                        "values": [],
                        "complete": False,
                        "examples": [],
                        "strays": [],
                    },
                }
            ],
            "primary_key": ["id"],
            "foreign_keys": [
                {
                    "columns": ["customer_id"],
                    "ref_schema": "public",
                    "ref_table": "customers",
                    "ref_columns": ["id"],
                    "inferred": False,
                    "source": "database",
                }
            ],
            "row_estimate": 1800,
        }
    ],
}

REFRESHED_EXAMPLE = {"version": "5f1d0c2a9b7e4436", "tables": 12, "refreshed_at": "2026-01-31T09:30:00+00:00"}


def _make_names_field(description: str) -> "fields.List[str]":
    return fields.List(fields.String(), metadata={"description": description})


class PolicySchema(Schema):
    allow_tables = _make_names_field(
        "`table` or `schema.table`, `*` for any characters; given any, SQL reads nothing else."
    )
    deny_tables = _make_names_field("In the same form; a view that reads one of them is denied too.")
    deny_columns = _make_names_field("`table.column` or `schema.table.column`.")


PRIVACY = ("schema", "samples", "rows")


def _make_config_field(*, required: bool) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(),
        required=required,
        metadata={"description": "The fields of that database; kept encrypted, never given back."},
    )


def _make_policy_field(removal: str = "") -> fields.Nested:
    description = "What SQL may read; the rest is in no answer, schema or prompt."
    return fields.Nested(PolicySchema, allow_none=True, metadata={"description": description + removal})


def _make_privacy_field(**absent: Any) -> fields.String:
    return fields.String(
        validate=validate.OneOf(PRIVACY),
        metadata={
            "description": "What a model may see: names, types and comments (`schema`), common values and other "
            "facts of columns too (`samples`), or the first rows of tables as well (`rows`)."
        },
        **absent,
    )


class ConnectSchema(Schema):
    provider = required_field(fields.String, "postgres, mysql, sqlite, duckdb, spark or files.")
    name = required_field(fields.String, "The `connection_id` from now on.", validate=validate.Length(min=1))
    config = _make_config_field(required=True)
    policy = _make_policy_field()
    privacy = _make_privacy_field(load_default="samples")


class ChangeSchema(Schema):
    """Changes of a connection. Parts that are left out stay."""

    config = _make_config_field(required=False)
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
    warnings = fields.List(fields.String(), metadata={"description": "Such as a role that may write."})


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
    privacy = fields.String(required=True, validate=validate.OneOf(PRIVACY))


class ConnectionsSchema(Schema):
    connections = fields.List(fields.Nested(ListedConnectionSchema), required=True)


class DisconnectedSchema(Schema):
    status = fields.String(required=True, metadata={"example": "disconnected"})


class ContentSchema(Schema):
    kind = required_field(fields.String, "`text`, `number`, `time` or `other`.")
    null_share = required_field(fields.Float, "From 0 to 1.")
    distinct = required_field(fields.Integer, "Null where unknown.", allow_none=True)
    exact = required_field(fields.Boolean, "Whether all rows were looked at; else these are estimates.")
    unique = required_field(fields.Boolean, "Whether no value occurs twice.")
    least = required_field(fields.String, "Empty where it has no order that tells.")
    most = fields.String(required=True)
    values = required_field(fields.List, "The most frequent first.", fields.String())
    complete = required_field(fields.Boolean, "Whether `values` are all there are.")
    examples = required_field(
        fields.List,
        "Of many amounts or days kept as text, which `values` leaves out: how they are written.",
        fields.String(),
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
    profile = fields.Nested(
        ContentSchema,
        allow_none=True,
        metadata={"description": "With `profile=true`: what the column holds; null where that was not read."},
    )


class ForeignKeySchema(Schema):
    columns = fields.List(fields.String(), required=True)
    ref_schema = fields.String(required=True)
    ref_table = fields.String(required=True)
    ref_columns = fields.List(fields.String(), required=True)
    inferred = required_field(fields.Boolean, "Found from names and values; the database does not hold it.")
    source = required_field(
        fields.String,
        "Who says so; `owner` is a reference of the connection's context.",
        validate=validate.OneOf(["database", "inferred", "owner"]),
    )


class TableSchema(Schema):
    name = fields.String(required=True)
    schema = required_field(fields.String, "Empty where the database has no schemas.")
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
    refresh = fields.Boolean(load_default=False, metadata={"description": "Read it anew from the database."})
    profile = fields.Boolean(load_default=False, metadata={"description": "Tell what each column holds."})


class RefreshedSchema(Schema):
    version = required_field(fields.String, "Of the catalog as it is now.")
    tables = required_field(fields.Integer, "How many there are, views included.")
    refreshed_at = fields.DateTime(required=True)
