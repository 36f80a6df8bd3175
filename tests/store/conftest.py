"""The store in both its homes: every test that takes `settings` or `store` runs on SQLite and on Postgres."""

from urllib.parse import quote

import pytest

from sqlchat.config import Settings
from sqlchat.store import Store

KEY = "k" * 40


def database_url(config, scheme="postgres"):
    return f"{scheme}://{config['user']}:{quote(config['password'])}@127.0.0.1:{config['port']}/{config['database']}"


@pytest.fixture
def embedded(tmp_path):
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def on_postgres(tmp_path, postgres_database):
    return Settings(data_dir=tmp_path / "data", database_url=database_url(postgres_database), secret_key=KEY)


@pytest.fixture(params=["embedded", "on_postgres"])
def settings(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def make_store():
    """Stores that are closed at the end; each is what another process would have."""
    made = []

    def make(settings):
        made.append(Store(settings))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(settings, make_store):
    store = make_store(settings)
    store.upgrade()
    return store
