"""A connection string, as vendors and other tools write it -> the fields of a config.

What other clients add that changes nothing here is passed over, what means one of our fields is mapped to it, and the
rest is refused: a driver would read files, other hosts and settings of the session from it. No message echoes more
than the names of parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sqlchat.errors import ConnectionConfigError

MOST_PARAMETERS = 30
DRIVER = re.compile(r"\+[a-z0-9_]+\Z")
"""Of `postgresql+psycopg2`, as SQLAlchemy writes which driver it means."""
PLACEHOLDER = "[YOUR-PASSWORD]"
PASSED_OVER = frozenset(
    # what is done here anyway, or is about the pool, the threads or the prepared statements of another client
    "application_name autocommit allow_public_key_retrieval charset character_encoding "
    "client_encoding collation connect_timeout connection_limit connection_timeout "
    "fallback_application_name keepalives keepalives_count keepalives_idle keepalives_interval loc max_connections "
    "max_idle_connections parse_time pgbouncer pool_max_conns pool_min_conns pool_mode pool_size pool_timeout "
    "prepare_threshold prepared_statement_cache_queries prepared_statement_cache_size prepared_statements "
    "read_timeout reconnect server_timezone socket_timeout sslcertmode sslcompression sslnegotiation sslsni "
    "statement_cache_size supa target_session_attrs tcp_keepalive tcp_user_timeout timeout use_unicode "
    "workaround write_timeout".replace("_", "").split()
)
SSLMODES = {
    "disabled": "disable",
    "preferred": "prefer",
    "required": "require",
    "verifyca": "verify-ca",
    "verifyidentity": "verify-full",
    "verifyfull": "verify-full",
    "noverify": "require",
}
"""MySQL's names, and Heroku's `no-verify`."""
ENCRYPTED = ("require", "verify-ca", "verify-full")
"""From the laxest to the strictest; of two the stricter holds."""
SWITCHES = {"true": "require", "1": "require", "false": "disable", "0": "disable"}
CHECKED = {"strict": "verify-full", "acceptinvalidcerts": "require"}
REJECT = re.compile(r'\{"rejectunauthorized":(true|false)\}')
SEARCH_PATH = re.compile(r"(?:-c\s*|--)search[_-]path=((?:[^\s\\]|\\.)+)", re.IGNORECASE)
WRAPPED = re.compile(r"(?:psql\s+|(?:export\s+)?\w+=)?(?P<quote>[\"']?)(?P<url>[a-z][\w+.:]*://.*)(?P=quote)", re.I)
"""A url as it stands in a shell or a file of settings: `psql 'postgresql://...'`, `DATABASE_URL="postgres://..."`."""
REFERENCE = re.compile(r"reference=([a-zA-Z0-9-]+)")
"""Says to Supabase's pooler which project is meant; so does the name of the user, behind a dot."""
ENDPOINT = re.compile(r"(?:endpoint|project)=[a-zA-Z0-9-]+")
"""Says which database is meant to those who do not see the name of the host in TLS, as they do here."""


def read_url(url: str, schemes: tuple[str, ...], known: list[str]) -> dict[str, str]:
    """The fields among `known` that `url` gives. Raises ConnectionConfigError."""
    wrapped = WRAPPED.fullmatch(url.strip())
    bare_url = (wrapped["url"] if wrapped else url.strip()).removeprefix("jdbc:")
    if PLACEHOLDER in bare_url:
        raise ConnectionConfigError(f"url: put the password in place of {PLACEHOLDER}, or give it as a field.")
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
    fields = {name: value for name, value in fields.items() if value}
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
    if bare not in SWITCHES:
        raise ConnectionConfigError("url: `ssl` is true or false; sslmode says more.")
    return {"sslmode": SWITCHES[bare]}


def _map_certificates(value: str) -> Mapping[str, str]:
    bare = value.lower().replace("_", "")
    if bare not in CHECKED:
        raise ConnectionConfigError("url: `sslaccept` is strict or accept_invalid_certs; sslmode says more.")
    return {"sslmode": CHECKED[bare]}


def _map_checks(mode: str) -> Callable[[str], Mapping[str, str]]:
    """A switch that asks for `mode`; off, it asks for nothing."""
    return lambda value: {"sslmode": mode} if SWITCHES.get(value.lower()) == "require" else {}


def _map_file(value: str) -> Mapping[str, str]:
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
