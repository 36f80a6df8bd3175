"""Writes the history entry of each question and query, however it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlchat.chat.budgets import Budgets
from sqlchat.errors import SqlchatError, StoreUnavailableError
from sqlchat.store import Entry
from sqlchat.store.history import History, report_lost

ABANDONED = "abandoned", 499
"""nginx's status for a client that hung up before its answer."""


class Audit:
    """Stores an entry of the history for each request. Safe to use from several threads."""

    def __init__(self, history: History, budgets: Budgets) -> None:
        self._history, self._budgets = history, budgets

    @contextmanager
    def keep_entry(self, entry: Entry) -> Iterator[None]:
        """Time the work inside the block and store `entry` with its outcome.

        Errors pass on unchanged. If the store is unreachable, the entry is lost with a warning in the log.
        """
        started = time.perf_counter()
        try:
            yield
        except SqlchatError as exc:
            entry.outcome, entry.status = exc.code, exc.status
            raise
        except GeneratorExit:  # the client that followed the stages hung up
            entry.outcome, entry.status = ABANDONED
            raise
        except BaseException:
            entry.outcome, entry.status = SqlchatError.code, SqlchatError.status
            raise
        finally:
            entry.ms = round((time.perf_counter() - started) * 1000, 1)
            try:
                self._store_entry(entry)
            finally:
                self._budgets.settle(entry)

    def _store_entry(self, entry: Entry) -> None:
        try:
            if entry.outcome == StoreUnavailableError.code:  # another try would only double the caller's wait
                raise StoreUnavailableError("The service's own store could not be reached.")
            if entry.conversation_id is None:
                self._history.add_soon(entry)
            else:  # another process may get the next question at once
                self._history.add(entry)
        except StoreUnavailableError as exc:
            report_lost([entry], exc.detail)
