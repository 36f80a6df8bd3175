"""Definitions of connections: who owns them, which database, and how to reach it (encrypted)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict

from sqlalchemy import BindParameter, ColumnElement, Row, bindparam, delete, false, select, update
from sqlalchemy.exc import IntegrityError

from sqlchat.errors import ConflictError, ConnectionNotFoundError, PayloadError, UnavailableError
from sqlchat.store.encryption import Cipher
from sqlchat.store.engine import Database
from sqlchat.store.tables import connections, contexts, examples

Policy = Mapping[str, Any] | None
Text = str | BindParameter[str]
Privacy = Literal["schema", "samples", "rows"]
SURROGATE = re.compile("[\ud800-\udfff]")
DEFAULT_PRIVACY: Privacy = "samples"


class Changes(TypedDict, total=False):
    """New values of parts of a definition. Parts that are left out stay."""

    config: dict[str, Any]
    policy: Policy
    privacy: Privacy


@dataclass(frozen=True, slots=True)
class Definition:
    """A connection as it was made. Its config holds credentials and stays out of its repr."""

    id: str
    owner: str
    name: str
    provider: str
    config: dict[str, Any] = field(repr=False)
    version: int
    created_at: datetime
    policy: Policy = None
    """Limits on the data that SQL may read, as the request had them."""
    privacy: Privacy = DEFAULT_PRIVACY
    """Data that a model may see: names, types and comments; profiles and common values too; or first rows as well."""
    unreadable: str = ""
    """Why the config cannot be decrypted; it is empty then."""


class Connections:
    """The table `connections`. A name is an owner's own: another owner's is as unknown as none at all.

    All methods raise StoreUnavailableError while the store is gone.
    """

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher
        this = match_name(bindparam("owner"), bindparam("name"))
        self._version = database.prepare(select(connections.c.id, connections.c.version).where(this))

    def add(
        self,
        owner: str,
        name: str,
        provider: str,
        config: dict[str, Any],
        policy: Policy = None,
        *,
        privacy: Privacy = DEFAULT_PRIVACY,
    ) -> Definition:
        """Keep a definition. Raises ConflictError where the owner has that name already."""
        if not is_storable(name):
            raise PayloadError("The name must be plain text.", errors={"name": ["Must be plain text."]})
        id, now = str(uuid.uuid4()), datetime.now(UTC)
        sealed = self._cipher.seal(config, owner=owner, id=id, name=name)
        row = {"id": id, "owner": owner, "name": name, "provider": provider, "version": 1, "created_at": now}
        row |= {"policy": _write_policy(policy), "privacy": privacy}
        try:
            with self._database.writing() as connection:
                connection.execute(connections.insert().values(**row, config=sealed, updated_at=now))
        except IntegrityError as exc:
            raise ConflictError(f"There is already a connection named {name!r}.") from exc
        return Definition(id, owner, name, provider, config, 1, now, policy, privacy)

    def get(self, owner: str, name: str) -> Definition:
        """The definition. Raises ConnectionNotFoundError, and UnavailableError where it cannot be decrypted."""
        return self._decrypt_definition(self._find_row(owner, name))

    def find(self, owner: str, name: str) -> Definition:
        """The definition, readable or not. Raises ConnectionNotFoundError."""
        return self._read_definition(self._find_row(owner, name))

    def version(self, owner: str, name: str) -> tuple[str, int]:
        """Id and version, which together change with every change. Raises ConnectionNotFoundError."""
        for id, version in self._version(owner=owner, name=name) if is_storable(name) else ():
            return id, version
        raise make_unknown_error(name)

    def _find_row(self, owner: str, name: str) -> Row[Any]:
        for row in self._database.fetch(select(connections).where(match_name(owner, name))):
            return row
        raise make_unknown_error(name)

    def list(self, owner: str) -> list[Definition]:
        """The owner's definitions, by name, readable or not."""
        rows = self._database.fetch(select(connections).where(connections.c.owner == owner))
        return sorted(map(self._read_definition, rows), key=lambda definition: definition.name)

    def delete(self, owner: str, name: str) -> None:
        """Delete the definition with its context and examples. Raises ConnectionNotFoundError."""
        with self._database.writing() as connection:
            id = connection.scalar(delete(connections).where(match_name(owner, name)).returning(connections.c.id))
            if id is None:
                raise make_unknown_error(name)
            for table in (contexts, examples):
                connection.execute(delete(table).where(table.c.connection == id))

    def change(self, definition: Definition, changes: Changes) -> Definition:
        """Replace parts of `definition`, all at once, and count up its version; gives it as it then is.

        Its id stays, and with it all that is kept of the connection. Raises ConnectionNotFoundError where it has gone
        meanwhile, whether or not another has its name now.
        """
        owner, id, name = definition.owner, definition.id, definition.name
        values: dict[str, Any] = {"version": connections.c.version + 1, "updated_at": datetime.now(UTC)}
        if "config" in changes:
            values["config"] = self._cipher.seal(changes["config"], owner=owner, id=id, name=name)
        if "policy" in changes:
            values["policy"] = _write_policy(changes["policy"])
        if "privacy" in changes:
            values["privacy"] = changes["privacy"]
        changed = update(connections).where(connections.c.id == id).values(**values).returning(*connections.c)
        with self._database.writing() as connection:
            row = connection.execute(changed).first()
        if row is None:
            raise make_unknown_error(name)
        return self._decrypt_definition(row)

    def touch(self, owner: str, name: str) -> None:
        """Count up its version, so that every process makes its connection anew. Raises ConnectionNotFoundError."""
        counted = update(connections).where(match_name(owner, name)).values(version=connections.c.version + 1)
        with self._database.writing() as connection:
            if not connection.execute(counted).rowcount:
                raise make_unknown_error(name)

    def reencrypt(self) -> int:
        """Encrypt every definition with the newest key, so that older ones can be dropped. Gives their number."""
        with self._database.writing() as connection:
            rows = connection.execute(select(connections).with_for_update()).all()
            for row in rows:
                definition = self._decrypt_definition(row)
                sealed = self._cipher.seal(definition.config, owner=row.owner, id=row.id, name=row.name)
                connection.execute(update(connections).where(connections.c.id == row.id).values(config=sealed))
        return len(rows)

    def _decrypt_definition(self, row: Row[Any]) -> Definition:
        """Raises UnavailableError where the config cannot be decrypted."""
        return _make_definition(row, self._cipher.open(row.config, owner=row.owner, id=row.id, name=row.name))

    def _read_definition(self, row: Row[Any]) -> Definition:
        try:
            return self._decrypt_definition(row)
        except UnavailableError as exc:
            return replace(_make_definition(row, {}), unreadable=exc.detail)


def _make_definition(row: Row[Any], config: dict[str, Any]) -> Definition:
    policy = json.loads(row.policy) if row.policy else None
    facts = (row.id, row.owner, row.name, row.provider, config, row.version, row.created_at)
    return Definition(*facts, policy, row.privacy)


def _write_policy(policy: Policy) -> str | None:
    return json.dumps(dict(policy)) if policy else None


def match_name(owner: Text, name: Text) -> ColumnElement[bool]:
    """The condition on the row of a connection. A name that no row can have matches nothing."""
    if isinstance(name, str) and not is_storable(name):
        return false()
    return (connections.c.owner == owner) & (connections.c.name == name)


def is_storable(text: str) -> bool:
    """Postgres refuses NUL in a text, and neither database takes half a surrogate pair."""
    return "\0" not in text and SURROGATE.search(text) is None


def make_unknown_error(name: str) -> ConnectionNotFoundError:
    return ConnectionNotFoundError(f"There is no connection named {name!r}.")
