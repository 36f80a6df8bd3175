"""What was asked and run, by whom, and how it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "sqlchat"


def upgrade() -> None:
    op.create_table(
        "history",
        sa.Column("id", sa.Uuid, primary_key=True, comment="ordered by time"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("connection_id", sa.Text, nullable=False, comment="the name that the request gave"),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("question", sa.Text),
        sa.Column("sql", sa.Text),
        sa.Column("provider", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False, comment="ok, or the code of the problem"),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("row_count", sa.Integer),
        sa.Column("ms", sa.Float, nullable=False),
        sa.Column("prompt_tokens", sa.Integer, nullable=False),
        sa.Column("completion_tokens", sa.Integer, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("history_owner_id", "history", ["owner", "id"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_table("history", schema=SCHEMA)
