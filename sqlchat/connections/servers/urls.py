"""Reads a connection string, as vendors and other tools write it, into the fields of a config.

A parameter that means one of our fields is mapped to it. Parameters of other clients that change nothing here are
ignored. All others are refused, since a driver would read files, other hosts and settings of the session from them.
Messages show only the names of parameters.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from sqlchat.errors import ConnectionConfigError

MOST_PARAMETERS = 30
DRIVER = re.compile(r"\+[a-z0-9_]+\Z")
"""The name of a driver in a scheme, as in SQLAlchemy's `postgresql+psycopg2`."""
PLACEHOLDER = re.compile(r"\[YOUR[-_]PASSWORD\]|\{your[-_]password\}|<(?:your[-_])?password>|\*{6,}", re.IGNORECASE)
"""A text in place of the password, as Supabase, Azure and Neon show it."""
IGNORED = frozenset(
    # done here anyway, or about the pool, the threads or the prepared statements of another client
    "application_name autocommit auto_reconnect allow_public_key_retrieval cache_prep_stmts charset "
    "character_encoding client_encoding collation command_timeout connect_timeout connection_limit "
    "connection_timeout date_strings default_row_fetch_size fallback_application_name keepalives keepalives_count "
    "keepalives_idle keepalives_interval load_balance_hosts loc logger_level login_timeout max_connections "
    "max_idle_connections max_pool_size max_protocol_version min_pool_size min_protocol_version parse_time "
    "persist_security_info pgbouncer pool_max_conns pool_min_conns pool_mode pool_size pool_timeout pooling "
    "prep_stmt_cache_size prepare_threshold prepared_statement_cache_queries prepared_statement_cache_size "
    "prepared_statements read_only read_timeout reconnect rewrite_batched_inserts rewrite_batched_statements "
    "server_timezone socket_timeout sslcertmode sslcompression sslnegotiation sslsni statement_cache_size supa "
    "target_session_attrs tcp_keepalive tcp_user_timeout timeout timezone use_legacy_datetime_code use_libpq_compat "
    "use_server_prep_stmts use_unicode workaround write_timeout zero_date_time_behavior".replace("_", "").split()
)
SSLMODES = {
    "disabled": "disable",
    "preferred": "prefer",
    "required": "require",
    "verifyca": "verify-ca",
    "verifyidentity": "verify-full",
    "verifyfull": "verify-full",
    "noverify": "require",
    "skipverify": "require",
}
"""MySQL's names, Heroku's `no-verify` and Go's `skip-verify`."""
ENCRYPTED = ("require", "verify-ca", "verify-full")
"""From the laxest to the strictest; if a url has two, the stricter one holds."""
TLS = {
    "true": "require",
    "1": "require",
    "false": "disable",
    "0": "disable",
    '{"rejectunauthorized":true}': "verify-full",
    '{"rejectunauthorized":false}': "require",
}
"""The values of `ssl` and the like that are no name of a mode, such as those of JavaScript's clients."""
SEARCH_PATH = re.compile(r"(?:-c\s*|--)search[_-]path=((?:[^\s\\]|\\.)+)", re.IGNORECASE)
PAIRS = re.compile(r"(?:psql\s+)?[\"']?[a-z][a-z _-]*\s*=", re.IGNORECASE)
NAMES = {
    name: field
    for field, names in {
        "host": "host server datasource",
        "port": "port",
        "database": "database dbname initialcatalog",
        "user": "user userid uid username",
        "password": "password pwd",
    }.items()
    for name in names.split()
}
"""Fields by their names in a text of pairs of libpq or .NET."""
GO = re.compile(r"(?P<user>[^:@/]+):(?P<password>.*)@tcp\((?P<place>[^()]+)\)(?P<rest>/.*)")
WRAPPED = re.compile(r"(?:psql\s+|(?:export\s+)?\w+=)?(?P<quote>[\"']?)(?P<url>[a-z][\w+.:]*://.*)(?P=quote)", re.I)
"""A url in a shell or a file of settings: `psql 'postgresql://...'`, `DATABASE_URL="postgres://..."`."""
REFERENCE = re.compile(r"reference=([a-zA-Z0-9-]+)")
"""Names the project for Supabase's pooler; so does the user's name, behind a dot."""
ENDPOINT = re.compile(r"(?:endpoint|project|--cluster)=[a-zA-Z0-9-]+")
"""Names the database for servers that do not see the host's name in TLS; here they see it."""


def read_url(url: str, schemes: tuple[str, ...], known: list[str]) -> dict[str, str]:
    """Return the fields of `url`, all among `known`. Raises ConnectionConfigError."""
    wrapped = WRAPPED.fullmatch(url.strip())
    bare_url = (wrapped["url"] if wrapped else url.strip()).removeprefix("jdbc:")
    if placeholder := PLACEHOLDER.search(bare_url):
        raise ConnectionConfigError(f"url: put the password in place of {placeholder[0]}, or give it as a field.")
    if PAIRS.match(bare_url):
        return _read_pairs(bare_url, known)
    if (go := GO.fullmatch(bare_url)) and "mysql" in schemes:
        bare_url = f"mysql://{quote(go['user'])}:{quote(go['password'], safe='')}@{go['place']}{go['rest']}"
    try:
        parts = urlsplit(bare_url)
        fields = {
            "host": parts.hostname or "",
            "port": str(parts.port) if parts.port is not None else "",
            "database": unquote(parts.path[1:], errors="strict"),
            "user": unquote(parts.username or "", errors="strict"),
            "password": unquote(parts.password or "", errors="strict"),
        }
        query = parse_qsl(parts.query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise _make_unreadable_error(schemes) from None
    scheme = DRIVER.sub("", parts.scheme)
    if scheme and scheme not in schemes and parts.hostname and not _is_cut_short(parts):
        raise ConnectionConfigError(f"url: begins with {scheme[:30]}://, where this provider has {schemes[0]}://.")
    if scheme not in schemes or _is_cut_short(parts):
        raise _make_unreadable_error(schemes)
    return _read_parameters({name: value for name, value in fields.items() if value}, query, known)


def _read_pairs(text: str, known: list[str]) -> dict[str, str]:
    """Return the fields of libpq's `host=... dbname=...`, or of .NET's `Server=...;Database=...`.

    Raises ConnectionConfigError, which names no parameter, since it may be a part of a password.
    """
    try:
        pieces = text.split(";") if ";" in text else shlex.split(text.removeprefix("psql").strip().strip("\"'"))
    except ValueError:
        pieces = [text]
    fields: dict[str, str] = {}
    query: list[tuple[str, str]] = []
    for name, equals, value in (piece.partition("=") for piece in pieces if piece.strip()):
        bare = _fold(name)
        if equals and (field := NAMES.get(bare)):
            fields[field] = value.strip()
        elif equals and (bare in READERS or bare in IGNORED):
            query.append((bare, value.strip()))
        else:
            raise ConnectionConfigError(f"url: of such a text only {', '.join(sorted(NAMES))} and sslmode are taken.")
    return _read_parameters(fields, query, known)


def _read_parameters(fields: dict[str, str], query: list[tuple[str, str]], known: list[str]) -> dict[str, str]:
    """Return `fields` with those that the parameters of a `query` mean. Raises ConnectionConfigError."""
    refused, given = [], []
    for name, value in query:
        bare = _fold(name)
        if reader := READERS.get(bare):
            given.append((reader, value))
        elif bare not in IGNORED:
            refused.append(name)
    if refused:
        raise ConnectionConfigError(
            f"url: unknown parameter {', '.join(sorted(set(refused)))[:200]!r}; leave it out. "
            "Files, other hosts and settings of the session are not taken from a url."
        )
    for reader, value in given:
        for field, meant in reader(value).items():
            if field not in (*known, "project"):
                raise ConnectionConfigError(f"url: this provider has no {field}.")
            first = fields.setdefault(field, meant)
            if first in ENCRYPTED and meant in ENCRYPTED:
                fields[field] = max(first, meant, key=ENCRYPTED.index)
            elif first != meant:
                raise ConnectionConfigError(f"url: says two things of {field}; say one.")
    if (project := fields.pop("project", "")) and "." not in fields.get("user", ""):
        fields["user"] = f"{fields.get('user', 'postgres')}.{project}"
    return fields


def _is_cut_short(parts: SplitResult) -> bool:
    """Whether a `/`, `?` or `#` of the password ended the part that names the host."""
    return bool(parts.fragment) or ("@" not in parts.netloc and "@" in parts.path + parts.query)


def _make_unreadable_error(schemes: tuple[str, ...]) -> ConnectionConfigError:
    return ConnectionConfigError(
        f"url: does not read like {schemes[0]}://user:password@host:port/database. In a password, the characters "
        "/ ? # [ ] @ : % must be percent-encoded (/ is %2F); or leave the url out and give host, port, database, "
        "user and password as fields of their own."
    )


def _fold(text: str) -> str:
    return re.sub("[ _-]", "", text.lower())


def _read_as(
    field: str, meanings: Mapping[str, str] | None = None, fault: str = ""
) -> Callable[[str], Mapping[str, str]]:
    """Make a reader of values that mean a `field`. `meanings` has no blanks, `_` and `-`; an empty one says nothing.

    Without `meanings` a value is taken as it is. With them, another value raises `fault`, or is a name of a mode.
    """

    def read(value: str) -> Mapping[str, str]:
        if meanings is None:
            meaning = value
        elif fault and _fold(value) not in meanings:
            raise ConnectionConfigError(f"url: {fault}")
        else:
            meaning = meanings.get(_fold(value), value.lower())
        return {field: meaning} if meaning else {}

    return read


def _read_switch(mode: str) -> Callable[[str], Mapping[str, str]]:
    """Make a reader of a switch that asks for `mode`; off, it asks for nothing."""
    return lambda value: {"sslmode": mode} if TLS.get(value.lower()) == "require" else {}


def _read_options(value: str) -> Mapping[str, str]:
    """Read the search path, the one setting of a session that is allowed."""
    if not value.strip() or ENDPOINT.fullmatch(value.strip()):
        return {}
    if reference := REFERENCE.fullmatch(value.strip()):
        return {"project": reference[1]}
    match = SEARCH_PATH.fullmatch(value.strip())
    if match is None:
        raise ConnectionConfigError("url: of `options`, only `-c search_path=...` is taken; leave the rest out.")
    return {"schema": re.sub(r"\\(.)", r"\1", match[1])}


READERS: dict[str, Callable[[str], Mapping[str, str]]] = {
    "sslmode": _read_as("sslmode", SSLMODES),
    **dict.fromkeys(("ssl", "usessl", "tls"), _read_as("sslmode", SSLMODES | TLS)),
    "sslaccept": _read_as(
        "sslmode",
        {"strict": "verify-full", "acceptinvalidcerts": "require"},
        "`sslaccept` is strict or accept_invalid_certs; sslmode says more.",
    ),
    "requiressl": _read_switch("require"),
    **dict.fromkeys(("sslverifycert", "verifyservercertificate"), _read_switch("verify-ca")),
    "sslverifyidentity": _read_switch("verify-full"),
    **dict.fromkeys(
        ("sslca", "sslcert", "sslkey"),
        _read_as(
            "",
            {"": ""},
            "certificates in files are not read; give them as text in the field sslrootcert, or leave the file out.",
        ),
    ),
    "sslrootcert": _read_as(
        "sslmode",
        {"system": "verify-full"},
        "`sslrootcert` is a file, which is not read; give certificates as text in the field sslrootcert.",
    ),
    "channelbinding": _read_as(
        "channel_binding",
        {mode: mode for mode in ("disable", "prefer", "require")},
        "`channel_binding` is disable, prefer or require.",
    ),
    "gssencmode": _read_as("", {"disable": "", "prefer": ""}, "Kerberos is not spoken here; leave `gssencmode` out."),
    **{name: _read_as("schema") for name in ("schema", "currentschema", "searchpath")},
    "options": _read_options,
    "user": _read_as("user"),
    "password": _read_as("password"),
}
"""Parameters of a url without `_` and `-`, and the functions that read fields from their values."""
