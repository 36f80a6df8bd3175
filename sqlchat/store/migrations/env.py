"""Alembic runs this file for each command; `sqlchat.store.migrate` hands it an open connection."""

from alembic import context

from sqlchat.store.tables import SCHEMA, metadata

connection = context.config.attributes["connection"]
sqlite = connection.dialect.name == "sqlite"
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table_schema=None if sqlite else SCHEMA,
    include_schemas=not sqlite,
    render_as_batch=sqlite,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
