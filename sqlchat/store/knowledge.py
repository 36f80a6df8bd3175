"""Keeps what an owner tells of a connection's data: notes, terms, columns that belong together, verified questions.

Plain text that goes into prompts: no credentials, so not encrypted, and never in a log.
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
"""Of one connection."""
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
    """Columns that name a row of another table, and that table's: `("tickets.agent",)` and `("agents.agent",)`."""

    columns: tuple[str, ...]
    ref_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BusinessContext:
    notes: str = ""
    terms: tuple[Term, ...] = ()
    references: tuple[Reference, ...] = ()


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
    """Of the catalog that held all its names when it was stored."""
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class Stamp:
    """Changes whenever something that is known of a connection changes, in whichever process."""

    connection: str
    """The id of its definition."""
    version: int
    """0 if nothing was ever told."""


@dataclass(frozen=True, slots=True)
class Known:
    """A consistent snapshot of all knowledge about a connection."""

    stamp: Stamp
    context: BusinessContext = BusinessContext()
    semantic: SemanticModel = SemanticModel()
    examples: tuple[Example, ...] = ()
    """The newest first."""


class KnowledgeStore:
    """The tables `contexts` and `examples`. A connection that is another owner's is as unknown as none at all.

    A change first counts up `connections.knowledge`, which locks that row: changes of one connection follow one
    another, and none outlives its connection. All methods raise ConnectionNotFoundError, and StoreUnavailableError
    while the store is gone.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def stamp(self, owner: str, name: str) -> Stamp:
        """The one look-up that a question costs, in one round trip."""
        wanted = select(connections.c.id, connections.c.knowledge).where(match_name(owner, name))
        for row in self._database.fetch(wanted):
            return Stamp(row.id, row.knowledge)
        raise make_unknown_error(name)

    def read(self, owner: str, name: str) -> Known:
        """All that is known of the connection, in one round trip."""
        stamp = select(connections.c.id, connections.c.knowledge).where(match_name(owner, name)).cte("stamp")
        blank: dict[str, ColumnElement[Any]] = {"id": null().cast(Uuid), "verified_at": null().cast(UTCDateTime)}
        blank |= dict.fromkeys(("content", "question", "sql", "note", "catalog_version"), literal(""))

        def part(kind: str, of: FromClause, **columns: ColumnElement[Any]) -> Select[Any]:
            given = (column.label(name) for name, column in (blank | columns).items())
            return select(literal(kind).label("kind"), stamp.c.knowledge, *given).select_from(of)

        everything = union_all(
            part("stamp", stamp, content=stamp.c.id),
            part("context", stamp.join(contexts, contexts.c.connection == stamp.c.id), content=contexts.c.content),
            part("semantic", stamp.join(contexts, contexts.c.connection == stamp.c.id), content=contexts.c.semantic),
            part(
                "example",
                stamp.join(examples, examples.c.connection == stamp.c.id),
                **{row.name: examples.c[row.name] for row in fields(Example)},
            ),
        ).subquery()
        rows = self._database.fetch(select(everything))
        stamps = [Stamp(row.content, row.knowledge) for row in rows if row.kind == "stamp"]
        if not stamps:
            raise make_unknown_error(name)
        texts = {row.kind: row.content for row in rows if row.kind in ("context", "semantic") and row.content}
        context = _parse_context(texts["context"]) if "context" in texts else BusinessContext()
        semantic = _parse_semantic(texts["semantic"]) if "semantic" in texts else SemanticModel()
        known = [
            Example(*(row._mapping[each.name] for each in fields(Example))) for row in rows if row.kind == "example"
        ]
        known.sort(key=lambda example: (example.verified_at, example.id), reverse=True)
        return Known(stamps[0], context, semantic, tuple(known))

    def replace_context(self, owner: str, name: str, context: BusinessContext) -> None:
        """Replace the context. Of two concurrent writes, the last one wins."""
        now, content = datetime.now(UTC), orjson.dumps(asdict(context)).decode()
        with self._database.writing() as connection:
            id = self._count_change(connection, owner, name)
            fresh = self._database.insert(contexts).values(connection=id, content=content, updated_at=now)
            replaced = {"content": fresh.excluded.content, "updated_at": fresh.excluded.updated_at}
            connection.execute(fresh.on_conflict_do_update(index_elements=["connection"], set_=replaced))

    def replace_semantic(self, owner: str, name: str, model: SemanticModel, document: Mapping[str, Any]) -> None:
        """Keep `document` and what it brought in place of the one that there was; what people wrote stays."""
        now, content = datetime.now(UTC), orjson.dumps(asdict(BusinessContext())).decode()
        semantic = orjson.dumps({"model": asdict(model), "document": document}).decode()
        with self._database.writing() as connection:
            id = self._count_change(connection, owner, name)
            row = {"connection": id, "content": content, "semantic": semantic, "updated_at": now}
            fresh = self._database.insert(contexts).values(**row)
            replaced = {"semantic": fresh.excluded.semantic, "updated_at": fresh.excluded.updated_at}
            connection.execute(fresh.on_conflict_do_update(index_elements=["connection"], set_=replaced))

    def read_document(self, owner: str, name: str) -> dict[str, Any]:
        """The semantic document as it was put. Raises SemanticModelNotFoundError."""
        stamp = self.stamp(owner, name)
        wanted = select(contexts.c.semantic).where(contexts.c.connection == stamp.connection)
        for row in self._database.fetch(wanted.where(contexts.c.semantic.is_not(None))):
            document: dict[str, Any] = orjson.loads(row.semantic)["document"]
            return document
        raise SemanticModelNotFoundError(NO_MODEL)

    def delete_semantic(self, owner: str, name: str) -> None:
        """Forget the semantic document and what it brought. Raises SemanticModelNotFoundError."""
        with self._database.writing() as connection:
            id = self._count_change(connection, owner, name)
            this = (contexts.c.connection == id) & contexts.c.semantic.is_not(None)
            if not connection.execute(update(contexts).where(this).values(semantic=None)).rowcount:
                raise SemanticModelNotFoundError(NO_MODEL)

    def put_example(
        self, owner: str, name: str, *, question: str, form: str, sql: str, note: str, catalog_version: str
    ) -> tuple[Example, bool]:
        """Keep an example, in place of the one whose question has the same `form`, whose id it then takes over.

        The second value is True where it is a new one. Raises PayloadError where the connection has 200 already.
        """
        for field_, text in (("question", question), ("sql", sql), ("note", note)):
            if not is_storable(text):
                raise PayloadError("An example must be plain text.", errors={field_: ["Must be plain text."]})
        digest = hashlib.blake2b(form.encode(), digest_size=20).hexdigest()  # the form may be too long for an index
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            id = self._count_change(connection, owner, name)
            same = (examples.c.connection == id) & (examples.c.digest == digest)
            known: uuid.UUID | None = connection.scalar(select(examples.c.id).where(same))
            example = Example(known or uuid.uuid4(), question, sql, note, catalog_version, now)
            if known:
                connection.execute(update(examples).where(same).values(**asdict(example)))
            else:
                count = connection.scalar(select(func.count()).where(examples.c.connection == id)) or 0
                if count >= MOST_EXAMPLES:
                    raise PayloadError(f"A connection may have {MOST_EXAMPLES} examples; delete one first.")
                row = examples.insert().values(connection=id, digest=digest, **asdict(example))
                connection.execute(row)
        return example, known is None

    def delete_example(self, owner: str, name: str, example_id: uuid.UUID | None) -> None:
        """Forget it, or the one kept last where no id is given.

        Raises ExampleNotFoundError, too for the example of another connection.
        """
        with self._database.writing() as connection:
            id = self._count_change(connection, owner, name)
            newest = select(examples.c.id).where(examples.c.connection == id).limit(1)
            newest = newest.order_by(examples.c.verified_at.desc(), examples.c.id.desc())
            wanted = newest.scalar_subquery() if example_id is None else example_id
            this = (examples.c.connection == id) & (examples.c.id == wanted)
            if not connection.execute(delete(examples).where(this)).rowcount:
                raise ExampleNotFoundError("There is no such example of this connection.")

    def _count_change(self, connection: Connection, owner: str, name: str) -> str:
        """Count a change of what is known of the connection, and give its id; the row is locked until the end."""
        counted = update(connections).where(match_name(owner, name)).values(knowledge=connections.c.knowledge + 1)
        id: str | None = connection.scalar(counted.returning(connections.c.id))
        if id is None:
            raise make_unknown_error(name)
        return id


def _parse_context(content: str) -> BusinessContext:
    found = orjson.loads(content)
    return BusinessContext(found["notes"], _parse_terms(found), _parse_references(found))


def _parse_semantic(content: str) -> SemanticModel:
    found = orjson.loads(content)["model"]
    descriptions = tuple((schema, table, column, text) for schema, table, column, text in found["descriptions"])
    return SemanticModel(found["notes"], _parse_terms(found), _parse_references(found), descriptions)


def _parse_terms(found: Mapping[str, Any]) -> tuple[Term, ...]:
    return tuple(
        Term(each["term"], each["definition"], each["sql"], tuple(each["synonyms"])) for each in found["terms"]
    )


def _parse_references(found: Mapping[str, Any]) -> tuple[Reference, ...]:
    """None in a context that is older than references."""
    return tuple(
        Reference(tuple(each["columns"]), tuple(each["ref_columns"])) for each in found.get("references", ())
    )
