"""OpenAI's chat models, and all endpoints that speak its protocol (Ollama, vLLM, gateways). The SDK's only file."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from sqlchat.config import Settings
from sqlchat.errors import ModelError, QuestionError
from sqlchat.providers import wire
from sqlchat.providers.base import Message, Tokens
from sqlchat.providers.language_model import SCHEMA, LanguageModel, Reply
from sqlchat.providers.parts import (
    CUT,
    STOPPED,
    read_arguments,
    read_content,
    read_elsewhere,
    read_refusal,
    read_thought_parts,
)

if TYPE_CHECKING:
    import openai

THINKING = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
"""Members of a message in which servers send thoughts."""


class OpenAIProvider(LanguageModel):
    name = "openai"
    needs = "OPENAI_API_KEY or OPENAI_BASE_URL"
    client_class = "OpenAI"
    default_model = "gpt-6.1-terra"
    """The current mid-size tier: in the SDK's `ChatModel` list, without a shutdown date (gpt-4o-mini and gpt-4.1 end
    on 2027-01-14, gpt-5-mini on 2026-12-11), at half the price of the next tier up."""
    default_url = "https://api.openai.com/v1"
    formats: ClassVar[Sequence[Any]] = (
        {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA}},
        {"type": "json_object"},
        None,
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._answer_room = settings.answer_room if settings.openai_base_url and settings.model_context else None

    @staticmethod
    def read_settings(settings: Settings) -> tuple[str, str, str]:
        return settings.openai_api_key, settings.openai_base_url, settings.openai_model

    @staticmethod
    def import_sdk() -> tuple[ModuleType, type[Exception]]:
        import openai

        return openai, openai.OpenAIError

    def _call(self, client: openai.OpenAI, messages: Sequence[Message], form: Any) -> Any:
        import openai

        return client.chat.completions.create(
            model=self.model,
            messages=_render_messages(messages),
            max_tokens=self._answer_room or openai.omit,
            response_format=form,
        )

    def _read_reply(self, completion: Any) -> Reply:
        try:
            choice = completion.choices[0]
            message, finish = choice.message, str(choice.finish_reason or "").lower()
            content, refusal = message.content, message.refusal or read_refusal(message.content)
        except (AttributeError, IndexError, TypeError) as exc:  # the SDK checks no shapes; gateways send many
            raise ModelError("openai answered with something that is not a chat completion.") from exc
        if refusal:
            raise QuestionError(f"The model declined to answer: {wire.shorten_message(refusal, self._key)}")
        if finish in STOPPED:
            words = wire.shorten_message(read_content(content), self._key)
            raise QuestionError(f"The model's content filter stopped the answer. {words}".strip())
        called = (read_arguments(getattr(message, name, None) or []) for name in ("tool_calls", "function_call"))
        text = "\n".join(filter(None, (read_content(content), *called))) or read_elsewhere(message, choice)
        thoughts = next((each for name in THINKING if (each := getattr(message, name, None))), content)
        usage = getattr(completion, "usage", None)
        tokens = Tokens(getattr(usage, "prompt_tokens", None) or 0, getattr(usage, "completion_tokens", None) or 0)
        served = getattr(completion, "model", None) or self.model
        return Reply(text, served, tokens, is_cut=finish in CUT, thoughts=read_thought_parts(thoughts))


def _render_messages(messages: Sequence[Message]) -> list[Any]:
    """Join all system messages to one in front, since many local chat templates accept no second."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    rest = [{"role": m.role, "content": m.content} for m in messages if m.role != "system"]
    return [{"role": "system", "content": system}, *rest] if system else rest
