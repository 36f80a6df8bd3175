"""`python -m sqlchat.gunicorn wsgi:app`: gunicorn, once the settings were found to add up.

gunicorn reads WEB_CONCURRENCY by itself before it reads any file of ours, and ends in a traceback over what is no
number.
"""

from __future__ import annotations

import os
import sys

from dotenv import find_dotenv, load_dotenv

from sqlchat.config import Settings
from sqlchat.workers.process import SPARING


def main() -> None:
    """Raises ConfigError that lists what is wrong, else becomes gunicorn with the same arguments."""
    load_dotenv(find_dotenv(usecwd=True))
    settings = Settings.from_environ()
    os.environ["WEB_CONCURRENCY"] = str(settings.web_concurrency)
    for name, value in SPARING.items():
        os.environ.setdefault(name, value)
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *sys.argv[1:]])  # noqa: S606 - it has this process


if __name__ == "__main__":
    main()
