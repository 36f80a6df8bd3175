"""Finds settings that cannot be used, alone or together. For `config`."""

from __future__ import annotations

import dataclasses
import math
import secrets
from typing import TYPE_CHECKING

from sqlchat.addresses import is_encrypted_or_local, is_postgres_url, role_of_key

if TYPE_CHECKING:
    from sqlchat.config import Settings

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LONGEST = 86_400
"""Most seconds of a deadline."""
LONGEST_HISTORY = 36_525  # days
LEAST_CONTEXT = 3000
"""Least tokens of a model's context."""
SERVICE_ROLE = "service_role"
SHORTEST_SECRET, SHORTEST_TOKEN = 32, 16  # characters
URL_STARTS = ("https://", "http://")


def list_faults(settings: Settings) -> list[str]:
    """Return a sentence for each setting that cannot be used; it begins with the environment variable."""
    faults: list[str] = []
    if settings.database_url and not settings.secret_key:
        faults.append(
            "SQLCHAT_SECRET_KEY: needed with DATABASE_URL, since it encrypts the credentials kept there. "
            f"Here is a fresh one to keep safe: {secrets.token_urlsafe(32)}"
        )
    faults.extend(
        f"SQLCHAT_SECRET_KEY: each key needs {SHORTEST_SECRET} characters or more"
        for k in settings.secret_keys
        if len(k) < SHORTEST_SECRET
    )
    if settings.database_url and not is_postgres_url(settings.database_url):
        faults.append(
            "DATABASE_URL: must read postgresql://user:password@host:port/database, with special characters of "
            "the password percent-encoded"
        )
    if settings.supabase_url and not is_encrypted_or_local(settings.supabase_url):
        faults.append("SUPABASE_URL: must start with https://; http:// is for this machine's own addresses")
    if settings.supabase_jwt_secret and len(settings.supabase_jwt_secret) < SHORTEST_SECRET:
        faults.append(f"SUPABASE_JWT_SECRET: needs {SHORTEST_SECRET} characters or more")
    if 0 < len(settings.metrics_token) < SHORTEST_TOKEN:
        faults.append(f"SQLCHAT_METRICS_TOKEN: needs {SHORTEST_TOKEN} characters or more")
    if role := role_of_key(settings.supabase_service_role_key, SERVICE_ROLE):
        faults.append(
            f"SUPABASE_SERVICE_ROLE_KEY: is a key of the role {role!r}; give the one of `service_role`, or "
            "one that begins with sb_secret_"
        )
    for env, url in (
        ("OPENAI_BASE_URL", settings.openai_base_url),
        ("ANTHROPIC_BASE_URL", settings.anthropic_base_url),
    ):
        if url and not url.startswith(URL_STARTS):
            faults.append(f"{env}: must start with https:// or http://")
    faults.extend(
        f"SQLCHAT_DATABASE_DIRS: there is no folder {folder}"
        for folder in settings.database_dirs
        if not folder.is_dir()
    )
    if 0 < settings.model_context < LEAST_CONTEXT:
        faults.append(f"SQLCHAT_MODEL_CONTEXT_TOKENS: must be {LEAST_CONTEXT} or more, or 0")
    if (settings.daily_tokens or settings.daily_cost) and not settings.history_days:
        faults.append(
            "SQLCHAT_HISTORY_DAYS: must be 1 or more with SQLCHAT_DAILY_TOKENS or SQLCHAT_DAILY_COST, which are "
            "summed from the history"
        )
    if settings.daily_cost and not settings.model_prices:
        faults.append("SQLCHAT_MODEL_PRICES: needed with SQLCHAT_DAILY_COST")
    if settings.port > 65_535:
        faults.append("PORT: must be 65535 or less")
    if settings.history_days > LONGEST_HISTORY:
        faults.append(f"SQLCHAT_HISTORY_DAYS: must be {LONGEST_HISTORY} (a century) or less")
    if settings.log_level.upper() not in LOG_LEVELS:
        faults.append(f"SQLCHAT_LOG_LEVEL: must be one of {', '.join(LOG_LEVELS)}")
    for row in dataclasses.fields(settings):
        value, env = getattr(settings, row.name), row.metadata["env"]
        if row.type == "int" and value < row.metadata["least"]:
            faults.append(f"{env}: must be {row.metadata['least']} or more")
        if row.type == "float" and row.metadata["least"] and not 0 < value <= LONGEST:
            faults.append(f"{env}: must be above 0 and at most {LONGEST}")
        if row.type == "float" and not row.metadata["least"] and not 0 <= value < math.inf:
            faults.append(f"{env}: must be 0 or more")
    if settings.max_rows > settings.max_rows_ceiling:
        faults.append(
            f"SQLCHAT_MAX_ROWS: must not be above SQLCHAT_MAX_ROWS_CEILING, which is {settings.max_rows_ceiling}; "
            "both may be raised"
        )
    return faults
