"""Anthropic's models, and gateways that speak its protocol. The SDK's only file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from sqlchat.config import Settings
from sqlchat.errors import ModelError, QuestionError
from sqlchat.providers import wire
from sqlchat.providers.base import Message, Tokens
from sqlchat.providers.language_model import SCHEMA, LanguageModel, Reply
from sqlchat.providers.parts import CUT, STOPPED, read_content

if TYPE_CHECKING:
    import anthropic


class AnthropicProvider(LanguageModel):
    name = "anthropic"
    needs = "ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL"
    client_class = "Anthropic"
    client_options: ClassVar[Mapping[str, Any]] = {"open_telemetry": False}
    default_model = "claude-sonnet-5-5"
    """The vendor's current balance of price and skill: in the SDK's `Model` list and not in its DEPRECATED_MODELS, at
    half the price of the Opus tier. claude-haiku-5-5 costs a twentieth, but is made for classification."""
    default_url = "https://api.anthropic.com"
    formats: ClassVar[Sequence[Any]] = (
        {"format": {"type": "json_schema", "schema": SCHEMA}},
        None,
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._answer_room = settings.answer_room

    @staticmethod
    def read_settings(settings: Settings) -> tuple[str, str, str]:
        return settings.anthropic_api_key, settings.anthropic_base_url, settings.anthropic_model

    @staticmethod
    def import_sdk() -> tuple[ModuleType, type[Exception]]:
        import anthropic

        return anthropic, anthropic.AnthropicError

    def _call(self, client: anthropic.Anthropic, messages: Sequence[Message], form: Any) -> Any:
        turns: list[Any] = [{"role": m.role, "content": m.content} for m in messages if m.role != "system"]
        return client.messages.create(
            model=self.model,
            max_tokens=self._answer_room,
            system=_make_system_blocks(messages),
            messages=turns,
            output_config=form,
        )

    def _read_reply(self, message: Any) -> Reply:
        try:
            content, stop, usage = message.content, str(message.stop_reason or "").lower(), message.usage
            if not isinstance(content, str | list):
                raise TypeError(type(content))
        except (AttributeError, TypeError) as exc:  # the SDK checks no shapes; gateways send many
            raise ModelError("anthropic answered with something that is not a message.") from exc
        text = read_content(content)
        if stop in STOPPED:
            why = getattr(getattr(message, "stop_details", None), "explanation", None) or text or "it gave no reason"
            raise QuestionError(f"The model declined to answer: {wire.shorten_message(why, self._key)}")
        counts = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        prompt = sum(getattr(usage, count, None) or 0 for count in counts)
        tokens = Tokens(prompt, getattr(usage, "output_tokens", None) or 0)
        return Reply(text, message.model or self.model, tokens, is_cut=stop in CUT)


def _make_system_blocks(messages: Sequence[Message]) -> list[Any]:
    """System messages as blocks. They are the stable part of a prompt, so the cache is marked behind the last one."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": m.content} for m in messages if m.role == "system"]
    if blocks:
        blocks[-1]["cache_control"] = {"type": "ephemeral"}
    return blocks
