"""The API's own description: valid, whole, and with examples that its own routes take."""

import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from sqlchat.app import create_app


@pytest.fixture
def spec(client):
    return client.get("/api/openapi.json").get_json()


def operations(spec):
    return [
        (path, verb, op)
        for path, verbs in spec["paths"].items()
        for verb, op in verbs.items()
        if verb != "parameters"
    ]


def test_the_spec_is_valid_openapi_3_1(spec):
    assert spec["openapi"] == "3.1.0"
    validate(spec, cls=OpenAPIV31SpecValidator)


def test_every_route_is_in_the_spec(app, spec):
    routed = {
        (re.sub(r"<(?:path:|uuid:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(("/api/", "/health", "/ready")) and not rule.endpoint.startswith("api-docs")
    }
    assert routed == {(path, verb) for path, verb, _ in operations(spec)}


def test_every_operation_is_described_and_its_failures_are_problems(spec):
    for path, verb, operation in operations(spec):
        assert operation["summary"], (path, verb)
        assert any(status.startswith("2") for status in operation["responses"]), (path, verb)
    for name, response in spec["components"]["responses"].items():
        assert list(response["content"]) == ["application/problem+json"], name


def test_every_operation_has_examples_of_what_goes_in_and_comes_out(spec):
    for path, verb, operation in operations(spec):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        bodies += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        for body in bodies:
            for media_type, content in body["content"].items():
                assert "example" in content or media_type == "multipart/form-data", (path, verb)


def test_examples_sent_one_after_the_other_delete_nothing_that_was_there(spec):
    (name,) = spec["paths"]["/api/connections/{connection_id}"]["parameters"]
    assert name["example"] == "warehouse"
    (path,) = spec["paths"]["/api/files/{storage_path}"]["parameters"]
    uploaded = spec["paths"]["/api/files/upload"]["post"]["responses"]["201"]["content"]["application/json"][
        "example"
    ]
    assert path["example"].startswith("uploads/")
    assert path["example"] != uploaded["storage_path"]


def test_uploads_are_multipart_with_a_binary_part(spec):
    content = spec["paths"]["/api/files/upload"]["post"]["requestBody"]["content"]
    name = content["multipart/form-data"]["schema"]["$ref"].rpartition("/")[2]
    assert spec["components"]["schemas"][name]["properties"]["file"]["format"] == "binary"


def test_two_applications_describe_themselves_alike(settings, spec):
    other = create_app(settings)
    assert other.test_client().get("/api/openapi.json").get_json() == spec
    other.extensions["sqlchat"].close()


def security(spec, path):
    (operation,) = spec["paths"][path].values()
    return operation["security"]


def test_imported_in_local_mode_it_points_here_and_asks_for_no_token_in_vain(spec):
    assert spec["servers"] == [{"url": "http://localhost"}]
    assert security(spec, "/api/chat")[0] == {}
    assert security(spec, "/api/auth/me") == [{"bearer": []}]


def test_with_supabase_auth_it_asks_for_the_token_that_every_data_route_needs(shared_client):
    spec = shared_client.get("/api/openapi.json").get_json()
    validate(spec, cls=OpenAPIV31SpecValidator)
    assert spec["servers"] == [{"url": "/"}]
    assert security(spec, "/api/chat") == security(spec, "/api/auth/me") == [{"bearer": []}]


def test_swagger_ui_comes_from_this_service_alone(client):
    page = client.get("/docs/").text
    assert "/api/openapi.json" in page
    assert "http://" not in page.replace("http://localhost", "")
    assert "https://" not in page
    assert len(client.get("/docs/swagger-ui-bundle.js", buffered=True).data) > 100_000


def test_an_answer_to_a_question_is_json_or_events(client):
    spec = client.get("/api/openapi.json").get_json()
    content = spec["paths"]["/api/chat"]["post"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/event-stream"}
