"""Keeps the service's own state: connection definitions (encrypted), their knowledge, users' settings and history.

SQLAlchemy Core reads and writes Postgres (schema `sqlchat`, which Supabase's data API does not serve) or an SQLite
file. Alembic migrates it by `migrations/`. Imports only `config` and `errors`.
"""

from sqlchat.store.connections import Definition
from sqlchat.store.history import Entry, Turn
from sqlchat.store.knowledge import Example, Term
from sqlchat.store.store import Store

__all__ = ["Definition", "Entry", "Example", "Store", "Term", "Turn"]
