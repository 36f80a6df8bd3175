"""Keeps feedback on answers, and makes verified examples of it on request."""

from __future__ import annotations

from sqlchat.chat.knowledge_editor import KnowledgeEditor
from sqlchat.connections.open_connection import Claims
from sqlchat.errors import PayloadError
from sqlchat.providers.statements import strip_fence
from sqlchat.store import Entry, Example
from sqlchat.store.feedback import Feedback, FeedbackStore, Rating
from sqlchat.store.history import LONGEST_SQL, History

NO_QUESTION = "Only an answered question can become an example."
NO_SQL = "Give `corrected_sql`: the SQL of this answer is not known to be right."
FOLLOW_UP = "The question goes on from an earlier one; add it in whole at /api/connections/{}/examples."


class FeedbackEditor:
    """Stores feedback on answers, and makes examples of it. Safe to use from several threads."""

    def __init__(self, store: FeedbackStore, history: History, editor: KnowledgeEditor) -> None:
        self._store, self._history, self._editor = store, history, editor

    def give(
        self,
        entry: Entry,
        rating: Rating,
        *,
        comment: str = "",
        corrected_sql: str = "",
        as_example: bool = False,
        claims: Claims = None,
    ) -> tuple[Feedback, Example | None, bool]:
        """Store the owner's feedback on `entry`; return it, the example made of it, and if it is the first.

        Raises the errors of `KnowledgeEditor.put_example`, and PayloadError if the entry cannot be an example; then
        nothing is kept.
        """
        corrected_sql, example = strip_fence(corrected_sql), None
        if as_example:
            sql = corrected_sql or self._find_sql(entry, rating)
            if not entry.question:
                raise PayloadError(NO_QUESTION, errors={"as_example": [NO_QUESTION]})
            if self._history.is_follow_up(entry):
                detail = FOLLOW_UP.format(entry.connection_id)
                raise PayloadError(detail, errors={"as_example": [detail]})
            example, _ = self._editor.put_example(
                entry.owner, entry.connection_id, entry.question, sql, note=comment, claims=claims
            )
        elif corrected_sql:
            self._editor.check_sql(entry.owner, entry.connection_id, corrected_sql, claims)
        feedback, is_new = self._store.put(
            entry.owner, entry.id, rating, comment=comment, corrected_sql=corrected_sql
        )
        return feedback, example, is_new

    def _find_sql(self, entry: Entry, rating: Rating) -> str:
        """Return the SQL of an answer that is rated good. Raises PayloadError for other entries."""
        if rating != "good" or entry.outcome != "ok" or not entry.sql or len(entry.sql) >= LONGEST_SQL:
            raise PayloadError(NO_SQL, errors={"corrected_sql": [NO_SQL]})
        return entry.sql
