"""What SQL may read through a connection."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _schema() -> str | None:
    """Unlike CREATE, ALTER is not translated by the engine, which maps the schema away on SQLite."""
    return "sqlchat" if op.get_bind().dialect.name == "postgresql" else None


def upgrade() -> None:
    op.add_column("connections", sa.Column("policy", sa.Text, comment="a JSON object, or none"), schema=_schema())


def downgrade() -> None:
    op.drop_column("connections", "policy", schema=_schema())
