"""The table of settings: read whole, checked whole, told whole."""

import dataclasses
import re
import shlex
from pathlib import Path

import jwt
import pytest
from dotenv import dotenv_values

from sqlchat.config import ConfigError, Settings, unknown_settings
from sqlchat.config.values import ModelPrice

ROOT = Path(__file__).parents[1]
ROWS = dataclasses.fields(Settings)
KEY = "k" * 40


def test_without_an_environment_it_is_a_local_service():
    settings = Settings.from_environ({})
    assert (settings.port, settings.data_dir, settings.database_url) == (8000, Path("var"), "")
    assert not settings.auth_configured
    assert settings.reaches_private_hosts
    assert settings.database_roots == (Path("var"),)


def test_every_kind_of_value_is_read(tmp_path):
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
    settings = Settings.from_environ(
        {
            "PORT": " 9000 ",
            "SQLCHAT_MODEL_TIMEOUT": "2.5",
            "SQLCHAT_MAX_PLAN_COST": "1e9",
            "SQLCHAT_OPEN_DATA_ROUTES": "Yes",
            "SQLCHAT_PRIVATE_HOSTS": "off",
            "SQLCHAT_DATA_DIR": "/srv/sqlchat",
            "SQLCHAT_DATABASE_DIRS": f"{folders[0]}:{folders[1]}",
            "SQLCHAT_BUCKETS": "uploads, exports,",
            "SQLCHAT_MODEL_PRICES": "gpt-x=1.25/10, claude-y=3/15",
            "OPENAI_MODEL": "",
        }
    )
    assert (settings.port, settings.model_timeout, settings.max_plan_cost) == (9000, 2.5, 1e9)
    assert settings.open_data_routes
    assert not settings.reaches_private_hosts
    assert settings.state_dir == Path("/srv/sqlchat/state")
    assert settings.database_roots == (Path("/srv/sqlchat"), *folders)
    assert settings.buckets == ("uploads", "exports")
    assert settings.model_prices == (ModelPrice("gpt-x", 1.25, 10), ModelPrice("claude-y", 3, 15))


@pytest.mark.parametrize("env", ["SUPABASE_URL", "SUPABASE_JWT_SECRET"])
def test_supabase_makes_it_a_service_for_many(env):
    settings = Settings.from_environ({env: "https://project.supabase.co/and/more"})
    assert settings.auth_configured
    assert not settings.reaches_private_hosts


def test_a_value_that_cannot_be_read_hides_no_other_fault():
    environ = {"WEB_CONCURRENCY": "zero", "SUPABASE_JWT_SECRET": "short", "SQLCHAT_DAILY_COST": "1"}
    with pytest.raises(ConfigError) as caught:
        Settings.from_environ(environ | {"SQLCHAT_MODEL_PRICES": "gpt-x"})
    named = [line.strip().partition(":")[0] for line in str(caught.value).splitlines()[1:]]
    assert sorted(named) == ["SQLCHAT_MODEL_PRICES", "SUPABASE_JWT_SECRET", "WEB_CONCURRENCY"]


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"DATABASE_URL": "postgres://u:p@h/d"}, "SQLCHAT_SECRET_KEY"),
        ({"SQLCHAT_SECRET_KEY": "short"}, "SQLCHAT_SECRET_KEY"),
        ({"SQLCHAT_SECRET_KEY": f"{KEY},short"}, "SQLCHAT_SECRET_KEY"),
        ({"SUPABASE_URL": "project.supabase.co"}, "SUPABASE_URL"),
        ({"OPENAI_BASE_URL": "localhost:11434/v1"}, "OPENAI_BASE_URL"),
        ({"ANTHROPIC_BASE_URL": "gateway.example.com"}, "ANTHROPIC_BASE_URL"),
        ({"SQLCHAT_THREADS": "0"}, "SQLCHAT_THREADS"),
        ({"WEB_CONCURRENCY": "-1"}, "WEB_CONCURRENCY"),
        ({"WEB_CONCURRENCY": "zero"}, "WEB_CONCURRENCY"),
        ({"SQLCHAT_SQL_WORKER_MEMORY_MB": "100"}, "SQLCHAT_SQL_WORKER_MEMORY_MB"),
        ({"SQLCHAT_UPLOAD_WORKER_MEMORY_MB": "511"}, "SQLCHAT_UPLOAD_WORKER_MEMORY_MB"),
        ({"SUPABASE_JWT_SECRET": "s" * 31}, "SUPABASE_JWT_SECRET"),
        *[
            ({"SUPABASE_URL": url}, "SUPABASE_URL")
            for url in ("http://project.supabase.co", "http://10.0.0.1:8000", "http://localhost.example", "https://")
        ],
        ({"SQLCHAT_STATEMENT_TIMEOUT": "0"}, "SQLCHAT_STATEMENT_TIMEOUT"),
        ({"SQLCHAT_MODEL_TIMEOUT": "nan"}, "SQLCHAT_MODEL_TIMEOUT"),
        ({"SQLCHAT_UPLOAD_TIMEOUT": "inf"}, "SQLCHAT_UPLOAD_TIMEOUT"),
        ({"SQLCHAT_MAX_PLAN_COST": "-1"}, "SQLCHAT_MAX_PLAN_COST"),
        ({"SQLCHAT_MAX_PLAN_COST": "nan"}, "SQLCHAT_MAX_PLAN_COST"),
        ({"PORT": "70000"}, "PORT"),
        ({"SQLCHAT_MODEL_PRICES": "gpt-x=1.25"}, "SQLCHAT_MODEL_PRICES"),
        ({"SQLCHAT_MODEL_PRICES": "gpt-x=1/inf"}, "SQLCHAT_MODEL_PRICES"),
        ({"SQLCHAT_MODEL_PRICES": "1.25/10"}, "SQLCHAT_MODEL_PRICES"),
        ({"SQLCHAT_LOG_LEVEL": "loud"}, "SQLCHAT_LOG_LEVEL"),
        ({"SQLCHAT_DATABASE_DIRS": "/no/such/folder"}, "SQLCHAT_DATABASE_DIRS"),
        ({"SQLCHAT_DATABASE_DIRS": f"/tmp:{__file__}"}, "SQLCHAT_DATABASE_DIRS"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_settings_that_do_not_add_up_end_the_start(environ, named):
    with pytest.raises(ConfigError, match=f"^sqlchat cannot start:\n  {named}: "):
        Settings.from_environ(environ)


@pytest.mark.parametrize(
    "url", ["mysql://u:sesame@h/db", "nonsense", "postgres://u:sesame@h:port/db", "sqlite:///x.db", "://sesame"]
)
def test_a_database_url_of_something_else_ends_the_start_without_showing_it(url):
    with pytest.raises(
        ConfigError, match=r"^sqlchat cannot start:\n  DATABASE_URL: must read postgresql://"
    ) as caught:
        Settings.from_environ({"DATABASE_URL": url, "SQLCHAT_SECRET_KEY": KEY})
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost:54321", "http://127.0.0.1:54321", "http://[::1]:1", "https://x.co"]
)
def test_supabase_on_this_machine_needs_no_tls(url):
    assert Settings.from_environ({"SUPABASE_URL": url}).supabase_url == url


def key_of(role):
    return jwt.encode({"iss": "supabase", "role": role}, KEY, "HS256")


@pytest.mark.parametrize("key", [key_of("anon"), key_of("authenticated"), "sb_publishable_abc"])
def test_a_key_of_another_role_in_the_service_key_s_place_ends_the_start(key):
    environ = {"SUPABASE_URL": "https://project.supabase.co", "SUPABASE_SERVICE_ROLE_KEY": key}
    with pytest.raises(
        ConfigError, match=r"^sqlchat cannot start:\n  SUPABASE_SERVICE_ROLE_KEY: is a key of"
    ) as caught:
        Settings.from_environ(environ)
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", [key_of("service_role"), "sb_secret_abc", "of.another.kind", "plain"])
def test_a_key_that_may_be_the_service_s_is_taken(key):
    assert Settings.from_environ({"SUPABASE_SERVICE_ROLE_KEY": key}).supabase_service_role_key == key


def test_the_ceiling_of_rows_is_told():
    with pytest.raises(ConfigError, match="SQLCHAT_MAX_ROWS_CEILING, which is 10000; both may be raised"):
        Settings.from_environ({"SQLCHAT_MAX_ROWS": "20000"})


def test_what_looks_like_a_setting_and_is_none_is_told_with_the_one_that_was_meant():
    assert unknown_settings({row.metadata["env"]: "x" for row in ROWS} | {"HOME": "/", "MY_SQLCHAT_X": "1"}) == ""
    told = unknown_settings({"SQLCHAT_MAXROWS": "open-sesame", "SQLCHAT_COLOUR": "blue"})
    assert "SQLCHAT_COLOUR, SQLCHAT_MAXROWS (did you mean SQLCHAT_MAX_ROWS?)" in told
    assert "sesame" not in told


@pytest.mark.parametrize("place", ["a-file", "a-file/below", "/proc"])
def test_a_data_folder_that_cannot_be_used_is_named(tmp_path, place):
    (tmp_path / "a-file").touch()
    settings = Settings(data_dir=tmp_path / place)
    with pytest.raises(ConfigError, match=f"^sqlchat cannot start:\n  SQLCHAT_DATA_DIR: {tmp_path / place}"):
        settings.check_state_dir()
    dataclasses.replace(settings, database_url="postgres://u:p@h/d").check_state_dir()


def test_a_data_folder_is_made_with_its_state_closed_to_others_and_nothing_left_in_it(tmp_path):
    settings = Settings(data_dir=tmp_path / "new" / "data")
    settings.check_state_dir()
    assert list(settings.data_dir.rglob("*")) == [settings.state_dir]
    assert settings.state_dir.stat().st_mode & 0o077 == 0


def test_no_fault_repeats_a_secret():
    with pytest.raises(ConfigError) as caught:
        Settings.from_environ({"SQLCHAT_SECRET_KEY": "open-sesame", "DATABASE_URL": "postgres://ann:open-sesame@h/d"})
    assert "sesame" not in str(caught.value)


def test_a_fresh_key_is_offered_and_never_the_same():
    offers = set()
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            Settings.from_environ({"DATABASE_URL": "postgres://u:p@h/d"})
        offers.add(re.search(r"[\w-]{43}$", str(caught.value)).group())
    assert len(offers) == 2


def test_no_repr_shows_a_secret():
    secrets = {row.metadata["env"]: "open-sesame-" * 4 for row in ROWS if not row.repr}
    secrets["DATABASE_URL"] = "postgres://ann:open-sesame@h/d"
    assert {"DATABASE_URL", "SQLCHAT_SECRET_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"} <= set(secrets)
    assert "sesame" not in repr(Settings.from_environ(secrets))


def test_names_are_unique():
    assert len({row.metadata["env"] for row in ROWS}) == len(ROWS)


def example() -> dict[str, str]:
    """The lines of `.env.example`, with their `#` taken off."""
    text = (ROOT / ".env.example").read_text()
    return dict(re.findall(r"^#?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_the_example_names_every_setting_and_its_default():
    lines = example()
    assert set(lines) == {row.metadata["env"] for row in ROWS}
    assert Settings.from_environ(lines) == Settings()


def test_the_example_sets_nothing_as_it_stands_and_holds_no_secret():
    assert dotenv_values(ROOT / ".env.example") == {}
    assert not any(example()[row.metadata["env"]] for row in ROWS if not row.repr)
    assert all(len(shlex.split(value)) <= 1 for value in example().values())
