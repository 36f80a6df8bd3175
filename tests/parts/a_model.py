"""A language model that speaks OpenAI's protocol, over a pytest-httpserver."""

import contextlib
import json
from threading import Event, Lock

from werkzeug import Response


class AModel:
    """Answers each question with `sql` (None: with nothing that can be read), and counts its calls.

    `tokens` are those of prompt and completion, of each call. While a call is under way it does what `pause` does.
    """

    def __init__(self, httpserver, sql="SELECT count(*) AS n FROM customers", tokens=(100, 20)):
        self.sql, self.tokens, self.pause, self.calls = sql, tokens, None, 0
        self._lock = Lock()
        httpserver.expect_request("/v1/chat/completions").respond_with_handler(self._reply)
        self.settings = {
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": httpserver.url_for("/v1"),
            "OPENAI_MODEL": "a-model",
        }

    @contextlib.contextmanager
    def holding(self):
        """Have each call wait until the event is set that this gives; at the latest at the end."""
        go = Event()
        self.pause = go.wait
        try:
            yield go
        finally:
            self.pause = None
            go.set()

    def _reply(self, request):
        with self._lock:
            self.calls += 1
        if pause := self.pause:
            pause()
        said = {"interpretation": "", "assumptions": [], "sql": self.sql, "explanation": "Because."}
        content = json.dumps(said) if self.sql else ""
        prompt, completion = self.tokens
        body = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "a-model-2026",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            },
        }
        return Response(json.dumps(body), mimetype="application/json")
