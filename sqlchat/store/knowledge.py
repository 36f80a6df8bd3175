"""Stores the knowledge about a connection: notes, terms, references, a semantic model and verified examples.

All of it is text for prompts. It holds no credentials, so it is not encrypted, and it is never logged.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Uuid,
    delete,
    func,
    literal,
    null,
    select,
    union_all,
    update,
)

from sqlchat.errors import ExampleNotFoundError, PayloadError, SemanticModelNotFoundError
from sqlchat.store.connections import is_storable, make_unknown_error, match_name
from sqlchat.store.engine import Database
from sqlchat.store.tables import UTCDateTime, connections, contexts, examples

MOST_EXAMPLES = 200
"""For each connection."""
NO_MODEL = "This connection has no semantic model."


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase of the business, and what it means in this database."""

    term: str
    definition: str
    sql: str = ""
    """An expression or condition in the connection's dialect; "" without one."""
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns that refer to columns of another table: `("tickets.agent",)` to `("agents.agent",)`."""

    columns: tuple[str, ...]
    ref_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BusinessContext:
    notes: str = ""
    terms: tuple[Term, ...] = ()
    references: tuple[Reference, ...] = ()


NO_CONTEXT = orjson.dumps(asdict(BusinessContext())).decode()


@dataclass(frozen=True, slots=True)
class SemanticModel:
    """The content of a semantic document, kept apart from what people wrote."""

    notes: str = ""
    terms: tuple[Term, ...] = ()
    references: tuple[Reference, ...] = ()
    descriptions: tuple[tuple[str, str, str, str], ...] = ()
    """Schema, table, column ("" for the table itself) and text."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question and the SQL that a person verified to answer it."""

    id: uuid.UUID
    question: str = field(repr=False)
    sql: str = field(repr=False)
    """In the connection's dialect."""
    note: str = field(repr=False)
    catalog_version: str
    """Version of the catalog that the SQL was checked against."""
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class Stamp:
    """Version of a connection's knowledge. It differs after each change, in every process."""

    connection: str
    """The id of its definition."""
    version: int
    """Number of changes so far."""


@dataclass(frozen=True, slots=True)
class StoredKnowledge:
    """A consistent snapshot of all knowledge about a connection."""

    stamp: Stamp
    context: BusinessContext = BusinessContext()
    semantic: SemanticModel = SemanticModel()
    examples: tuple[Example, ...] = ()
    """The newest first."""


class KnowledgeStore:
    """The tables `contexts` and `examples`. An owner sees no other owner's connections.

    A change first increases `connections.knowledge`, which locks that row: changes of one connection run one after
    the other, and none outlives its connection. All methods raise ConnectionNotFoundError, and StoreUnavailableError
    while the store is gone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def stamp(self, owner: str, name: str) -> Stamp:
        """Return the version of the knowledge, in one round trip."""
        query = select(connections.c.id, connections.c.knowledge).where(match_name(owner, name))
        for row in self._database.fetch(query):
            return Stamp(row.id, row.knowledge)
        raise make_unknown_error(name)

    def read(self, owner: str, name: str) -> StoredKnowledge:
        """Return all knowledge about the connection, in one round trip."""
        stamp = select(connections.c.id, connections.c.knowledge).where(match_name(owner, name)).cte("stamp")
        blank: dict[str, ColumnElement[Any]] = {"id": null().cast(Uuid), "verified_at": null().cast(UTCDateTime)}
        blank |= dict.fromkeys(("content", "question", "sql", "note", "catalog_version"), literal(""))

        def select_part(kind: str, source: FromClause, **columns: ColumnElement[Any]) -> Select[Any]:
            labelled = (column.label(name) for name, column in (blank | columns).items())
            return select(literal(kind).label("kind"), stamp.c.knowledge, *labelled).select_from(source)

        names = [member.name for member in fields(Example)]
        with_context = stamp.join(contexts, contexts.c.connection == stamp.c.id)
        with_examples = stamp.join(examples, examples.c.connection == stamp.c.id)
        everything = union_all(
            select_part("stamp", stamp, content=stamp.c.id),
            select_part("context", with_context, content=contexts.c.content),
            select_part("semantic", with_context, content=contexts.c.semantic),
            select_part("example", with_examples, **{name: examples.c[name] for name in names}),
        ).subquery()
        rows = self._database.fetch(select(everything))
        stamps = [Stamp(row.content, row.knowledge) for row in rows if row.kind == "stamp"]
        if not stamps:
            raise make_unknown_error(name)
        texts = {row.kind: row.content for row in rows if row.kind in ("context", "semantic") and row.content}
        context = _parse_context(texts["context"]) if "context" in texts else BusinessContext()
        semantic = _parse_semantic(texts["semantic"]) if "semantic" in texts else SemanticModel()
        verified = [Example(*(row._mapping[name] for name in names)) for row in rows if row.kind == "example"]
        verified.sort(key=lambda example: (example.verified_at, example.id), reverse=True)
        return StoredKnowledge(stamps[0], context, semantic, tuple(verified))

    def replace_context(self, owner: str, name: str, context: BusinessContext) -> None:
        """Replace the context. Of two concurrent writes, the last one wins."""
        self._replace_columns(owner, name, content=orjson.dumps(asdict(context)).decode())

    def replace_semantic(self, owner: str, name: str, model: SemanticModel, document: Mapping[str, Any]) -> None:
        """Replace the semantic document and its model. The context that people wrote stays."""
        semantic = orjson.dumps({"model": asdict(model), "document": document}).decode()
        self._replace_columns(owner, name, semantic=semantic)

    def read_document(self, owner: str, name: str) -> dict[str, Any]:
        """Return the semantic document unchanged. Raises SemanticModelNotFoundError."""
        stamp = self.stamp(owner, name)
        query = select(contexts.c.semantic).where(contexts.c.connection == stamp.connection)
        for row in self._database.fetch(query.where(contexts.c.semantic.is_not(None))):
            document: dict[str, Any] = orjson.loads(row.semantic)["document"]
            return document
        raise SemanticModelNotFoundError(NO_MODEL)

    def delete_semantic(self, owner: str, name: str) -> None:
        """Delete the semantic document and its model. Raises SemanticModelNotFoundError."""
        with self._database.writing() as connection:
            id = self._count_change(connection, owner, name)
            has_model = (contexts.c.connection == id) & contexts.c.semantic.is_not(None)
            if not connection.execute(update(contexts).where(has_model).values(semantic=None)).rowcount:
                raise SemanticModelNotFoundError(NO_MODEL)

    def put_example(
        self, owner: str, name: str, *, question: str, form: str, sql: str, note: str, catalog_version: str
    ) -> tuple[Example, bool]:
        """Store an example. One whose question has the same `form` is replaced and its id stays.

        Returns the example, and True if it is new. Raises PayloadError if the connection has 200 already.
        """
        for field_, text in (("question", question), ("sql", sql), ("note", note)):
            if not is_storable(text):
                raise PayloadError("An example must be plain text.", errors={field_: ["Must be plain text."]})
        digest = hashlib.blake2b(form.encode(), digest_size=20).hexdigest()  # the form may be too long for an index
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            id = self._count_change(connection, owner, name)
            same_form = (examples.c.connection == id) & (examples.c.digest == digest)
            old_id: uuid.UUID | None = connection.scalar(select(examples.c.id).where(same_form))
            example = Example(old_id or uuid.uuid4(), question, sql, note, catalog_version, now)
            if old_id:
                connection.execute(update(examples).where(same_form).values(**asdict(example)))
            else:
                count = connection.scalar(select(func.count()).where(examples.c.connection == id)) or 0
                if count >= MOST_EXAMPLES:
                    raise PayloadError(f"A connection may have {MOST_EXAMPLES} examples; delete one first.")
                connection.execute(examples.insert().values(connection=id, digest=digest, **asdict(example)))
        return example, old_id is None

    def delete_example(self, owner: str, name: str, example_id: uuid.UUID | None) -> None:
        """Delete an example; None means the newest. Raises ExampleNotFoundError."""
        with self._database.writing() as connection:
            id = self._count_change(connection, owner, name)
            newest = select(examples.c.id).where(examples.c.connection == id).limit(1)
            newest = newest.order_by(examples.c.verified_at.desc(), examples.c.id.desc())
            wanted = newest.scalar_subquery() if example_id is None else example_id
            same_id = (examples.c.connection == id) & (examples.c.id == wanted)
            if not connection.execute(delete(examples).where(same_id)).rowcount:
                raise ExampleNotFoundError("There is no such example of this connection.")

    def _replace_columns(self, owner: str, name: str, **changes: str) -> None:
        """Replace columns of the connection's row in `contexts`, which begins with an empty context."""
        columns: dict[str, Any] = changes | {"updated_at": datetime.now(UTC)}
        with self._database.writing() as connection:
            row = {"content": NO_CONTEXT, **columns, "connection": self._count_change(connection, owner, name)}
            insert = self._database.insert(contexts).values(**row)
            connection.execute(insert.on_conflict_do_update(index_elements=["connection"], set_=columns))

    def _count_change(self, connection: Connection, owner: str, name: str) -> str:
        """Increase the version of the knowledge and return the connection's id. Locks its row until the end."""
        statement = update(connections).where(match_name(owner, name)).values(knowledge=connections.c.knowledge + 1)
        id: str | None = connection.scalar(statement.returning(connections.c.id))
        if id is None:
            raise make_unknown_error(name)
        return id


def _parse_context(content: str) -> BusinessContext:
    members = orjson.loads(content)
    return BusinessContext(members["notes"], _parse_terms(members), _parse_references(members))


def _parse_semantic(content: str) -> SemanticModel:
    members = orjson.loads(content)["model"]
    descriptions = tuple((schema, table, column, text) for schema, table, column, text in members["descriptions"])
    return SemanticModel(members["notes"], _parse_terms(members), _parse_references(members), descriptions)


def _parse_terms(members: Mapping[str, Any]) -> tuple[Term, ...]:
    terms = members["terms"]
    return tuple(Term(term["term"], term["definition"], term["sql"], tuple(term["synonyms"])) for term in terms)


def _parse_references(members: Mapping[str, Any]) -> tuple[Reference, ...]:
    """Return the references; () for a context that was stored before there were any."""
    pairs = members.get("references", ())
    return tuple(Reference(tuple(pair["columns"]), tuple(pair["ref_columns"])) for pair in pairs)
