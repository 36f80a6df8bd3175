"""The spans of a question, as the SDK of OpenTelemetry receives them."""

import subprocess
import sys

import pytest
from a_model import AModel
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sqlchat.app import create_app
from sqlchat.config import Settings

QUESTION = {"connection_id": "demo", "prompt": "How many customers are there?"}


@pytest.fixture(scope="module")
def provider():
    """Set once a process, as an application does."""
    made = TracerProvider()
    trace.set_tracer_provider(made)
    yield made
    made.shutdown()


@pytest.fixture
def exporter(provider):
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    exporter.shutdown()


@pytest.fixture
def model(httpserver):
    return AModel(httpserver)


@pytest.fixture
def client(tmp_path, model):
    given = {"SQLCHAT_DATA_DIR": str(tmp_path), **model.settings}
    app = create_app(Settings.from_environ(given))
    yield app.test_client()
    app.extensions["sqlchat"].close()


def ask(client, **more):
    with trace.get_tracer("test").start_as_current_span("request") as root:
        response = client.post("/api/chat", json=QUESTION | more, headers={"Host": "localhost"})
    assert response.status_code == 200, response.json
    return root.get_span_context()


def test_each_stage_is_a_span_of_the_request(client, exporter):
    root = ask(client)
    spans = {span.name: span for span in exporter.get_finished_spans()}
    stages = [f"sqlchat.{stage}" for stage in ("context", "model", "check", "run")]
    assert set(stages) <= set(spans)
    for stage in stages:
        assert spans[stage].context.trace_id == root.trace_id
        assert spans[stage].parent.span_id == root.span_id


def test_a_model_call_tells_its_model_and_tokens_and_no_text(client, exporter):
    ask(client)
    (call,) = [span for span in exporter.get_finished_spans() if span.name == "chat a-model"]
    assert dict(call.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "a-model",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
    }
    told = " ".join(span.to_json() for span in exporter.get_finished_spans())
    assert "customers" not in told


def test_calls_beside_one_another_belong_to_their_request(client, exporter):
    root = ask(client, mode="thorough")
    calls = [span for span in exporter.get_finished_spans() if span.name == "chat a-model"]
    assert len(calls) == 3
    assert {call.context.trace_id for call in calls} == {root.trace_id}


def test_a_fault_marks_its_span_without_its_text(client, exporter, model):
    model.sql = "SELECT no_such_column FROM customers"
    response = client.post("/api/chat", json=QUESTION, headers={"Host": "localhost"})
    assert response.status_code == 422
    failed = [span for span in exporter.get_finished_spans() if not span.status.is_ok]
    assert {(span.name, span.attributes["error.type"]) for span in failed} == {("sqlchat.check", "sql_failed")}
    assert "no_such_column" not in " ".join(span.to_json() for span in exporter.get_finished_spans())


def test_without_the_library_questions_are_answered(tmp_path):
    code = f"""
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "opentelemetry":
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
from sqlchat.app import create_app
from sqlchat.config import Settings
app = create_app(Settings.from_environ({{"SQLCHAT_DATA_DIR": {str(tmp_path)!r}}}))
answer = app.test_client().post("/api/chat", json={QUESTION!r}, headers={{"Host": "localhost"}})
print(answer.status_code)
app.extensions["sqlchat"].close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.strip() == "200", done.stderr
