"""Defines every setting as one row (environment variable, default, help), and reads them once at start."""

from __future__ import annotations

import dataclasses
import difflib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlchat import machine
from sqlchat.config.faults import list_faults
from sqlchat.config.values import ModelPrice, parse_value

SLOWEST_TRANSFER = 4 << 20
"""Slowest transfer from and to the storage, in bytes a second, before it counts as failed."""
LEAST_ANSWER, MOST_ANSWER = 500, 16_000
"""Least and most tokens for a model's answer, thinking included."""
RULES_TOKENS = 1300
"""Tokens of a prompt for its rules, the question and its values, beside the catalog."""
SMALLEST_PROCESS = 512
"""Least address space in MiB with which a worker process can start."""
SMALL = 1024
"""With less memory, in MiB, the service starts fewer and smaller processes."""


class ConfigError(SystemExit):
    """Settings are missing or wrong. It ends the start, and its text lists all of them."""


def setting(env: str, default: Any, help: str, *, secret: bool = False, least: int = 1, small: Any = None) -> Any:
    """Make one row of the table. A secret is in no repr, and a whole number must be `least` or more.

    Other numbers are seconds above 0; with a `least` of 0 they are other amounts, which may be 0. `small` is the
    default with less memory than SMALL.
    """
    metadata = {"env": env, "help": help, "least": least, "small": small}
    return dataclasses.field(default=default, repr=not secret, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The table. `Settings.from_environ()` reads it; tests build it with keywords."""

    # Serving
    port: int = setting("PORT", 8000, "Port to listen on.")
    web_concurrency: int = setting(
        "WEB_CONCURRENCY", 2, "gunicorn worker processes; 1 below 1 GiB of memory.", small=1
    )
    threads: int = setting("SQLCHAT_THREADS", 32, "Threads a worker process; a model call blocks one.")
    queue_timeout: float = setting(
        "SQLCHAT_QUEUE_TIMEOUT", 20.0, "Seconds that a request may wait for a free thread, before 503."
    )
    client_timeout: float = setting(
        "SQLCHAT_CLIENT_TIMEOUT",
        30.0,
        "Seconds that a client may keep a thread waiting for its request, or for taking its answer.",
    )
    trusted_proxies: int = setting(
        "SQLCHAT_TRUSTED_PROXIES",
        0,
        "Proxies in front that write X-Forwarded-For and X-Forwarded-Proto; the log then has the client's address, "
        "and links the scheme that it used. 0: neither is read.",
        least=0,
    )
    metrics_token: str = setting(
        "SQLCHAT_METRICS_TOKEN",
        "",
        "Token that `/metrics` takes, of 16 characters or more; empty: it answers this machine alone.",
        secret=True,
    )
    page: bool = setting("SQLCHAT_PAGE", True, "Serve the page to ask in at `/`; if not, `/` leads to `/docs`.")
    log_level: str = setting("SQLCHAT_LOG_LEVEL", "INFO", "Least level that is logged.")

    memory_mb: int = setting(
        "SQLCHAT_MEMORY_MB",
        0,
        "Memory of the whole service, in MiB, by which other settings have their defaults. 0: the control group's or "
        "the machine's.",
        least=0,
    )
    idle_seconds: float = setting(
        "SQLCHAT_IDLE_SECONDS",
        300.0,
        "Seconds after which a worker process that has nothing to do ends, but for one that reads SQL; below 1 GiB "
        "of memory that one too, after 30, and those for files at once.",
        small=30.0,
    )

    # State
    data_dir: Path = setting("SQLCHAT_DATA_DIR", Path("var"), "Folder of everything kept on disk.")
    database_url: str = setting(
        "DATABASE_URL",
        "",
        "Postgres database of the service's own state (schema `sqlchat`); empty: SQLite in the data folder.",
        secret=True,
    )
    secret_key: str = setting(
        "SQLCHAT_SECRET_KEY",
        "",
        "Encrypts stored credentials; 32 characters or more, several separated by commas with the newest first. "
        "Required with DATABASE_URL; without it, a key file is made in the data folder.",
        secret=True,
    )
    history_days: int = setting(
        "SQLCHAT_HISTORY_DAYS",
        90,
        "Days that questions, SQL and how they ended are kept; 0 keeps none, and then no question can follow up on "
        "another.",
        least=0,
    )

    # Auth
    supabase_url: str = setting("SUPABASE_URL", "", "Project URL: auth by its JWKS, and Supabase Storage.")
    supabase_service_role_key: str = setting(
        "SUPABASE_SERVICE_ROLE_KEY", "", "Key that uploads to Supabase Storage.", secret=True
    )
    supabase_anon_key: str = setting(
        "SUPABASE_ANON_KEY",
        "",
        "Key sent to Storage beside a signed-in caller's own token; empty: the service role's.",
        secret=True,
    )
    supabase_jwt_secret: str = setting("SUPABASE_JWT_SECRET", "", "Legacy HS256 secret.", secret=True)
    open_data_routes: bool = setting(
        "SQLCHAT_OPEN_DATA_ROUTES",
        False,
        "Let callers without a token use the data routes, if you protect the service by other means.",
    )

    # Models
    openai_api_key: str = setting("OPENAI_API_KEY", "", "Configures the provider `openai`.", secret=True)
    openai_base_url: str = setting(
        "OPENAI_BASE_URL", "", "Another endpoint that speaks OpenAI's protocol (Ollama, vLLM, a gateway)."
    )
    openai_model: str = setting("OPENAI_MODEL", "", "Model of `openai`; empty: the built-in default.")
    anthropic_api_key: str = setting("ANTHROPIC_API_KEY", "", "Configures the provider `anthropic`.", secret=True)
    anthropic_base_url: str = setting("ANTHROPIC_BASE_URL", "", "Another endpoint that speaks its protocol.")
    anthropic_model: str = setting("ANTHROPIC_MODEL", "", "Model of `anthropic`; empty: the built-in default.")
    model_timeout: float = setting("SQLCHAT_MODEL_TIMEOUT", 60.0, "Seconds for one model call, tries included.")
    model_prices: tuple[ModelPrice, ...] = setting(
        "SQLCHAT_MODEL_PRICES",
        (),
        "US dollars a million prompt and completion tokens, as in `gpt-x=1.25/10, claude-y=3/15`; for `cost_usd`.",
    )
    daily_tokens: int = setting(
        "SQLCHAT_DAILY_TOKENS",
        0,
        "Tokens that a caller's questions may take in a day (UTC), then 429. 0: any.",
        least=0,
    )
    daily_cost: float = setting(
        "SQLCHAT_DAILY_COST",
        0.0,
        "US dollars that they may cost, by SQLCHAT_MODEL_PRICES; a model without a price has the highest. 0: any.",
        least=0,
    )
    prompt_budget: int = setting("SQLCHAT_PROMPT_TOKENS", 24_000, "Tokens that the catalog may take in a prompt.")
    model_context: int = setting(
        "SQLCHAT_MODEL_CONTEXT_TOKENS",
        0,
        "Tokens of a model's whole context, prompt and answer; 0: more than any prompt takes.",
        least=0,
    )

    # Running SQL
    max_rows: int = setting("SQLCHAT_MAX_ROWS", 1000, "Rows of an answer where the request names no number.")
    max_rows_ceiling: int = setting(
        "SQLCHAT_MAX_ROWS_CEILING", 10_000, "Most rows of an answer; a request for more gets this number."
    )
    max_export_rows: int = setting(
        "SQLCHAT_MAX_EXPORT_ROWS",
        0,
        "Most rows of a result that leaves as CSV, NDJSON, Arrow or Parquet; 0: all.",
        least=0,
    )
    mcp_max_rows: int = setting("SQLCHAT_MCP_MAX_ROWS", 200, "Most rows that a tool of `/mcp` gives to an assistant.")
    max_result_mb: int = setting("SQLCHAT_MAX_RESULT_MB", 32, "Largest result, in MiB of JSON.")
    statement_timeout: float = setting("SQLCHAT_STATEMENT_TIMEOUT", 30.0, "Seconds a statement may run.")
    max_plan_cost: float = setting(
        "SQLCHAT_MAX_PLAN_COST",
        0.0,
        "Most that the database may expect a query to cost, in its own unit; what is above is refused before it "
        "runs. 0: no ceiling.",
        least=0,
    )
    pool_size: int = setting("SQLCHAT_POOL_SIZE", 5, "Database connections a pool holds in each worker.")
    pool_timeout: float = setting("SQLCHAT_POOL_TIMEOUT", 10.0, "Seconds to wait for a free one.")
    max_pools: int = setting("SQLCHAT_MAX_POOLS", 50, "Live pools in each worker; the least used is closed.")
    catalog_ttl: float = setting("SQLCHAT_CATALOG_TTL", 300.0, "Seconds after which a catalog is read again.")
    profile_ttl: float = setting(
        "SQLCHAT_PROFILE_TTL", 900.0, "Seconds after which the profiles of a database's columns are read again."
    )
    read_ahead: bool = setting(
        "SQLCHAT_READ_AHEAD",
        True,
        "Read what a connection's columns hold before its first question. Off if SQLCHAT_POOL_SIZE or "
        "SQLCHAT_SQL_WORKERS is 1: that one is for callers.",
    )
    semantic_timeout: float = setting(
        "SQLCHAT_SEMANTIC_TIMEOUT", 120.0, "Seconds to check all SQL that a semantic document brings, before 504."
    )
    sql_workers: int = setting(
        "SQLCHAT_SQL_WORKERS",
        2,
        "Killable processes for SQLite and DuckDB in each worker; 1 below 1 GiB of memory.",
        small=1,
    )
    sql_worker_memory_mb: int = setting(
        "SQLCHAT_SQL_WORKER_MEMORY_MB",
        2048,
        "Address space each of them may take, in MiB; 1024 below 1 GiB of memory.",
        least=SMALLEST_PROCESS,
        small=1024,
    )
    private_hosts: bool | None = setting(
        "SQLCHAT_PRIVATE_HOSTS",
        None,
        "May connections reach loopback and private addresses? Empty: only without Supabase auth.",
    )
    database_dirs: tuple[Path, ...] = setting(
        "SQLCHAT_DATABASE_DIRS",
        (),
        "Folders (separated by `:`) beside the data folder below which SQLite and DuckDB files may be opened.",
    )
    spark_paths: tuple[str, ...] = setting(
        "SQLCHAT_SPARK_PATHS",
        (),
        "Paths (commas), such as `s3a://lake/`, below which Spark connections may name files as tables; empty: none.",
    )

    # Files
    max_upload_mb: int = setting("SQLCHAT_MAX_UPLOAD_MB", 1024, "Largest upload, in MiB.")
    buckets: tuple[str, ...] = setting("SQLCHAT_BUCKETS", ("uploads",), "Buckets that uploads may go to (commas).")
    storage_timeout: float = setting("SQLCHAT_STORAGE_TIMEOUT", 60.0, "Seconds for one call of the storage.")
    upload_timeout: float = setting("SQLCHAT_UPLOAD_TIMEOUT", 60.0, "Seconds to read and profile one file.")
    upload_worker_memory_mb: int = setting(
        "SQLCHAT_UPLOAD_WORKER_MEMORY_MB",
        4096,
        "Address space of a process that reads uploads or makes tables of them, in MiB.",
        least=SMALLEST_PROCESS,
    )
    build_timeout: float = setting(
        "SQLCHAT_BUILD_TIMEOUT",
        180.0,
        "Seconds to make the tables of a connection's files; whoever asks them first, or meanwhile, waits for it.",
    )
    files_cache_mb: int = setting(
        "SQLCHAT_FILES_CACHE_MB",
        10_240,
        "Disk space for the databases made of uploads to ask, in MiB; the least recently used go first.",
    )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the table from `environ`. Raises ConfigError that lists all faults."""
        values, unreadable = {}, {}
        for row in dataclasses.fields(cls):
            text = environ.get(row.metadata["env"], "").strip()
            if not text:
                continue
            try:
                values[row.name] = parse_value(text, row.type)
            except ValueError as exc:
                unreadable[row.metadata["env"]] = str(exc)
        memory = values.get("memory_mb") or machine.memory_mb()
        if memory < SMALL:
            small = {row.name: row.metadata["small"] for row in dataclasses.fields(cls)}
            values = {name: value for name, value in small.items() if value is not None} | values
            values["memory_mb"] = memory
        settings = cls(**values)
        settings.check(unreadable)
        return settings

    def check(self, unreadable: Mapping[str, str] = MappingProxyType({})) -> None:
        """Raise ConfigError if settings are wrong; `unreadable` has the reasons for those that do not parse."""
        faults = [f"{name}: {reason}" for name, reason in unreadable.items()]
        faults += [fault for fault in list_faults(self) if fault.partition(":")[0] not in unreadable]
        if faults:
            raise ConfigError("sqlchat cannot start:\n  " + "\n  ".join(faults))

    def check_state_dir(self) -> None:
        """Make the folder of the embedded store, if there is one. Raises ConfigError if it cannot be written to."""
        if self.database_url:
            return
        folder = self.data_dir
        try:
            for folder in (self.data_dir, self.state_dir):
                folder.mkdir(mode=0o700 if folder == self.state_dir else 0o777, parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
        except OSError as exc:
            raise unusable(folder, exc) from exc

    @property
    def auth_configured(self) -> bool:
        """True with Supabase auth; False in local single-user mode."""
        return bool(self.supabase_jwt_secret or self.supabase_url)

    @property
    def reaches_private_hosts(self) -> bool:
        return not self.auth_configured if self.private_hosts is None else self.private_hosts

    @property
    def is_small(self) -> bool:
        """Whether memory is scarce, so that idle processes end soon."""
        return 0 < self.memory_mb < SMALL

    @property
    def reads_ahead(self) -> bool:
        """Whether to read profiles ahead: a pooled connection and a worker process must be left for callers."""
        return self.read_ahead and self.pool_size > 1 and self.sql_workers > 1

    @property
    def owner_threads(self) -> int:
        """Threads of a web process that one signed-in caller may take at once; the rest is for others."""
        return max(1, self.threads * 3 // 4)

    @property
    def database_roots(self) -> tuple[Path, ...]:
        """Folders below which SQLite and DuckDB files may be opened."""
        return (self.data_dir, *self.database_dirs)

    @property
    def answer_room(self) -> int:
        """Tokens that a model's answer may take."""
        return max(LEAST_ANSWER, min(MOST_ANSWER, self.model_context // 6)) if self.model_context else MOST_ANSWER

    @property
    def prompt_room(self) -> int:
        """Tokens that a prompt may take; 0: no limit. A second try repeats the first answer in its prompt."""
        return self.model_context - 2 * self.answer_room if self.model_context else 0

    @property
    def catalog_room(self) -> int:
        """Tokens that the catalog may take in a prompt."""
        return min(self.prompt_budget, self.prompt_room - RULES_TOKENS) if self.prompt_room else self.prompt_budget

    @property
    def build_wait(self) -> float:
        """Most seconds that a request waits for tables of files: to fetch the files and to make the tables."""
        return self.transfer_seconds(self.max_upload_mb << 20) + self.build_timeout

    def transfer_seconds(self, size_bytes: int) -> float:
        """Most seconds for the transfer of a file of that size to the storage, or from it."""
        return self.storage_timeout + size_bytes / SLOWEST_TRANSFER

    @property
    def secret_keys(self) -> tuple[str, ...]:
        return tuple(k.strip() for k in self.secret_key.split(",") if k.strip())

    @property
    def state_dir(self) -> Path:
        """Folder of our own state (store, key file). It is below the data folder, but no caller's database."""
        return self.data_dir / "state"

    @property
    def files_dir(self) -> Path:
        """Folder of uploads, if Supabase Storage is not configured."""
        return self.data_dir / "files"

    @property
    def cache_dir(self) -> Path:
        """Folder of files that can be made again. It is below the data folder, but no caller's database."""
        return self.data_dir / "cache"

    @property
    def findings_dir(self) -> Path:
        """Folder of the findings of profiles, for connections of the same files."""
        return self.cache_dir / "findings"


def unusable(folder: Path, fault: OSError) -> ConfigError:
    """Make the error for a folder below the data folder that cannot be made or written to."""
    return ConfigError(
        f"sqlchat cannot start:\n  SQLCHAT_DATA_DIR: {folder} cannot be made or written to ({fault.strerror}); name "
        "a folder that the service may write to"
    )


def unknown_settings(environ: Mapping[str, str] = os.environ) -> str:
    """Return a warning of SQLCHAT_ variables that are no settings; "" if there are none."""
    known = [str(row.metadata["env"]) for row in dataclasses.fields(Settings)]
    unknown = []
    for name in sorted(set(environ) - set(known)):
        if name.startswith("SQLCHAT_"):
            near = difflib.get_close_matches(name, known, 1, 0.8)
            unknown.append(f"{name} (did you mean {near[0]}?)" if near else name)
    return f"These environment variables are no settings of sqlchat: {', '.join(unknown)}." if unknown else ""
