"""The service's own state, by SQLAlchemy Core: connection definitions (encrypted) and what is known of their data,
users' settings, history.

In Postgres (schema `sqlchat`, out of reach of Supabase's data API) or an SQLite file; migrations by Alembic in
`migrations/`. Imports only `config` and `errors`.
"""

from sqlchat.store.connections import Definition
from sqlchat.store.history import Entry, Turn
from sqlchat.store.knowledge import Example, Term
from sqlchat.store.store import Store

__all__ = ["Definition", "Entry", "Example", "Store", "Term", "Turn"]
