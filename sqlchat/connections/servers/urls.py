"""A connection string, as vendors and other tools write it -> the fields of a config.

What other clients add that changes nothing here is passed over, what means one of our fields is mapped to it, and the
rest is refused: a driver would read files, other hosts and settings of the session from it. No message echoes more
than the names of parameters.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from sqlchat.errors import ConnectionConfigError

MOST_PARAMETERS = 30
DRIVER = re.compile(r"\+[a-z0-9_]+\Z")
"""Of `postgresql+psycopg2`, as SQLAlchemy writes which driver it means."""
PLACEHOLDER = re.compile(r"\[YOUR[-_]PASSWORD\]|\{your[-_]password\}|<(?:your[-_])?password>|\*{6,}", re.IGNORECASE)
"""Stands for the password in what vendors show, such as Supabase, Azure and Neon."""
PASSED_OVER = frozenset(
    # what is done here anyway, or is about the pool, the threads or the prepared statements of another client
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
"""From the laxest to the strictest; of two the stricter holds."""
SWITCHES = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
CHECKED = {"strict": "verify-full", "acceptinvalidcerts": "require"}
REJECT = re.compile(r'\{"rejectunauthorized":(true|false)\}')
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
"""The fields by their names in a text of pairs, as libpq and .NET have it."""
GO = re.compile(r"(?P<user>[^:@/]+):(?P<password>.*)@tcp\((?P<place>[^()]+)\)(?P<rest>/.*)")
WRAPPED = re.compile(r"(?:psql\s+|(?:export\s+)?\w+=)?(?P<quote>[\"']?)(?P<url>[a-z][\w+.:]*://.*)(?P=quote)", re.I)
"""A url as it stands in a shell or a file of settings: `psql 'postgresql://...'`, `DATABASE_URL="postgres://..."`."""
REFERENCE = re.compile(r"reference=([a-zA-Z0-9-]+)")
"""Says to Supabase's pooler which project is meant; so does the name of the user, behind a dot."""
ENDPOINT = re.compile(r"(?:endpoint|project|--cluster)=[a-zA-Z0-9-]+")
"""Says which database is meant to those who do not see the name of the host in TLS, as they do here."""


def read_url(url: str, schemes: tuple[str, ...], known: list[str]) -> dict[str, str]:
    """The fields among `known` that `url` gives. Raises ConnectionConfigError."""
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
    """The fields of `host=... dbname=...`, as libpq has it, or of `Server=...;Database=...`, as .NET does.

    Raises ConnectionConfigError, which names no parameter: what looks like one may be a part of a password.
    """
    try:
        pieces = text.split(";") if ";" in text else shlex.split(text.removeprefix("psql").strip().strip("\"'"))
    except ValueError:
        pieces = [text]
    fields: dict[str, str] = {}
    query: list[tuple[str, str]] = []
    for name, equals, value in (piece.partition("=") for piece in pieces if piece.strip()):
        bare = re.sub("[ _-]", "", name.lower())
        if equals and (field := NAMES.get(bare)):
            fields[field] = value.strip()
        elif equals and (bare in READERS or bare in PASSED_OVER):
            query.append((bare, value.strip()))
        else:
            raise ConnectionConfigError(f"url: of such a text only {', '.join(sorted(NAMES))} and sslmode are taken.")
    return _read_parameters(fields, query, known)


def _read_parameters(fields: dict[str, str], query: list[tuple[str, str]], known: list[str]) -> dict[str, str]:
    """`fields` with what the parameters of a `query` say. Raises ConnectionConfigError."""
    refused, given = [], []
    for name, value in query:
        bare = name.lower().replace("_", "").replace("-", "")
        if reader := READERS.get(bare):
            given.append((reader, value))
        elif bare not in PASSED_OVER:
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


def _map_field(name: str) -> Callable[[str], Mapping[str, str]]:
    return lambda value: {name: value} if value else {}


def _map_sslmode(value: str) -> Mapping[str, str]:
    return {"sslmode": SSLMODES.get(value.lower().replace("_", "").replace("-", ""), value.lower())} if value else {}


def _map_tls(value: str) -> Mapping[str, str]:
    """`ssl=true`, or `ssl={"rejectUnauthorized":true}`, as JavaScript's clients have it."""
    bare = value.lower().replace(" ", "")
    if strict := REJECT.fullmatch(bare):
        return {"sslmode": "verify-full" if strict[1] == "true" else "require"}
    return {"sslmode": SWITCHES[bare]} if bare in SWITCHES else _map_sslmode(bare)


def _map_certificates(value: str) -> Mapping[str, str]:
    bare = value.lower().replace("_", "")
    if bare not in CHECKED:
        raise ConnectionConfigError("url: `sslaccept` is strict or accept_invalid_certs; sslmode says more.")
    return {"sslmode": CHECKED[bare]}


def _map_checks(mode: str) -> Callable[[str], Mapping[str, str]]:
    """A switch that asks for `mode`; off, it asks for nothing."""
    return lambda value: {"sslmode": mode} if SWITCHES.get(value.lower()) == "require" else {}


def _map_file(value: str) -> Mapping[str, str]:
    if not value:
        return {}
    raise ConnectionConfigError(
        "url: certificates in files are not read; give them as text in the field sslrootcert, or leave the file out."
    )


def _map_authorities(value: str) -> Mapping[str, str]:
    if value != "system":
        raise ConnectionConfigError(
            "url: `sslrootcert` is a file, which is not read; give certificates as text in the field sslrootcert."
        )
    return {"sslmode": "verify-full"}


def _map_channel_binding(value: str) -> Mapping[str, str]:
    if value not in ("disable", "prefer", "require"):
        raise ConnectionConfigError("url: `channel_binding` is disable, prefer or require.")
    return {"channel_binding": value}


def _map_gss(value: str) -> Mapping[str, str]:
    if value not in ("disable", "prefer"):
        raise ConnectionConfigError("url: Kerberos is not spoken here; leave `gssencmode` out.")
    return {}


def _map_options(value: str) -> Mapping[str, str]:
    """The search path is the one setting of a session that is taken."""
    if not value.strip() or ENDPOINT.fullmatch(value.strip()):
        return {}
    if reference := REFERENCE.fullmatch(value.strip()):
        return {"project": reference[1]}
    match = SEARCH_PATH.fullmatch(value.strip())
    if match is None:
        raise ConnectionConfigError("url: of `options`, only `-c search_path=...` is taken; leave the rest out.")
    return {"schema": re.sub(r"\\(.)", r"\1", match[1])}


READERS: dict[str, Callable[[str], Mapping[str, str]]] = {
    "sslmode": _map_sslmode,
    "ssl": _map_tls,
    "usessl": _map_tls,
    "tls": _map_tls,
    "sslaccept": _map_certificates,
    "requiressl": _map_checks("require"),
    "sslverifycert": _map_checks("verify-ca"),
    "verifyservercertificate": _map_checks("verify-ca"),
    "sslverifyidentity": _map_checks("verify-full"),
    "sslca": _map_file,
    "sslcert": _map_file,
    "sslkey": _map_file,
    "sslrootcert": _map_authorities,
    "channelbinding": _map_channel_binding,
    "gssencmode": _map_gss,
    "schema": _map_field("schema"),
    "currentschema": _map_field("schema"),
    "searchpath": _map_field("schema"),
    "options": _map_options,
    "user": _map_field("user"),
    "password": _map_field("password"),
}
"""By the name of a parameter without `_` and `-`, what it says of which field."""
