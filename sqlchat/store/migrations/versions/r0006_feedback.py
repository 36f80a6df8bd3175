"""What people say of answers, and semantic models beside the context that people write."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SCHEMA = "sqlchat"


def _schema() -> str | None:
    """Unlike CREATE, ALTER is not translated by the engine, which maps the schema away on SQLite."""
    return SCHEMA if op.get_bind().dialect.name == "postgresql" else None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("entry", sa.Uuid, primary_key=True, comment="id of the entry of the history, ordered by time"),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("rating", sa.Text, nullable=False, comment="good or bad"),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("corrected_sql", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema=SCHEMA,
    )
    op.add_column(
        "contexts",
        sa.Column("semantic", sa.Text, comment="a JSON object: a semantic document and what it brought, or none"),
        schema=_schema(),
    )
    _comment_content("a JSON object: notes, terms and references")


def downgrade() -> None:
    _comment_content("a JSON object: notes and terms")
    op.drop_column("contexts", "semantic", schema=_schema())
    op.drop_table("feedback", schema=SCHEMA)


def _comment_content(comment: str) -> None:
    """SQLite keeps no comments."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("contexts", "content", comment=comment, schema=SCHEMA)
