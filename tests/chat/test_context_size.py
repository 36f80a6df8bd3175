"""A model whose whole context is small gets prompts that fit it, and room for its answer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from sqlchat.chat.rendering import estimate_tokens
from sqlchat.config import ConfigError, Settings
from sqlchat.errors import TooLargeError

COUNT = "SELECT count(*) AS n FROM customers WHERE country = 'Germany'"


def size(request) -> int:
    return sum(estimate_tokens(message["content"]) for message in request["messages"])


@pytest.fixture
def wide(house):
    """The shop with a hundred further tables."""
    with closing(sqlite3.connect(house.settings.data_dir / "shop.sqlite")) as database:
        for number in range(100):
            columns = ", ".join(f"measured_value_{each} integer" for each in range(12))
            database.execute(f"CREATE TABLE measurements_{number} ({columns})")
        database.commit()
    house.manager.create("local", "sqlite", "wide", {"database": "shop.sqlite"})
    return house


@pytest.mark.parametrize("context", [3000, 4096, 8192])
def test_the_prompt_and_the_answer_fit_the_context(wide, model, context: int) -> None:
    model.says("SELECT nmae FROM customers", COUNT)
    settings = replace(wide.settings, model_context=context)
    pipeline = wide.pipeline_with(settings, type(wide.factory)(settings))
    answer = pipeline.answer(wide.question("How many customers are in Germany?", "wide", provider="openai"))
    assert wide.rows(answer) == [[2]]
    first, second = model.requests
    assert "TABLE customers" in str(first["messages"])
    assert first["max_tokens"] == settings.answer_room
    assert size(first) + settings.answer_room <= context
    assert size(second) + settings.answer_room <= context
    assert any("did not fit the prompt" in warning for warning in answer.warnings)


def test_earlier_questions_go_before_the_catalog_does(house, model) -> None:
    model.says(*[COUNT + f" OR name IN ({', '.join(str(n) for n in range(150))})"] * 6, COUNT)
    conversation = None
    for number in range(6):
        said = house.say(
            f"How many customers are in Germany or on list {number}?", provider="openai", conversation=conversation
        )
        conversation = said.conversation
    settings = replace(house.settings, model_context=4096)
    pipeline = house.pipeline_with(settings, house.factory)
    pipeline.answer(house.question("And in Germany alone?", provider="openai", conversation=conversation))
    *_, last = model.requests
    assert size(last) <= settings.prompt_room
    assert "TABLE customers" in str(last["messages"])
    assert "on list 5" in str(last["messages"])
    assert "on list 4" in str(last["messages"])
    assert "on list 0" not in str(last["messages"])


def test_what_cannot_fit_is_refused_and_not_cut(house, model) -> None:
    with pytest.raises(TooLargeError, match="SQLCHAT_MODEL_CONTEXT_TOKENS"):
        house.ask_with("How many customers are in Germany? " + "Think of it well. " * 500, model_context=3000)
    assert model.requests == []


def test_anthropic_s_answer_has_the_same_room(house, model) -> None:
    model.says(COUNT)
    settings = Settings(
        data_dir=house.settings.data_dir,
        anthropic_api_key="k",
        anthropic_base_url=house.settings.anthropic_base_url,
        model_context=6000,
    )
    pipeline = house.pipeline_with(settings, type(house.factory)(settings))
    pipeline.answer(house.question("How many customers are in Germany?", provider="anthropic"))
    assert model.requests[0]["max_tokens"] == 1000


def test_a_context_without_room_ends_the_start() -> None:
    with pytest.raises(ConfigError, match="SQLCHAT_MODEL_CONTEXT_TOKENS: must be 3000 or more"):
        Settings.from_environ({"SQLCHAT_MODEL_CONTEXT_TOKENS": "1000"})
