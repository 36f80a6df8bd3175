"""Writes the settings and checks by which a query runs as the caller's role under row-level security.

It works as PostgREST and Supabase do: SET LOCAL ROLE, and the claims of the verified token in `request.jwt.claims`,
for `auth.uid()` and policies. A function that calls set_config could change these settings of the transaction. So
they are set again after a text is planned, and compared after it has run. A function that changes them, reads, and
changes them back stays unseen: the guard allows no such function, and a login role with no grant but the caller's
role makes it useless.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from sqlchat.connections.postgres.catalog import READABLE
from sqlchat.connections.postgres.qualification import qualify
from sqlchat.errors import ConnectionConfigError, SQLRefusedError
from sqlchat.sql.lexer import split_lexemes

FIELDS = ("rls", "rls_role")
DEFAULT_ROLE = "authenticated"
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
CLAIMS = "request.jwt.claims"
OLDER_CLAIMS = ("sub", "role", "email")
"""Claims that policies from before PostgREST 9 read from settings of their own, which `auth.uid()` still prefers."""

COUNTS = re.compile(
    r"""
    pg_class|pg_stat.*|pg_sequences?|pg_locks|pg_largeobject_metadata|pg_buffercache.*|pg_freespace.*|pgstat.*
    |pg_visibility.*|pg_sequence_last_value|pg_get_sequence_data
    |pg_(database|indexes|relation|table|tablespace|total_relation)_size|ctid
    """,
    re.VERBOSE,
)
"""Names that reveal how many rows a table has: statistics, sizes, counters, and the place of a row in its file."""

RIGHTS = qualify(f"""
WITH readable AS ({READABLE})
SELECT json_build_object(
    'role', current_user,
    'same', current_user = session_user,
    'bypasses', (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
    'open', (SELECT count(*) FROM readable WHERE relkind IN ('r', 'p', 'f') AND NOT row_security_active(oid)
        AND (NOT relispartition
            OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = oid AND row_security_active(inhparent)))),
    'sequences', (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(n.oid, 'USAGE')
            AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT') END),
    'views', (SELECT count(*) FROM readable WHERE relkind = 'm' OR relkind = 'v' AND NOT coalesce(reloptions &&
        '{{security_invoker=true,security_invoker=on,security_invoker=1,security_invoker=yes}}'::text[], false)),
    'escapes', EXISTS (SELECT FROM pg_roles WHERE rolname <> current_user AND pg_has_role(session_user, oid, 'MEMBER')
        AND (rolsuper OR rolbypassrls OR EXISTS (SELECT FROM pg_class c
            WHERE c.relrowsecurity AND NOT c.relforcerowsecurity AND c.relowner = pg_roles.oid))))
""")  # noqa: S608 - constants
"""Reads, as the role, what it may read past policies, and whether the login role may bypass them."""
WARNINGS = {
    "open": "{} tables that {role} may read show it all their rows.",
    "views": "{} views that {role} may read show what their owner sees; set security_invoker on those that should "
    "follow the caller's policies.",
    "sequences": "{} sequences that {role} may read tell how many rows were made for all callers; revoke SELECT on "
    "them.",
    "escapes": "The role that logs in may itself read past the policies; give this connection one that is granted "
    "{role} alone, with NOINHERIT.",
}
"""By the names of RIGHTS."""


@dataclass(frozen=True, slots=True)
class RowSecurity:
    """Row-level security as the connection's config requests it."""

    role: str

    def list_settings(self, claims: Mapping[str, Any]) -> dict[str, str]:
        """Return the transaction's settings that name the caller to the database; without claims they are empty."""
        older = {f"request.jwt.claim.{name}": claims.get(name) for name in OLDER_CLAIMS}
        return {
            "role": self.role,
            CLAIMS: json.dumps(dict(claims)) if claims else "",  # ASCII, so that no encoding can change it
            "request.jwt.claim": "",
        } | {name: value if isinstance(value, str) and value.isprintable() else "" for name, value in older.items()}

    def read_warnings(self, rights_json: str) -> list[str]:
        """Make warnings from the answer to RIGHTS. Raises ConnectionConfigError for a role that bypasses policies."""
        rights = orjson.loads(rights_json)
        if rights["bypasses"]:
            raise ConnectionConfigError(
                f"rls_role: {self.role} bypasses row-level security; name a role that policies hold."
            )
        if rights["same"]:
            raise ConnectionConfigError(f"rls_role: log in as another role than {self.role}, one that may become it.")
        return [words.format(rights[name], role=self.role) for name, words in WARNINGS.items() if rights[name]]


def read_row_security(config: Mapping[str, Any]) -> RowSecurity | None:
    """Read the fields `rls` and `rls_role` of a config; None without them. Raises ConnectionConfigError."""
    wanted, role = config.get("rls"), config.get("rls_role")
    if not (wanted is None or isinstance(wanted, bool)):
        raise ConnectionConfigError("rls: must be true or false.")
    if not wanted:
        if role is not None:
            raise ConnectionConfigError('rls_role: needs "rls": true beside it.')
        return None
    role = DEFAULT_ROLE if role is None else role
    if not isinstance(role, str) or not IDENTIFIER.fullmatch(role) or role.lower() == "none":
        raise ConnectionConfigError("rls_role: must be a role's plain name, of letters, digits and `_`.")
    return RowSecurity(role)


def refuse_counts(sql: str) -> list[str]:
    """Refuse a query that uses a name of COUNTS, which reveals the rows of other callers; return all names in it.

    Raises SQLRefusedError, and SQLSyntaxError for a text that cannot be split into words.
    """
    names = list({word.value: None for word in split_lexemes(sql, "postgres") if word.kind in ("word", "name")})
    if name := next(filter(COUNTS.fullmatch, names), None):
        raise SQLRefusedError(
            f"{name!r} tells how many rows others have; a connection with row-level security refuses it."
        )
    return names


def write_confirmation(settings: Mapping[str, str], names: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
    """Write SQL for `confirm`: it reads the settings, and which of `names` are sequences.

    A sequence reveals how many rows were made for all callers.
    """
    current = ", ".join(f"pg_catalog.current_setting('{name}', true)" for name in settings)
    sequences = (
        "ARRAY(SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'S' AND relname = ANY (%s::pg_catalog.name[]))"
    )
    return f"SELECT pg_catalog.json_build_array({sequences}, current_user, {current})", (list(names),)


def confirm(answer_json: str, settings: Mapping[str, str]) -> None:
    """Raise SQLRefusedError if the confirmation names a sequence, or another role or other claims than were set."""
    sequences, *current = orjson.loads(answer_json)
    if sequences:
        raise SQLRefusedError(
            f"{sequences[0]!r} is a sequence, which tells how many rows others have; its rows were discarded."
        )
    if current != [settings["role"], *settings.values()]:
        raise SQLRefusedError("This SQL changes whom it runs as, so its rows were discarded.")
