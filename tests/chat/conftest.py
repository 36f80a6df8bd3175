"""A shop's catalog, as a database would tell it; and a pipeline over a real shop, with a model that answers."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sqlchat.chat.answer import Answer, Stage
from sqlchat.chat.budgets import Budgets
from sqlchat.chat.context import SchemaLinker
from sqlchat.chat.knowledge import Knowledge
from sqlchat.chat.pipeline import Pipeline
from sqlchat.chat.question import Mode, Question
from sqlchat.config import Settings
from sqlchat.connections.manager import ConnectionManager
from sqlchat.providers.factory import ProviderFactory
from sqlchat.sql.catalog import Catalog, Column, ForeignKey, Table
from sqlchat.sql.profiles import ColumnProfile, Profiles, Texts
from sqlchat.store import Entry, Store
from sqlchat.workers import Workers


@pytest.fixture
def shop() -> Catalog:
    customers = Table(
        "customers",
        (
            Column("id", "integer", nullable=False),
            Column("name", "text"),
            Column("country", "text", comment="Where they live"),
        ),
        "public",
        comment="People who bought something",
        primary_key=("id",),
        row_estimate=300,
    )
    orders = Table(
        "orders",
        (
            Column("id", "integer", nullable=False),
            Column("customer_id", "integer"),
            Column("Total Price", "numeric(10,2)"),
            Column("status", "text"),
        ),
        "public",
        primary_key=("id",),
        foreign_keys=(ForeignKey(("customer_id",), "public", "customers", ("id",)),),
    )
    lines = Table(
        "order_lines",
        (Column("order_id", "integer"), Column("line", "integer"), Column("product", "text")),
        "sales",
        primary_key=("order_id", "line"),
        foreign_keys=(ForeignKey(("order_id", "line"), "sales", "shipments", ("order_id", "line")),),
    )
    return Catalog((customers, orders, lines), "postgres", "public", "v1")


@pytest.fixture
def profiled() -> Callable[[Texts], Profiles]:
    """Profiles of columns of which all texts are known."""

    def make(values: Texts) -> Profiles:
        return Profiles(
            {
                path: ColumnProfile("text", 0.0, len(texts), exact=True, values=texts, complete=True)
                for path, texts in values.items()
            }
        )

    return make


@pytest.fixture
def profiles(profiled: Callable[[Texts], Profiles]) -> Profiles:
    return profiled(
        {
            ("public", "customers", "country"): ("Germany", "United States", "Côte d'Ivoire"),
            ("public", "orders", "status"): ("open", "paid", "cancelled"),
        }
    )


OWNER = "local"
SHOP = """
CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL, country text);
CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer REFERENCES customers (id), total numeric(10,2));
INSERT INTO customers VALUES (1, 'Ada', 'Germany'), (2, 'Ben', 'Spain'), (3, 'Cleo', 'Germany');
INSERT INTO orders VALUES (1, 1, 10.50), (2, 1, 20), (3, 2, 5);
"""


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers(2, 2048)
    yield pool
    pool.close()


class Model:
    """A model that gives the answers it was told to, over both vendors' protocols, and remembers what it was sent."""

    def __init__(self, server: HTTPServer) -> None:
        self.requests: list[Any] = []
        self._answers: list[str] = []
        self._second_answers: list[str] = []
        server.expect_request("/v1/chat/completions").respond_with_handler(self._openai)
        server.expect_request("/v1/messages").respond_with_handler(self._anthropic)

    def says(self, *statements: str | None, explanation: str = "As asked.") -> None:
        self.answers(*(json.dumps({"sql": sql, "explanation": explanation}) for sql in statements))

    def answers(self, *texts: str) -> None:
        self._answers += texts

    def answers_again(self, *texts: str) -> None:
        """Answers only for requests that show the model an answer of its own: drafts of one question run at once."""
        self._second_answers += texts

    def _take_answer(self, request: Request) -> str:
        self.requests.append(json.loads(request.get_data()))
        is_second = any(message["role"] == "assistant" for message in self.requests[-1]["messages"])
        return (self._second_answers if is_second and self._second_answers else self._answers).pop(0)

    def _openai(self, request: Request) -> Response:
        message = {"role": "assistant", "content": self._take_answer(request)}
        return self._json(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "some-model",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
            }
        )

    def _anthropic(self, request: Request) -> Response:
        return self._json(
            {
                "id": "1",
                "type": "message",
                "role": "assistant",
                "model": "some-model",
                "content": [{"type": "text", "text": self._take_answer(request)}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 100, "output_tokens": 10},
            }
        )

    @staticmethod
    def _json(body: Any) -> Response:
        return Response(json.dumps(body), content_type="application/json")


@pytest.fixture
def model(httpserver: HTTPServer) -> Model:
    return Model(httpserver)


@dataclasses.dataclass
class House:
    """A pipeline over the connection `shop`."""

    SHOP = SHOP

    settings: Settings
    manager: ConnectionManager
    store: Store
    workers: Workers

    def __post_init__(self) -> None:
        self.factory = ProviderFactory(self.settings)
        self.pipeline = self.pipeline_with(self.settings, self.factory)

    def pipeline_with(self, settings: Settings, factory: ProviderFactory) -> Pipeline:
        knowledge, history = Knowledge(self.store.knowledge, self.workers), self.store.history
        linker = SchemaLinker(settings.catalog_room)
        parts = {"knowledge": knowledge, "history": history, "workers": self.workers, "linker": linker}
        parts["budgets"] = Budgets(settings, history)
        return Pipeline(settings, self.manager, factory, **parts)

    def ask(self, text: str = "How many customers are in Germany?", **options: Any) -> Answer:
        return self.pipeline.answer(self.question(text, **options))

    def ask_with(self, text: str, entry: Entry | None = None, mode: Mode = "quick", **changed: Any) -> Answer:
        """The same with other settings."""
        settings = dataclasses.replace(self.settings, **changed)
        factory = ProviderFactory(settings)
        try:
            return self.pipeline_with(settings, factory).answer(self.question(text, mode=mode), entry)
        finally:
            factory.close()

    def say(self, text: str, **options: Any) -> Answer:
        """Ask, and keep what came of it in the history, as the API does."""
        entry = Entry(OWNER, "shop", "chat", question=text)
        answer = self.pipeline.answer(self.question(text, **options), entry)
        self.store.history.add(entry)
        return answer

    def stages(self, text: str, **options: Any) -> list[Stage]:
        return list(self.pipeline.run_stages(self.question(text, **options)))

    def question(self, text: str, connection_id: str = "shop", owner: str = OWNER, **options: Any) -> Question:
        return Question(owner=owner, connection_id=connection_id, text=text, **options)

    @staticmethod
    def rows(answer: Answer) -> Any:
        assert answer.results is not None
        return orjson.loads(answer.results.rows)


@pytest.fixture
def url(httpserver: HTTPServer) -> str:
    return httpserver.url_for("").rstrip("/")


@pytest.fixture
def house(tmp_path: Path, url: str, workers: Workers) -> Iterator[House]:
    settings = Settings(
        data_dir=tmp_path,
        openai_api_key="test-key",
        openai_base_url=f"{url}/v1",
        anthropic_api_key="test-key",
        anthropic_base_url=url,
        model_timeout=20,
    )
    store = Store(settings)
    store.upgrade()
    manager = ConnectionManager(settings, store, workers)
    with sqlite3.connect(tmp_path / "shop.sqlite") as database:
        database.executescript(SHOP)
    database.close()
    manager.create(OWNER, "sqlite", "shop", {"database": "shop.sqlite"})
    house = House(settings, manager, store, workers)
    yield house
    house.factory.close()
    manager.close()
    store.close()
