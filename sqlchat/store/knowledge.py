"""What an owner tells of a connection's data: notes, terms of the business, questions with SQL that were verified.

Plain text that goes into prompts: no credentials, so not encrypted, and never in a log.
"""

from __future__ import annotations

import hashlib
import uuid
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

from sqlchat.errors import ExampleNotFoundError, PayloadError
from sqlchat.store.connections import named, storable, unknown
from sqlchat.store.engine import Database
from sqlchat.store.tables import UTCDateTime, connections, contexts, examples

MOST_EXAMPLES = 200
"""Of one connection."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase of the business, and what it means in this database."""

    term: str
    definition: str
    sql: str = ""
    """An expression or condition in the connection's dialect; "" without one."""
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BusinessContext:
    notes: str = ""
    terms: tuple[Term, ...] = ()


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
    """0 where nothing was ever told."""


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is known of a connection, as it was at one moment."""

    stamp: Stamp
    context: BusinessContext = BusinessContext()
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
        if storable(name):
            wanted = select(connections.c.id, connections.c.knowledge).where(named(owner, name))
            for row in self._database.fetch(wanted):
                return Stamp(row.id, row.knowledge)
        raise unknown(name)

    def kept(self, owner: str, name: str) -> Kept:
        """All that is known of the connection, in one round trip."""
        if not storable(name):
            raise unknown(name)
        stamp = select(connections.c.id, connections.c.knowledge).where(named(owner, name)).cte("stamp")
        blank: dict[str, ColumnElement[Any]] = {"id": null().cast(Uuid), "verified_at": null().cast(UTCDateTime)}
        blank |= dict.fromkeys(("content", "question", "sql", "note", "catalog_version"), literal(""))

        def part(kind: str, of: FromClause, **columns: ColumnElement[Any]) -> Select[Any]:
            given = (column.label(name) for name, column in (blank | columns).items())
            return select(literal(kind).label("kind"), stamp.c.knowledge, *given).select_from(of)

        everything = union_all(
            part("stamp", stamp, content=stamp.c.id),
            part(
                "context",
                stamp.join(contexts, contexts.c.connection == stamp.c.id),
                content=contexts.c.content,
            ),
            part(
                "example",
                stamp.join(examples, examples.c.connection == stamp.c.id),
                **{row.name: examples.c[row.name] for row in fields(Example)},
            ),
        ).subquery()
        rows = self._database.fetch(select(everything))
        stamps = [Stamp(row.content, row.knowledge) for row in rows if row.kind == "stamp"]
        if not stamps:
            raise unknown(name)
        context = next((_parsed(row.content) for row in rows if row.kind == "context"), BusinessContext())
        known = [
            Example(*(row._mapping[each.name] for each in fields(Example))) for row in rows if row.kind == "example"
        ]
        known.sort(key=lambda example: (example.verified_at, example.id), reverse=True)
        return Kept(stamps[0], context, tuple(known))

    def replace_context(self, owner: str, name: str, context: BusinessContext) -> None:
        """Keep `context` in place of what there was. Of two at once, the last one stays, whole."""
        now, content = datetime.now(UTC), orjson.dumps(asdict(context)).decode()
        with self._database.writing() as connection:
            id = self._changed(connection, owner, name)
            fresh = self._database.insert(contexts).values(connection=id, content=content, updated_at=now)
            replaced = {"content": fresh.excluded.content, "updated_at": fresh.excluded.updated_at}
            connection.execute(fresh.on_conflict_do_update(index_elements=["connection"], set_=replaced))

    def put_example(
        self, owner: str, name: str, *, question: str, form: str, sql: str, note: str, catalog_version: str
    ) -> tuple[Example, bool]:
        """Keep an example, in place of the one whose question has the same `form`, whose id it then takes over.

        The second value is True where it is a new one. Raises PayloadError where the connection has 200 already.
        """
        for field_, text in (("question", question), ("sql", sql), ("note", note)):
            if not storable(text):
                raise PayloadError("An example must be plain text.", errors={field_: ["Must be plain text."]})
        digest = hashlib.blake2b(form.encode(), digest_size=20).hexdigest()  # the form may be too long for an index
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            id = self._changed(connection, owner, name)
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
            id = self._changed(connection, owner, name)
            newest = select(examples.c.id).where(examples.c.connection == id).limit(1)
            newest = newest.order_by(examples.c.verified_at.desc(), examples.c.id.desc())
            wanted = newest.scalar_subquery() if example_id is None else example_id
            this = (examples.c.connection == id) & (examples.c.id == wanted)
            if not connection.execute(delete(examples).where(this)).rowcount:
                raise ExampleNotFoundError("There is no such example of this connection.")

    def _changed(self, connection: Connection, owner: str, name: str) -> str:
        """Count a change of what is known of the connection, and give its id; the row is locked until the end."""
        if storable(name):
            counted = update(connections).where(named(owner, name)).values(knowledge=connections.c.knowledge + 1)
            id: str | None = connection.scalar(counted.returning(connections.c.id))
            if id is not None:
                return id
        raise unknown(name)


def _parsed(content: str) -> BusinessContext:
    found = orjson.loads(content)
    terms = (Term(each["term"], each["definition"], each["sql"], tuple(each["synonyms"])) for each in found["terms"])
    return BusinessContext(found["notes"], tuple(terms))
