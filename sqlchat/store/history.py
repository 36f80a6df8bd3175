"""Keeps one entry for each question and query, however it ended; never a row of its result."""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import Column, Select, delete, func, select

from sqlchat.config import Settings
from sqlchat.errors import StoreUnavailableError
from sqlchat.store.batches import Batches
from sqlchat.store.engine import Database
from sqlchat.store.tables import feedback, history

log = logging.getLogger(__name__)

LONGEST_SQL, LONGEST_QUESTION, LONGEST_WORD = 20_000, 4_000, 200
"""Characters kept of the user's own texts, and of names and ids."""

WINDOW = 0.05
"""Seconds that an entry waits for others, to be written with them."""
SETTLING = 2 * WINDOW
"""Seconds after which every process has written what it had answered, unless the machine is very busy."""
YOUNG = 1.5
"""Seconds for which an id that was given out is worth waiting for its entry."""
WRITTEN_AT_ONCE = 500
SWEEP_AFTER = 100
"""Rows that a process adds between two sweeps..."""
SWEEP_EVERY = 3600.0  # ...or seconds, whichever comes first
SWEPT_AT_ONCE = 1000
"""Rows deleted by one sweep: more than are added until the next, so that what is too old never piles up."""

LARGEST_INTEGER = (1 << 31) - 1
LIMITS = {"sql": LONGEST_SQL, "question": LONGEST_QUESTION, "interpretation": LONGEST_QUESTION}


@dataclass(slots=True)
class Entry:
    """One request, filled in as it goes."""

    owner: str
    connection_id: str
    """The name that the request gave, whether there is such a connection or not."""
    route: str
    """`chat` or `execute`."""
    request_id: str = ""
    user_id: str | None = None
    """The caller's, where there was a token."""
    question: str | None = field(default=None, repr=False)
    sql: str | None = field(default=None, repr=False)
    """The last that was tried, in the connection's dialect."""
    provider: str | None = None
    model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    """Of all calls of the model."""
    row_count: int | None = None
    """Rows in the answer; None where nothing ran to its end."""
    outcome: str = "ok"
    """`ok`, or the `code` of the problem."""
    status: int = 200
    ms: float = 0.0
    id: uuid.UUID = uuid.UUID(int=0)
    """Set when the entry is kept. Ordered by time."""
    at: datetime = datetime.min.replace(tzinfo=UTC)
    """When the request ended; set when the entry is kept."""
    conversation_id: uuid.UUID | None = None
    """Of the questions that are read in the light of one another."""
    interpretation: str | None = field(default=None, repr=False)
    """How the question was read."""

    def record_draft(self, sql: str, model: str, prompt_tokens: int, completion_tokens: int) -> None:
        """A model has written `sql` ("" where it refused); the tokens are those of all its calls so far."""
        self.sql, self.model = sql or None, model
        self.prompt_tokens, self.completion_tokens = prompt_tokens, completion_tokens

    def count_tokens(self, prompt: int, completion: int) -> None:
        """Take these as the tokens of all calls, if they are more than is known so far."""
        self.prompt_tokens = max(self.prompt_tokens, prompt)
        self.completion_tokens = max(self.completion_tokens, completion)


COLUMNS = tuple(row.name for row in fields(Entry))
READ_COLUMNS = attrgetter(*COLUMNS)
ENTRY_COLUMNS = tuple(history.c[name] for name in COLUMNS)


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of a conversation, and what it came to."""

    question: str = field(repr=False)
    interpretation: str | None = field(repr=False)
    sql: str = field(repr=False)
    """As it ran, in the dialect of that connection."""
    connection_id: str


class History:
    """The table `history`. All methods but `add_soon` and `close` raise StoreUnavailableError without a store."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._insert = database.insert(history).on_conflict_do_nothing()
        self._batches = Batches(self._write_or_report, WINDOW)
        self._kept = timedelta(days=settings.history_days)
        self._added, self._swept = 0, -SWEEP_EVERY

    def add(self, entry: Entry) -> None:
        """Keep `entry`, with an id and a time of its own; texts are cut to their limits.

        One round trip. Now and then another one deletes some of what is too old.
        """
        _stamp_entry(entry)
        self._write([entry])

    def add_soon(self, entry: Entry) -> None:
        """Keep `entry` as `add` does, within WINDOW seconds and together with others.

        A store that is gone then costs the entry, with a warning in the log. A process that is killed loses what is
        younger than WINDOW.
        """
        _stamp_entry(entry)
        self._batches.put(entry)

    def close(self) -> None:
        """Write what was left for later. Reports what cannot be written in the log."""
        self._batches.close()

    def _write_or_report(self, entries: list[Entry]) -> None:
        try:
            self._write(entries)
        except StoreUnavailableError as exc:
            report_lost(entries, exc.detail)
        except Exception:
            log.exception("history entries could not be written")
            report_lost(entries, "a fault of the service")

    def _write(self, entries: list[Entry]) -> None:
        if self._kept:
            rows = [_make_row(entry) for entry in entries]
            for first in range(0, len(rows), WRITTEN_AT_ONCE):
                self._database.append(self._insert, rows[first : first + WRITTEN_AT_ONCE])
        self._added += len(entries)
        if self._added >= SWEEP_AFTER or time.monotonic() - self._swept >= SWEEP_EVERY:
            self._added, self._swept = 0, time.monotonic()
            self.sweep()

    def page(
        self,
        owner: str,
        *,
        limit: int,
        before: uuid.UUID | None = None,
        connection_id: str | None = None,
        outcome: str | None = None,
        conversation_id: uuid.UUID | None = None,
        rating: str | None = None,
    ) -> tuple[list[Entry], uuid.UUID | None]:
        """Up to `limit` of the owner's entries, the newest first, and what to give as `before` for those after them.

        `rating` leaves those of which feedback says so: `good`, `bad`, or `any`.

        Pages have neither gaps nor repetitions, whatever is added or swept meanwhile. The first one holds every
        request that was answered before, by whichever process: it waits until all have written theirs.
        """
        if before is None:
            self._batches.flush()
            time.sleep(SETTLING)
        wanted = self._select_newest(owner, *ENTRY_COLUMNS)
        if rating is not None:
            rated = select(feedback.c.entry).where(feedback.c.owner == owner)
            wanted = wanted.where(
                history.c.id.in_(rated if rating == "any" else rated.where(feedback.c.rating == rating))
            )
        if before is not None:
            wanted = wanted.where(history.c.id < before)
        filters = ((history.c.connection_id, connection_id), (history.c.outcome, outcome))
        for column, value in (*filters, (history.c.conversation_id, conversation_id)):
            if value is not None:
                wanted = wanted.where(column == _make_storable(column.name, value))
        rows = self._database.fetch(wanted.limit(limit + 1))
        page = [Entry(**row._mapping) for row in rows[:limit]]
        return page, page[-1].id if len(rows) > limit else None

    def find(self, owner: str, entry_id: uuid.UUID | None) -> Entry | None:
        """The owner's entry of that id, or the newest that ended in rows; None where there is none (any more).

        It waits for other processes: the caller may have the id from one of them a moment ago. The id tells when.
        """
        self._batches.flush()
        time.sleep(SETTLING if entry_id is None else 0)
        wanted = self._select_newest(owner, *ENTRY_COLUMNS).limit(1)
        if entry_id is None:
            wanted = wanted.where(history.c.outcome == "ok", history.c.sql.is_not(None))
        else:
            wanted = wanted.where(history.c.id == entry_id)
        rows = self._database.fetch(wanted)
        is_young = True
        while entry_id is not None and is_young and not rows:
            is_young = 0 <= time.time() - _read_time(entry_id) < YOUNG
            time.sleep(SETTLING)
            rows = self._database.fetch(wanted)
        return Entry(**rows[0]._mapping) if rows else None

    def is_follow_up(self, entry: Entry) -> bool:
        """Whether its question was read in the light of an earlier one."""
        if entry.conversation_id is None:
            return False
        earlier = (history.c.conversation_id == entry.conversation_id) & (history.c.id < entry.id)
        answered = (history.c.owner == entry.owner) & (history.c.outcome == "ok")
        return bool(self._database.fetch(select(history.c.id).where(earlier, answered).limit(1)))

    def conversation(self, owner: str, conversation_id: uuid.UUID, limit: int) -> list[Turn]:
        """The last `limit` of the owner's questions in it that were answered, the oldest first, in one round trip.

        Empty for a conversation that is another owner's, never was, or is forgotten by now.
        """
        answered = (history.c.outcome == "ok") & history.c.question.is_not(None) & history.c.sql.is_not(None)
        wanted = self._select_newest(owner, *(history.c[row.name] for row in fields(Turn)))
        wanted = wanted.where(history.c.conversation_id == conversation_id, answered).limit(limit)
        return [Turn(**row._mapping) for row in reversed(self._database.fetch(wanted))]

    def sum_tokens(self, owner: str, since: datetime) -> list[tuple[str, int, int]]:
        """(model, prompt tokens, completion tokens) of the owner's requests that ended at or after `since`."""
        tokens = func.sum(history.c.prompt_tokens), func.sum(history.c.completion_tokens)
        first = _make_ordered_id(int(since.timestamp()) * 10**9, lowest=True)
        wanted: Select[Any] = select(history.c.model, *tokens).where(history.c.owner == owner, history.c.id >= first)
        rows = self._database.fetch(wanted.group_by(history.c.model))
        return [(model or "", int(prompt), int(completion)) for model, prompt, completion in map(tuple, rows)]

    def sweep(self) -> int:
        """Delete up to SWEPT_AT_ONCE entries that are older than the settings keep, the oldest first.

        All feedback that is as old goes too.
        """
        old = (
            select(history.c.id)
            .where(history.c.id < self._find_oldest_id())
            .order_by(history.c.id)
            .limit(SWEPT_AT_ONCE)
        )
        if not self._database.embedded:
            old = old.with_for_update(skip_locked=True)  # several processes sweep different rows
        with self._database.writing() as connection:
            connection.execute(delete(feedback).where(feedback.c.entry < self._find_oldest_id()))
            return connection.execute(delete(history).where(history.c.id.in_(old))).rowcount

    def _select_newest(self, owner: str, *columns: Column[Any]) -> Select[Any]:
        """A query for columns of the owner's entries that are not too old, the newest first."""
        own = (history.c.owner == owner) & (history.c.id >= self._find_oldest_id())
        return select(*columns).where(own).order_by(history.c.id.desc())

    def _find_oldest_id(self) -> uuid.UUID:
        """The least id that is not too old."""
        kept = int(self._kept.total_seconds() * 1e9)
        return _make_ordered_id(max(0, time.time_ns() - kept), lowest=True)


def report_lost(entries: Sequence[Entry], reason: str) -> None:
    """One line in the log for each entry that could not be kept."""
    for entry in entries:
        facts = {"request_id": entry.request_id, "outcome": entry.outcome, "reason": reason}
        log.warning("history entry lost", extra=facts)


def _stamp_entry(entry: Entry) -> None:
    now = time.time_ns()
    entry.id, entry.at = _make_ordered_id(now), datetime.fromtimestamp(now / 1e9, UTC)


def _make_ordered_id(now: int, *, lowest: bool = False) -> uuid.UUID:
    """A UUID that sorts by time (RFC 9562, version 7; 6.2, method 3: fractions of the millisecond in `rand_a`).

    `now` is nanoseconds since 1970. The `lowest` one of its instant is no id, but a bound of ids.
    """
    milliseconds, rest = divmod(now, 1_000_000)
    number = milliseconds << 80 | 0x7 << 76 | (rest << 12) // 1_000_000 << 64 | 0b10 << 62
    return uuid.UUID(int=number if lowest else number | random.getrandbits(62))


def _read_time(entry_id: uuid.UUID) -> float:
    """Seconds since 1970 at which that id was made."""
    return (entry_id.int >> 80) / 1000


def _make_row(entry: Entry) -> dict[str, object]:
    """Return the entry's columns as both databases hold them; most texts stay as they are."""
    row: dict[str, object] = dict(zip(COLUMNS, READ_COLUMNS(entry), strict=True))
    for name, value in row.items():
        is_plain = isinstance(value, str) and len(value) <= LONGEST_WORD and value.isascii() and "\0" not in value
        if value is not None and not is_plain:
            row[name] = _make_storable(name, value)
    return row


def _make_storable(name: str, value: object) -> object:
    """The nearest value that both databases can hold: a refused text or a model's odd count of tokens is kept too."""
    if isinstance(value, int):
        return min(value, LARGEST_INTEGER)
    if not isinstance(value, str):
        return value
    cut = value[: LIMITS.get(name, LONGEST_WORD)]
    return cut.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
