"""Configures logging: one JSON object a line on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
from gunicorn import glogging  # type: ignore[import-untyped]

from sqlchat.config import Settings

USUAL = frozenset({*vars(logging.makeLogRecord({})), "asctime", "message"})
"""Attributes of each record; others are facts of its own."""


class LineFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time, level, logger, message, then its facts."""

    def format(self, record: logging.LogRecord) -> str:
        time = self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z")
        line = {"time": time, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        line |= {name: fact for name, fact in vars(record).items() if name not in USUAL}
        if record.exc_info:
            line["exc_info"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class GunicornLogger(glogging.Logger):  # type: ignore[misc]
    """gunicorn's logger that writes the same JSON. Set as its `logger_class`."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(LineFormatter())


class LineHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Our one handler; its type tells it from others."""


def configure(settings: Settings) -> None:
    """Log our own records from the configured level on, and of other libraries warnings and errors alone.

    The setting does not change the latter: at DEBUG, an SDK logs prompts, headers and rows.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, LineHandler) for handler in root.handlers):
        handler = LineHandler(sys.stderr)
        handler.setFormatter(LineFormatter())
        root.addHandler(handler)
    logging.getLogger("sqlchat").setLevel(settings.log_level.upper())
