"""Limits the tokens and dollars that a caller spends on models in a day (UTC), by the history.

A running question is not in the history yet. So its process reserves the most that it may take: near the limit, a
caller's questions run one after the other, and one question at most passes the limit in each web process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlchat.config import Settings
from sqlchat.errors import BudgetError
from sqlchat.providers.base import Tokens
from sqlchat.providers.prices import compute_cost
from sqlchat.store import Entry
from sqlchat.store.history import History

DIGITS = 6  # of US dollars


class Spent(NamedTuple):
    tokens: int = 0
    cost_usd: float = 0.0

    def plus(self, other: Spent) -> Spent:
        return Spent(self.tokens + other.tokens, self.cost_usd + other.cost_usd)


class Budgets:
    """Reserves and sums what callers spend. Safe to use from several threads."""

    def __init__(self, settings: Settings, history: History) -> None:
        self._settings, self._history = settings, history
        self._limits = Spent(settings.daily_tokens, settings.daily_cost)
        self._under_way: dict[str, dict[int, Spent]] = {}
        """Owner -> id of an entry -> the most that its question may take, in order of arrival."""
        self._changed = threading.Condition()

    def admit(self, entry: Entry, model: str, most: Tokens) -> None:
        """Reserve `most` tokens of `model` for a question, or raise BudgetError if its owner's day is spent.

        If the owner's running questions may take the rest of the budget, wait for them, SQLCHAT_QUEUE_TIMEOUT at
        most. The caller must call `settle` once the entry is stored.
        """
        if not any(self._limits):
            return
        deadline = time.monotonic() + self._settings.queue_timeout
        with self._changed:
            mine = self._under_way.setdefault(entry.owner, {})
            mine[id(entry)] = self._price({model: most})
        try:
            while True:
                # before the history is read: a question that ends between the two counts twice rather than never
                with self._changed:
                    ahead = self._sum_ahead(entry)
                spent = self.sum_spent(entry.owner)
                if self._is_over(spent):
                    raise self._make_error(spent, self._seconds_left())
                if ahead is None or not self._is_over(spent.plus(ahead)):
                    return
                with self._changed:
                    if self._sum_ahead(entry) == ahead and not self._changed.wait(deadline - time.monotonic()):
                        raise self._make_error(spent, 1)
        except BaseException:
            self.settle(entry)
            raise

    def settle(self, entry: Entry) -> None:
        """Release the reservation of `entry`, which the history has now. Safe to call twice."""
        if not any(self._limits):
            return
        with self._changed:
            mine = self._under_way.get(entry.owner, {})
            mine.pop(id(entry), None)
            if not mine:
                self._under_way.pop(entry.owner, None)
            self._changed.notify_all()

    def sum_spent(self, owner: str) -> Spent:
        """Sum the owner's tokens and dollars since midnight (UTC). Raises StoreUnavailableError."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        taken = self._history.sum_tokens(owner, today)
        return self._price({model: Tokens(prompt, completion) for model, prompt, completion in taken})

    def _sum_ahead(self, entry: Entry) -> Spent | None:
        """Return the most that the questions before this one may take; None if there are none."""
        ahead = None
        for key, most in self._under_way[entry.owner].items():
            if key == id(entry):
                break
            ahead = most if ahead is None else ahead.plus(most)
        return ahead

    def _price(self, taken: Mapping[str, Tokens]) -> Spent:
        """Sum the tokens of all models and their dollars; a model without a price costs the highest one."""
        prices = self._settings.model_prices
        dollars = 0.0
        for model, tokens in taken.items():
            cost = compute_cost(tokens, model, prices)
            if cost is None:
                cost = max((compute_cost(tokens, price.model, [price]) or 0.0 for price in prices), default=0.0)
            dollars += cost
        return Spent(sum(tokens.total for tokens in taken.values()), dollars)

    def _is_over(self, spent: Spent) -> bool:
        return any(limit and used >= limit for limit, used in zip(self._limits, spent, strict=True))

    def _make_error(self, spent: Spent, retry_after: int) -> BudgetError:
        """Make the error with used and allowed amounts. `retry_after` is 1 s if running questions fill the budget."""
        budget: dict[str, Any] = {
            name: {"limit": limit, "used": round(used, DIGITS)}
            for name, limit, used in zip(Spent._fields, self._limits, spent, strict=True)
            if limit
        }
        midnight = datetime.now(UTC) + timedelta(seconds=self._seconds_left())
        budget["resets_at"] = midnight.strftime("%Y-%m-%dT00:00:00Z")
        why = "is spent" if retry_after > 1 else "may be spent by your other questions, which are being answered"
        return BudgetError(f"Your budget of model calls for this day {why}.", retry_after=retry_after, budget=budget)

    def _seconds_left(self) -> int:
        """Return the seconds until midnight (UTC), rounded up."""
        now = datetime.now(UTC)
        return 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
