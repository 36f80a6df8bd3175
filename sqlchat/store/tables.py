"""Defines the tables of the store, as they are after the newest migration.

On Postgres they are in schema `sqlchat`; on SQLite, which has no schemas, the engine drops that name.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)

SCHEMA = "sqlchat"
HEAD = "0006"
"""The newest revision in `migrations/versions`."""


class UTCDateTime(TypeDecorator[datetime]):
    """An instant. SQLite stores no time zone, so both databases store UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)) if value else None


metadata = MetaData(schema=SCHEMA)

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("config", Text, nullable=False, comment="encrypted"),
    Column("policy", Text, comment="a JSON object, or none"),
    Column("privacy", Text, nullable=False, server_default="samples", comment="what a model may see of it"),
    Column("version", Integer, nullable=False),
    Column("knowledge", Integer, nullable=False, server_default="0", comment="changes of its context and examples"),
    Column("created_at", UTCDateTime, nullable=False),
    Column("updated_at", UTCDateTime, nullable=False),
    UniqueConstraint("owner", "name", name="connections_owner_name"),
)

contexts = Table(
    "contexts",
    metadata,
    Column("connection", Text, primary_key=True, comment="its id"),
    Column("content", Text, nullable=False, comment="a JSON object: notes, terms and references"),
    Column("semantic", Text, comment="a JSON object: a semantic document and what it brought, or none"),
    Column("updated_at", UTCDateTime, nullable=False),
)

examples = Table(
    "examples",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("connection", Text, nullable=False, comment="its id"),
    Column("digest", Text, nullable=False, comment="of the question without case, accents and punctuation"),
    Column("question", Text, nullable=False),
    Column("sql", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("catalog_version", Text, nullable=False, comment="of the catalog that held all its names"),
    Column("verified_at", UTCDateTime, nullable=False),
    UniqueConstraint("connection", "digest", name="examples_connection_digest"),
)

user_settings = Table(
    "user_settings",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("settings", Text, nullable=False, comment="a JSON object"),
    Column("updated_at", UTCDateTime, nullable=False),
)

history = Table(
    "history",
    metadata,
    Column("id", Uuid, primary_key=True, comment="ordered by time"),
    Column("at", UTCDateTime, nullable=False),
    Column("owner", Text, nullable=False),
    Column("user_id", Text),
    Column("connection_id", Text, nullable=False, comment="the name that the request gave"),
    Column("route", Text, nullable=False),
    Column("question", Text),
    Column("sql", Text),
    Column("provider", Text),
    Column("model", Text),
    Column("outcome", Text, nullable=False, comment="ok, or the code of the problem"),
    Column("status", Integer, nullable=False),
    Column("row_count", Integer),
    Column("ms", Float, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("conversation_id", Uuid),
    Column("interpretation", Text, comment="how the question was read"),
    Index("history_owner_id", "owner", "id"),
    Index(
        "history_conversation",
        "owner",
        "conversation_id",
        "id",
        postgresql_where=text("conversation_id IS NOT NULL"),
        sqlite_where=text("conversation_id IS NOT NULL"),
    ),
)

feedback = Table(
    "feedback",
    metadata,
    Column("entry", Uuid, primary_key=True, comment="id of the entry of the history, ordered by time"),
    Column("owner", Text, nullable=False),
    Column("rating", Text, nullable=False, comment="good or bad"),
    Column("comment", Text, nullable=False),
    Column("corrected_sql", Text, nullable=False),
    Column("at", UTCDateTime, nullable=False),
)

readings = Table(
    "readings",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("name", Text, primary_key=True, comment="of the stored file, its owner's folder included"),
    Column("read", Text, nullable=False, comment="a JSON object: how its upload said it is read"),
    Column("updated_at", UTCDateTime, nullable=False),
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True, comment="what is done once in the life of a store"),
    Column("done_at", UTCDateTime, nullable=False),
)

alembic_version = Table("alembic_version", MetaData(schema=SCHEMA), Column("version_num", Text))
"""Alembic's own table, here to be read only."""
