"""Combines all tables of the store in one object, `Store`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import select

from sqlchat.config import Settings
from sqlchat.store import state_dir
from sqlchat.store.connections import Connections
from sqlchat.store.encryption import Cipher
from sqlchat.store.engine import Database
from sqlchat.store.feedback import FeedbackStore
from sqlchat.store.history import History
from sqlchat.store.knowledge import KnowledgeStore
from sqlchat.store.readings import Readings
from sqlchat.store.tables import meta
from sqlchat.store.user_settings import UserSettings


class Store:
    """The service's own state, in DATABASE_URL or in an SQLite file of the data folder.

    The constructor opens nothing. The embedded file is made and migrated at its first use. Only `upgrade` migrates a
    server's database: until then, and while it is gone, every use raises StoreUnavailableError.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings)
        self.connections = Connections(self._database, Cipher(settings))
        self.user_settings = UserSettings(self._database)
        self.history = History(self._database, settings)
        self.feedback = FeedbackStore(self._database)
        self.knowledge = KnowledgeStore(self._database)
        self.readings = Readings(self._database)

    @property
    def embedded(self) -> bool:
        """True for the SQLite file in the data folder."""
        return self._database.embedded

    def upgrade(self) -> None:
        """Migrate the tables to the newest revision. Raises StoreUnavailableError."""
        self._database.upgrade()

    def check(self) -> None:
        """Raise StoreUnavailableError if the store is gone, or is not migrated."""
        self._database.fetch(select(meta.c.name).limit(1))

    @contextmanager
    def once(self, task: str) -> Iterator[bool]:
        """Yield True if `task` was never done in this embedded store, by any process, and then mark it as done.

        Other processes wait meanwhile. A task that ends with an error counts as not done.
        """
        with state_dir.hold_lock(self._settings, "once"):
            is_first = not self._database.fetch(select(meta.c.name).where(meta.c.name == task))
            yield is_first
            if is_first:
                with self._database.writing() as connection:
                    connection.execute(meta.insert().values(name=task, done_at=datetime.now(UTC)))

    def close(self) -> None:
        """Write the waiting entries of the history, and close the pooled connections."""
        self.history.close()
        self._database.close()
