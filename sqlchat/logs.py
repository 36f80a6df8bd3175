"""Configures logging: one JSON object a line on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Any

from gunicorn import glogging  # type: ignore[import-untyped]
from pythonjsonlogger.orjson import OrjsonFormatter

from sqlchat.config import Settings

FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}


def make_formatter() -> OrjsonFormatter:
    return OrjsonFormatter(
        ["asctime", "levelname", "name", "message"], rename_fields=FIELDS, datefmt="%Y-%m-%dT%H:%M:%S%z"
    )


class GunicornLogger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's logger that writes the same JSON. Set as its `logger_class`."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(make_formatter())


class LineHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Our one handler; its type tells it from others."""


def configure(settings: Settings) -> None:
    """Log our own records from the configured level on, and of other libraries warnings and errors alone.

    The setting does not change the latter: at DEBUG, an SDK logs prompts, headers and rows.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, LineHandler) for handler in root.handlers):
        handler = LineHandler(sys.stderr)
        handler.setFormatter(make_formatter())
        root.addHandler(handler)
    logging.getLogger("sqlchat").setLevel(settings.log_level.upper())
