"""Supabase Storage's protocol, served in this process."""

import time
import uuid

import jwt
import pytest
from supabase_storage_server import SERVICE_KEY, SupabaseStorageServer

from sqlchat.config import Settings
from sqlchat.files.storage import open_storage

JWT_SECRET = "only for these tests, and nowhere else in use"


@pytest.fixture
def user():
    """A user's id and token."""
    sub = str(uuid.uuid4())
    claims = {"sub": sub, "role": "authenticated", "aud": "authenticated", "exp": int(time.time()) + 600}
    return sub, jwt.encode(claims, JWT_SECRET, "HS256")


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "storage-server"
    folder.mkdir()
    running = SupabaseStorageServer(folder, JWT_SECRET)
    yield running
    running.close()


@pytest.fixture
def patience():
    """Seconds for one call: plenty, since a busy machine is no fault. Tests of a server that hangs take less."""
    return 30.0


@pytest.fixture
def supabase(server, patience):
    """Our storage over that server."""
    opened = open_storage(
        Settings(supabase_url=server.url, supabase_service_role_key=SERVICE_KEY, storage_timeout=patience)
    )
    yield opened
    opened.close()
