"""Logging: one JSON object a line on stderr. Configured by `create_app`, never at import."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from sqlchat.config import Settings

FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}


class LineHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """The one handler of ours, told from others by its type."""


def configure(settings: Settings) -> None:
    """Write our own records from the configured level on, and other libraries' warnings.

    Their finer levels stay out whatever the setting: at DEBUG, an SDK writes prompts, headers and rows.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, LineHandler) for handler in root.handlers):
        handler = LineHandler(sys.stderr)
        formatter = JsonFormatter(
            ["asctime", "levelname", "name", "message"], rename_fields=FIELDS, datefmt="%Y-%m-%dT%H:%M:%S%z"
        )
        handler.setFormatter(formatter)
        root.addHandler(handler)
    logging.getLogger("sqlchat").setLevel(settings.log_level.upper())
