"""What a team knows of its data, what a model may see of it, and which questions belong together."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SCHEMA = "sqlchat"
IN_CONVERSATIONS = sa.text("conversation_id IS NOT NULL")


def _schema() -> str | None:
    """Unlike CREATE, ALTER is not translated by the engine, which maps the schema away on SQLite."""
    return SCHEMA if op.get_bind().dialect.name == "postgresql" else None


def upgrade() -> None:
    op.add_column(
        "connections",
        sa.Column("privacy", sa.Text, nullable=False, server_default="samples", comment="what a model may see of it"),
        schema=_schema(),
    )
    op.add_column(
        "connections",
        sa.Column(
            "knowledge", sa.Integer, nullable=False, server_default="0", comment="changes of its context and examples"
        ),
        schema=_schema(),
    )
    op.create_table(
        "contexts",
        sa.Column("connection", sa.Text, primary_key=True, comment="its id"),
        sa.Column("content", sa.Text, nullable=False, comment="a JSON object: notes and terms"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "examples",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("connection", sa.Text, nullable=False, comment="its id"),
        sa.Column("digest", sa.Text, nullable=False, comment="of the question without case, accents and punctuation"),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("catalog_version", sa.Text, nullable=False, comment="of the catalog that held all its names"),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("connection", "digest", name="examples_connection_digest"),
        schema=SCHEMA,
    )
    op.add_column("history", sa.Column("conversation_id", sa.Uuid), schema=_schema())
    op.add_column(
        "history", sa.Column("interpretation", sa.Text, comment="how the question was read"), schema=_schema()
    )
    op.create_index(
        "history_conversation",
        "history",
        ["owner", "conversation_id", "id"],
        schema=SCHEMA,
        postgresql_where=IN_CONVERSATIONS,
        sqlite_where=IN_CONVERSATIONS,
    )


def downgrade() -> None:
    op.drop_index("history_conversation", "history", schema=_schema())
    for column in ("interpretation", "conversation_id"):
        op.drop_column("history", column, schema=_schema())
    for table in ("examples", "contexts"):
        op.drop_table(table, schema=SCHEMA)
    for column in ("knowledge", "privacy"):
        op.drop_column("connections", column, schema=_schema())
