"""Defines the interface of providers: a provider gets a task and returns a draft of SQL, which other code checks."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

from sqlchat.config import Settings
from sqlchat.sql.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Tokens:
    prompt: int = 0
    completion: int = 0

    @property
    def total(self) -> int:
        return self.prompt + self.completion

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.prompt + other.prompt, self.completion + other.completion)


class Meter:
    """The tokens of all answers that one question took, unreadable ones too. Safe for several threads."""

    def __init__(self) -> None:
        self._lock, self.tokens = threading.Lock(), Tokens()

    def add(self, tokens: Tokens) -> None:
        with self._lock:
            self.tokens += tokens


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the business that the owner defined with SQL."""

    names: tuple[str, ...]
    """The term first."""
    sql: str
    """A condition or an expression in the connection's dialect."""


@dataclass(frozen=True)
class Task:
    """A question and all data that a provider may use to answer it."""

    question: str
    catalog: Catalog
    """The part of the catalog that the provider may see; `catalog.dialect` is the dialect to write in."""
    messages: tuple[Message, ...] = ()
    """The same, rendered as a prompt for language models: system first, the last one the user's."""
    values: Mapping[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    """Low-cardinality texts, (schema, table, column) -> values."""
    plain_kinds: Mapping[tuple[str, str, str], Literal["day", "flag"]] = field(default_factory=dict)
    """Columns that hold days or yes and no although their types do not say so, by (schema, table, column)."""
    terms: tuple[Term, ...] = ()
    """Terms that the question uses, for a provider that reads no prompt."""
    meter: Meter = field(default_factory=Meter, compare=False)


@dataclass(frozen=True, slots=True)
class Draft:
    """A provider's answer."""

    sql: str | None
    """One statement in the task's dialect; None when the provider says that the data cannot answer."""
    explanation: str
    """One or two sentences: the result of the SQL, or why there is none."""
    model: str = ""
    tokens: Tokens = Tokens()
    assumptions: tuple[str, ...] = ()
    interpretation: str = ""
    """The provider's reading of the question, in one sentence that stands by itself; "" if it does not say."""
    warnings: tuple[str, ...] = ()
    """Doubts about the draft, in sentences for the person who asked."""
    calls: int = 1
    values: tuple[tuple[str, tuple[str, str, str], str], ...] = ()
    """(words of the question, (schema, table, column), the value that they name), if the provider tells them."""
    terms: tuple[str, ...] = ()
    """The task's terms that the SQL uses, if the provider tells them."""


class Provider(ABC):
    name: ClassVar[str]
    model: str
    repairs: ClassVar[bool] = True
    """Whether another try, with the fault in `messages`, can give another draft."""
    needs: ClassVar[str] = ""
    """Names of the settings that it needs, for the message to a caller."""

    @classmethod
    def create(cls, settings: Settings) -> Self:
        """Make the provider as `settings` configure it. Opens nothing and imports nothing heavy."""
        return cls()

    @classmethod
    def is_configured(cls, settings: Settings) -> bool:
        """Do the settings hold the fields that this provider needs?"""
        return True

    @abstractmethod
    def draft(self, task: Task) -> Draft:
        """Turn the task's question into SQL. Safe to call from several threads.

        Raises QuestionError (cannot be mapped: the detail says which words), ModelError, ModelTimeoutError,
        RateLimitedError, ProviderNotConfiguredError (the vendor refuses the key).
        """

    def close(self) -> None:  # noqa: B027 - not every provider holds something
        """Close open resources, such as HTTP connections."""
