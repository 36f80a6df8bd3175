"""Applications in local mode and behind Supabase auth, each over a data folder of its own."""

import time
import uuid

import jwt
import pytest

from sqlchat.app import create_app
from sqlchat.config import Settings
from sqlchat.tokens import mint_token

JWT_SECRET = "only for these tests, and nowhere else in use"


def closing(settings):
    app = create_app(settings)
    yield app
    app.extensions["sqlchat"].close()


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings(data_dir=tmp_path_factory.mktemp("local"), upload_timeout=300.0)


@pytest.fixture(scope="module")
def app(settings):
    yield from closing(settings)


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(scope="module")
def token(settings, app):
    return mint_token(settings, "ann@example.com")


@pytest.fixture
def signed_in(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory):
    """The same application with Supabase auth configured."""
    data_dir = tmp_path_factory.mktemp("shared")
    yield from closing(Settings(data_dir=data_dir, supabase_jwt_secret=JWT_SECRET, upload_timeout=300.0))


@pytest.fixture
def shared_client(shared_app):
    return shared_app.test_client()


@pytest.fixture
def open_client(tmp_path):
    """A service with Supabase auth whose operator opened the data routes."""
    settings = Settings(
        data_dir=tmp_path, supabase_jwt_secret=JWT_SECRET, open_data_routes=True, upload_timeout=300.0
    )
    for app in closing(settings):
        yield app.test_client()


def supabase_token(**claims):
    now = int(time.time())
    usual = {
        "sub": str(uuid.uuid4()),
        "email": "user@example.com",
        "aud": "authenticated",
        "role": "authenticated",
        "iat": now,
        "exp": now + 7200,
    }
    return jwt.encode(usual | claims, JWT_SECRET, "HS256")


@pytest.fixture
def two_users():
    """Authorization headers of two users of one project."""
    return [{"Authorization": f"Bearer {supabase_token()}"} for _ in range(2)]
