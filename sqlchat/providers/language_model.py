"""Calls a language model within a deadline, in the best format that its endpoint knows.

A vendor's file subclasses `LanguageModel` and calls its SDK.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, ClassVar, Self

from sqlchat.config import Settings
from sqlchat.errors import ModelError, ModelTimeoutError, QuestionError, SqlchatError
from sqlchat.providers import wire
from sqlchat.providers.base import Draft, Message, Provider, Task, Tokens
from sqlchat.providers.prices import compute_cost
from sqlchat.providers.reading import NoStatementError, UnreadableError, read, read_complete, read_thoughts
from sqlchat.providers.thoughts import remove_thoughts
from sqlchat.telemetry import metrics
from sqlchat.telemetry.spans import open_span

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "interpretation": {"type": "string"},
        "assumptions": {"type": "array", "items": {"type": "string"}},
        "sql": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "explanation": {"type": "string"},
    },
    "required": ["interpretation", "assumptions", "sql", "explanation"],
    "additionalProperties": False,
}
"""The form of a model's answer; the prompt describes it in words, for endpoints that know no schemas. The
interpretation comes before the SQL, so that the SQL follows from it."""
RETRIES = 2
LONGEST_QUOTED = 4000  # characters of an answer that goes back to the model
ANSWER_ANEW = """\
That answer could not be used. {fault}
Answer the same question again with one JSON object and nothing else: "interpretation", "assumptions" (a list), \
"sql" (one whole statement, or null if the data cannot answer), "explanation". No thoughts, no drafts, no other text.\
"""

NO_KEY = "none"
"""Sent if only a base URL is configured: local servers ignore it, and a gateway may have the key itself."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """The text of a model's answer, before it is read."""

    text: str
    model: str
    tokens: Tokens
    is_cut: bool = False
    """Whether it ends at the length limit."""
    thoughts: str = ""
    """Thoughts that the server sent outside the text."""

    def read(self) -> Draft:
        """Return the draft in the text. Raises UnreadableError."""
        return replace(self._read_text(), model=self.model, tokens=self.tokens)

    def _read_text(self) -> Draft:
        if self.is_cut:
            if complete := read_complete(remove_thoughts(self.text)):
                return complete
            raise UnreadableError("The model's answer was cut off at its length limit.")
        if self.text.strip():
            return read(self.text)
        if complete := read_thoughts(self.thoughts):
            return complete
        raise UnreadableError("The model answered without any text.")


class LanguageModel(Provider):
    """A vendor's chat model behind its SDK. All threads share one client, which is made at first use.

    It tries `formats` in order, the strictest first, and keeps the first one that the endpoint accepts.
    """

    formats: ClassVar[Sequence[Any]]
    client_class: ClassVar[str]
    """Its name in the SDK."""
    client_options: ClassVar[Mapping[str, Any]] = {}
    default_model: ClassVar[str]
    default_url: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        key, url, model = self.read_settings(settings)
        self.model = model or self.default_model
        self._timeout, self._prices = settings.model_timeout, settings.model_prices
        self._key, self._url = key or NO_KEY, url or self.default_url
        self._client: Any = None
        self._lock = threading.Lock()
        self._format = 0

    @classmethod
    def create(cls, settings: Settings) -> Self:
        return cls(settings)

    @classmethod
    def is_configured(cls, settings: Settings) -> bool:
        """Is there a key or a base URL? Local servers need no key, and a gateway may hold it."""
        key, url, _ = cls.read_settings(settings)
        return bool(key or url)

    def draft(self, task: Task) -> Draft:
        """See `Provider.draft`. If the answer cannot be read, a second call asks again and says why."""
        reply = self._answer_and_count(task, task.messages)
        try:
            return reply.read()
        except UnreadableError as fault:
            log.info("answer cannot be read", extra={"provider": self.name, "fault": fault.detail[:100]})
            second = self._answer_and_count(task, _ask_again(task.messages, reply.text, fault.detail))
            try:
                return replace(second.read(), tokens=reply.tokens + second.tokens, calls=2)
            except NoStatementError as words:
                raise QuestionError(words.detail) from words

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _answer_and_count(self, task: Task, messages: Sequence[Message]) -> Reply:
        """Ask once, and count the answer's tokens in the task's meter and the metrics, even if it cannot be read."""
        started, outcome = time.perf_counter(), SqlchatError.code
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self.name,
            "gen_ai.request.model": self.model,
        }
        try:
            with open_span(f"chat {self.model}", **attributes) as span:
                reply = self._answer_in_time(messages)
                if span:
                    span.set_attribute("gen_ai.usage.input_tokens", reply.tokens.prompt)
                    span.set_attribute("gen_ai.usage.output_tokens", reply.tokens.completion)
            outcome = "ok"
        except SqlchatError as exc:
            outcome = exc.code
            raise
        finally:
            metrics.count_model_call(self.name, outcome, time.perf_counter() - started)
        task.meter.add(reply.tokens)
        dollars = compute_cost(reply.tokens, reply.model, self._prices)
        metrics.count_tokens(self.name, reply.tokens.prompt, reply.tokens.completion, dollars)
        return reply

    def _answer_in_time(self, messages: Sequence[Message]) -> Reply:
        """Ask under one deadline for all tries and formats together; it does not include the SDK's import."""
        self._get_client()
        with wire.bound_time(self._timeout):
            try:
                return self._answer_in_a_format(messages)
            except ModelError as exc:
                if wire.measure_time_left() <= 0:
                    detail = f"{self.name} did not answer within {self._timeout:g} s."
                    raise ModelTimeoutError(detail, place=exc.place) from exc
                raise

    def _answer_in_a_format(self, messages: Sequence[Message]) -> Reply:
        (sdk, base_error), is_lasting = self.import_sdk(), True
        for index in range(self._format, len(self.formats)):
            form = self.formats[index]
            try:
                answer = self._call(self._get_client(), messages, sdk.omit if form is None else form)
            except (base_error, ValueError) as exc:  # ValueError: a body that is not JSON
                if form is not None and wire.refuses_format(exc):
                    is_lasting = is_lasting and "failed_generation" not in str(exc)  # of this one answer
                    continue
                fault = wire.translate_error(exc, sdk, self.name, self._key)
                fault.place = wire.read_place(self._url)
                raise fault from exc
            if index > self._format and is_lasting:
                log.info("endpoint knows no better format", extra={"provider": self.name, "format": index})
                self._format = index
            return self._read_reply(answer)
        raise AssertionError("The last format is none, which no endpoint refuses.")

    def _get_client(self) -> Any:
        with self._lock:
            if self._client is None:
                sdk, base_error = self.import_sdk()
                self._client = getattr(sdk, self.client_class)(
                    api_key=self._key,
                    base_url=self._url,
                    default_headers={"Authorization": f"Bearer {self._key}"},  # wins over those of the environment
                    max_retries=RETRIES,
                    timeout=self._timeout,
                    http_client=wire.BoundedClient(self._url, late=base_error),
                    **self.client_options,
                )
            return self._client

    @staticmethod
    @abstractmethod
    def read_settings(settings: Settings) -> tuple[str, str, str]:
        """Return the vendor's key, base URL and model in `settings`; "" for each that is not set."""

    @staticmethod
    @abstractmethod
    def import_sdk() -> tuple[ModuleType, type[Exception]]:
        """Import the vendor's SDK; return it and the base class of its exceptions."""

    @abstractmethod
    def _call(self, client: Any, messages: Sequence[Message], form: Any) -> Any:
        """Call the SDK once; return its answer."""

    @abstractmethod
    def _read_reply(self, answer: Any) -> Reply:
        """Read the reply. Raises QuestionError if the model declines, ModelError for other shapes of the answer."""


def _ask_again(messages: Sequence[Message], text: str, fault: str) -> tuple[Message, ...]:
    """Return the prompt for the second call, after the answer `text` could not be read."""
    request = ANSWER_ANEW.format(fault=fault)
    answer = remove_thoughts(text)[:LONGEST_QUOTED].strip()
    if answer:
        return (*messages, Message("assistant", answer), Message("user", request))
    *before, last = messages  # no server takes an empty turn, and some take no two of one role
    return (*before, Message(last.role, f"{last.content}\n\n{request}"))
