"""The page's files over HTTP: their headers, what they tell, and how they are turned off."""

import jwt
import pytest

from sqlchat.api.page import FOLDER, make_page_config
from sqlchat.app import create_app
from sqlchat.config import Settings

SECRET = "only for these tests, and nowhere else in use"


def key_of(role):
    return jwt.encode({"role": role}, SECRET, "HS256")


def test_the_page_loads_and_runs_its_own_files_alone(client):
    page = client.get("/", buffered=True)
    assert page.mimetype == "text/html"
    rules = dict(rule.split(" ", 1) for rule in page.headers["Content-Security-Policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "<script>" not in page.text
    assert "style=" not in page.text


@pytest.mark.parametrize("name", sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js")))
def test_its_scripts_are_served_and_not_sent_again(client, name):
    first = client.get(f"/page/{name}", buffered=True)
    assert first.status_code == 200
    assert first.mimetype == "text/javascript"
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert ("max-age" in first.headers["Cache-Control"]) is name.startswith("vendor/")
    again = client.get(f"/page/{name}", headers={"If-None-Match": first.headers["ETag"]}, buffered=True)
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["nothing.js", "../app.py", "..%2fapp.py", "%2e%2e/app.py"])
def test_no_other_file_is_served(client, name):
    assert client.get(f"/page/{name}").status_code == 404


def test_without_the_page_the_root_leads_to_the_documentation(tmp_path):
    app = create_app(Settings(data_dir=tmp_path, page=False))
    try:
        client = app.test_client()
        assert client.get("/").headers["Location"].endswith("/docs/")
        assert client.get("/page/main.js").status_code == client.get("/page-config.json").status_code == 404
    finally:
        app.extensions["sqlchat"].close()


def test_the_page_is_told_how_people_sign_in(client, shared_client, open_client):
    told = [each.get("/page-config.json").get_json() for each in (client, shared_client, open_client)]
    assert [each["auth"] for each in told] == ["off", "required", "optional"]
    assert all(set(each) == {"auth", "supabase_url", "supabase_anon_key"} for each in told)


@pytest.mark.parametrize("key", [key_of("anon"), "sb_publishable_abc"])
def test_the_anonymous_key_is_told(key):
    settings = Settings(supabase_url="https://project.supabase.co/", supabase_anon_key=key)
    assert make_page_config(settings) == {
        "auth": "required",
        "supabase_url": "https://project.supabase.co",
        "supabase_anon_key": key,
    }


@pytest.mark.parametrize("key", [key_of("service_role"), "sb_secret_abc", ""])
def test_a_secret_key_in_its_place_is_not(key):
    assert make_page_config(Settings(supabase_anon_key=key, supabase_service_role_key="x"))["supabase_anon_key"] == ""


def test_the_page_may_reach_supabase_where_it_is_configured(tmp_path):
    app = create_app(Settings(data_dir=tmp_path, supabase_url="https://project.supabase.co"))
    try:
        policy = app.test_client().get("/", buffered=True).headers["Content-Security-Policy"]
        assert "connect-src 'self' https://project.supabase.co;" in policy
    finally:
        app.extensions["sqlchat"].close()


def test_each_vendored_script_names_its_version_and_has_its_licence():
    vendored = FOLDER / "vendor"
    told = (vendored / "README.md").read_text()
    scripts = sorted(vendored.glob("*.js"))
    assert scripts
    for script in scripts:
        name, version = script.name.removesuffix(".min.js").rsplit("-", 1)
        assert f"`{script.name}`" in told
        assert f'"{name}-{version}"' in (FOLDER / "chart.js").read_text()
        assert "Redistribution and use" in (vendored / f"LICENSE.{name}").read_text()


def test_nothing_of_the_page_writes_html():
    for path in FOLDER.glob("*.js"):
        assert not any(word in path.read_text() for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval("))
