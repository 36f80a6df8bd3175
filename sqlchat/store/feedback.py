"""Stores people's feedback on answers: at most one for each entry of the history, as long as the entry lives."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import delete, func, select

from sqlchat.errors import FeedbackNotFoundError
from sqlchat.store.engine import Database
from sqlchat.store.history import ENTRY_COLUMNS, Entry
from sqlchat.store.tables import feedback, history

Rating = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's verdict on an answer."""

    entry: uuid.UUID
    """Id of the entry in the history."""
    rating: Rating
    comment: str = field(default="", repr=False)
    corrected_sql: str = field(default="", repr=False)
    """In the connection's dialect; "" without one."""
    at: datetime = datetime.min.replace(tzinfo=UTC)
    """Set when it is stored."""


COLUMNS = tuple(feedback.c[member.name] for member in fields(Feedback))


class FeedbackStore:
    """The table `feedback`. An owner sees no other owner's feedback.

    All methods raise StoreUnavailableError while the store is gone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self, owner: str, entry: uuid.UUID, rating: Rating, *, comment: str, corrected_sql: str
    ) -> tuple[Feedback, bool]:
        """Save feedback on an entry. Returns it, and True if the entry had none before."""
        saved = Feedback(entry, rating, comment, corrected_sql, datetime.now(UTC))
        row = asdict(saved) | {"owner": owner}
        with self._database.writing() as connection:
            count = select(func.count()).select_from(feedback).where(feedback.c.entry == entry)
            is_new = not connection.scalar(count)
            insert = self._database.insert(feedback).values(**row)
            connection.execute(insert.on_conflict_do_update(index_elements=["entry"], set_=row))
        return saved, is_new

    def find(self, owner: str, entries: Iterable[uuid.UUID]) -> dict[uuid.UUID, Feedback]:
        """Return the feedback on the given entries of the owner, by entry id."""
        wanted = select(*COLUMNS).where(feedback.c.owner == owner, feedback.c.entry.in_(list(entries)))
        return {row.entry: Feedback(*tuple(row)) for row in self._database.fetch(wanted)}

    def list(self, owner: str, connection_id: str) -> list[tuple[Entry, Feedback]]:
        """Return all feedback of the owner on answers of that connection, the oldest first."""
        same_entry = (history.c.id == feedback.c.entry) & (history.c.owner == feedback.c.owner)
        query = select(*ENTRY_COLUMNS, *(column.label(f"feedback_{column.name}") for column in COLUMNS))
        query = query.join_from(feedback, history, same_entry).where(feedback.c.owner == owner)
        rows = self._database.fetch(query.where(history.c.connection_id == connection_id).order_by(history.c.id))
        size = len(ENTRY_COLUMNS)
        names = [column.name for column in ENTRY_COLUMNS]
        return [(Entry(**dict(zip(names, row[:size], strict=True))), Feedback(*row[size:])) for row in rows]

    def delete(self, owner: str, entry: uuid.UUID) -> None:
        """Delete the feedback on an entry. Raises FeedbackNotFoundError."""
        with self._database.writing() as connection:
            same_entry = (feedback.c.owner == owner) & (feedback.c.entry == entry)
            if not connection.execute(delete(feedback).where(same_entry)).rowcount:
                raise FeedbackNotFoundError("There is no feedback on this entry.")
