"""How stored files are to be read, as their uploads said."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "sqlchat"


def upgrade() -> None:
    op.create_table(
        "readings",
        sa.Column("bucket", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True, comment="of the stored file, its owner's folder included"),
        sa.Column("read", sa.Text, nullable=False, comment="a JSON object: how its upload said it is read"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        schema=SCHEMA,
    )


def downgrade() -> None:
    op.drop_table("readings", schema=SCHEMA)
