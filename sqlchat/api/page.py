"""Serves the page at `/`, its files below `/page`, and its configuration."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, send_from_directory

from sqlchat.addresses import role_of_key
from sqlchat.api.resource import answer, runtime
from sqlchat.config import Settings

FOLDER = Path(__file__).parents[1] / "page"
MONTH = 30 * 24 * 3600  # seconds

blueprint = Blueprint("page", __name__)


@blueprint.get("/")
def show_page() -> Response:
    """Serve the page, with a policy that runs and loads only files of this service."""
    response = _send("index.html")
    response.headers["Content-Security-Policy"] = write_content_policy(runtime().settings)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


@blueprint.get("/page/<path:name>")
def send_file(name: str) -> Response:
    """Serve a script or stylesheet of the page. Raises NotFound."""
    return _send(name)


@blueprint.get("/page-config.json")
def show_config() -> Response:
    """Tell the page how people sign in. Holds no secret."""
    response = answer(make_page_config(runtime().settings))
    response.headers["Cache-Control"] = "no-store"
    return response


def make_page_config(settings: Settings) -> dict[str, str]:
    """Return `auth` (`off`, `optional` if the data routes are open, or `required`) and the Supabase project.

    Leaves out the anonymous key if it is in truth a key of another role: that one is a secret.
    """
    auth = "off"
    if settings.auth_configured:
        auth = "optional" if settings.open_data_routes else "required"
    key = settings.supabase_anon_key
    is_public = key.startswith("sb_publishable_") or (key.count(".") == 2 and not role_of_key(key, "anon"))
    return {
        "auth": auth,
        "supabase_url": settings.supabase_url.rstrip("/"),
        "supabase_anon_key": key if is_public else "",
    }


def write_content_policy(settings: Settings) -> str:
    """Return the page's Content-Security-Policy: no inline script or style, no eval, no host but Supabase."""
    supabase = urlsplit(settings.supabase_url)
    hosts = ["'self'", f"{supabase.scheme}://{supabase.netloc}"] if supabase.netloc else ["'self'"]
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": " ".join(hosts),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _send(name: str) -> Response:
    """Send a file with its ETag. Vendored files have a version in their name, so browsers may cache them."""
    is_versioned = name.startswith("vendor/") and name.endswith(".js")
    response = send_from_directory(FOLDER, name, max_age=MONTH if is_versioned else None)
    if not is_versioned:
        response.headers["Cache-Control"] = "no-cache"
    return response
