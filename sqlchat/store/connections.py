"""Stores the definitions of connections: owner, database, and the config to reach it (encrypted)."""

from __future__ import annotations

import json
import re
import time
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
TRUSTED = 0.25
"""Seconds for which the signal of a change is trusted: its writer may have been killed before it gave one."""


class Changes(TypedDict, total=False):
    """New values of parts of a definition. Parts that are left out stay."""

    config: dict[str, Any]
    policy: Policy
    privacy: Privacy


@dataclass(frozen=True, slots=True)
class Definition:
    """The stored definition of a connection. Its config holds credentials and stays out of its repr."""

    id: str
    owner: str
    name: str
    provider: str
    config: dict[str, Any] = field(repr=False)
    version: int
    created_at: datetime
    policy: Policy = None
    """Limits on the data that SQL may read, as the request gave them."""
    privacy: Privacy = DEFAULT_PRIVACY
    """Data that a model may see: names, types and comments; profiles and common values too; or first rows as well."""
    unreadable: str = ""
    """The reason if the config cannot be decrypted; `config` is then empty."""


class Connections:
    """The table `connections`. Each owner has names of their own and sees no other owner's connections.

    All methods raise StoreUnavailableError while the store is gone.
    """

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database, self._cipher = database, cipher
        same_name = match_name(bindparam("owner"), bindparam("name"))
        self._glance: tuple[int | None, float, dict[tuple[str, str], tuple[str, int]]] = (None, 0.0, {})
        """The store's signal, the time until which it is trusted, and versions that were read since both began."""
        self._read_version = database.prepare(select(connections.c.id, connections.c.version).where(same_name))

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
        """Store a new definition. Raises ConflictError if the owner has that name already, and PayloadError."""
        if not is_storable(name):
            raise PayloadError("The name must be plain text.", errors={"name": ["Must be plain text."]})
        id, now = str(uuid.uuid4()), datetime.now(UTC)
        sealed = self._cipher.seal(config, owner=owner, id=id, name=name)
        row = {"id": id, "owner": owner, "name": name, "provider": provider, "config": sealed, "version": 1}
        row |= {"created_at": now, "updated_at": now, "policy": _write_policy(policy), "privacy": privacy}
        try:
            with self._database.writing() as connection:
                connection.execute(connections.insert().values(**row))
        except IntegrityError as exc:
            raise ConflictError(f"There is already a connection named {name!r}.") from exc
        return Definition(id, owner, name, provider, config, 1, now, policy, privacy)

    def get(self, owner: str, name: str) -> Definition:
        """Return a definition. Raises ConnectionNotFoundError, and UnavailableError if it cannot be decrypted."""
        return self._decrypt_definition(self._find_row(owner, name))

    def find(self, owner: str, name: str) -> Definition:
        """Return a definition, also if it cannot be decrypted. Raises ConnectionNotFoundError."""
        return self._read_definition(self._find_row(owner, name))

    def version(self, owner: str, name: str) -> tuple[str, int]:
        """Return id and version. The pair differs after each change. Raises ConnectionNotFoundError."""
        signal, now = self._database.read_signal(), time.monotonic()
        glance = self._glance
        if signal is None or glance[0] != signal or now > glance[1]:
            glance = self._glance = (signal, now + TRUSTED, {})
        if known := glance[2].get((owner, name)):
            return known
        for id, version in self._read_version(owner=owner, name=name) if is_storable(name) else ():
            glance[2][owner, name] = id, version
            return id, version
        raise make_unknown_error(name)

    def _find_row(self, owner: str, name: str) -> Row[Any]:
        for row in self._database.fetch(select(connections).where(match_name(owner, name))):
            return row
        raise make_unknown_error(name)

    def list(self, owner: str) -> list[Definition]:
        """Return the owner's definitions by name, also those that cannot be decrypted."""
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
        """Replace parts of `definition` in one statement, increase its version, and return the new definition.

        Its id stays, so its context, examples and history stay too. Raises ConnectionNotFoundError if it was deleted
        meanwhile, also if another connection has its name now.
        """
        owner, id, name = definition.owner, definition.id, definition.name
        values: dict[str, Any] = {"version": connections.c.version + 1, "updated_at": datetime.now(UTC)}
        if "config" in changes:
            values["config"] = self._cipher.seal(changes["config"], owner=owner, id=id, name=name)
        if "policy" in changes:
            values["policy"] = _write_policy(changes["policy"])
        if "privacy" in changes:
            values["privacy"] = changes["privacy"]
        statement = update(connections).where(connections.c.id == id).values(**values).returning(*connections.c)
        with self._database.writing() as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise make_unknown_error(name)
        return self._decrypt_definition(row)

    def touch(self, owner: str, name: str) -> None:
        """Increase its version, so that every process opens it again. Raises ConnectionNotFoundError."""
        statement = update(connections).where(match_name(owner, name)).values(version=connections.c.version + 1)
        with self._database.writing() as connection:
            if not connection.execute(statement).rowcount:
                raise make_unknown_error(name)

    def reencrypt(self) -> int:
        """Encrypt every definition with the newest key and return their number. Older keys can then be dropped."""
        with self._database.writing() as connection:
            rows = connection.execute(select(connections).with_for_update()).all()
            for row in rows:
                definition = self._decrypt_definition(row)
                sealed = self._cipher.seal(definition.config, owner=row.owner, id=row.id, name=row.name)
                connection.execute(update(connections).where(connections.c.id == row.id).values(config=sealed))
        return len(rows)

    def _decrypt_definition(self, row: Row[Any]) -> Definition:
        """Raises UnavailableError if the config cannot be decrypted."""
        return _make_definition(row, self._cipher.open(row.config, owner=row.owner, id=row.id, name=row.name))

    def _read_definition(self, row: Row[Any]) -> Definition:
        try:
            return self._decrypt_definition(row)
        except UnavailableError as exc:
            return replace(_make_definition(row, {}), unreadable=exc.detail)


def _make_definition(row: Row[Any], config: dict[str, Any]) -> Definition:
    policy = json.loads(row.policy) if row.policy else None
    return Definition(
        row.id, row.owner, row.name, row.provider, config, row.version, row.created_at, policy, row.privacy
    )


def _write_policy(policy: Policy) -> str | None:
    return json.dumps(dict(policy)) if policy else None


def match_name(owner: Text, name: Text) -> ColumnElement[bool]:
    """Return the condition for a connection's row. A name that cannot be stored matches no row."""
    if isinstance(name, str) and not is_storable(name):
        return false()
    return (connections.c.owner == owner) & (connections.c.name == name)


def is_storable(text: str) -> bool:
    """Whether both databases store `text`: Postgres refuses NUL, and both refuse half a surrogate pair."""
    return "\0" not in text and SURROGATE.search(text) is None


def make_unknown_error(name: str) -> ConnectionNotFoundError:
    return ConnectionNotFoundError(f"There is no connection named {name!r}.")
