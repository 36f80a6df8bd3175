"""The forms in which models answer, through both real SDKs over HTTP: what is read, and what is asked for again."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from sqlchat.config import Settings
from sqlchat.errors import ModelError, QuestionError
from sqlchat.providers.anthropic import AnthropicProvider
from sqlchat.providers.base import Provider, Task, Tokens
from sqlchat.providers.openai import OpenAIProvider

DRAFT, SQL = "SELECT count(*) AS n FROM lines", "SELECT count(*) AS n FROM orders"


def form(sql: str | None, explanation: str = "Counts.") -> str:
    return json.dumps({"interpretation": "How many?", "assumptions": [], "sql": sql, "explanation": explanation})


# A client of an SDK reads all certificates of the system: one serves all tests.
make_openai, make_anthropic = functools.cache(OpenAIProvider), functools.cache(AnthropicProvider)


class Server:
    """Gives its answers in turn over both protocols and keeps the messages that it was sent."""

    def __init__(self, server: HTTPServer) -> None:
        self._url = server.url_for("").rstrip("/")
        self._answers: list[dict[str, Any]] = []
        self.asked: list[list[Any]] = []
        server.expect_request("/v1/chat/completions").respond_with_handler(self._answer)
        server.expect_request("/v1/messages").respond_with_handler(self._answer)

    def openai(self, *messages: Any, finish: str = "stop") -> Provider:
        """A provider whose server answers with `messages`: texts, or members of a message."""
        for message in messages:
            said = {"content": message} if isinstance(message, str) else message
            choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **said}}
            usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
            self._answers.append({"id": "1", "object": "chat.completion", "model": "m", "created": 1, "usage": usage})
            self._answers[-1]["choices"] = [choice]
            finish = "stop"
        return make_openai(Settings(openai_api_key="k", openai_base_url=f"{self._url}/v1"))

    def anthropic(self, *contents: Any, stop: str = "end_turn") -> Provider:
        """The same with texts, or lists of blocks."""
        for content in contents:
            blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
            usage = {"input_tokens": 5, "output_tokens": 2}
            self._answers.append({"id": "1", "type": "message", "role": "assistant", "model": "m", "content": blocks})
            self._answers[-1] |= {"stop_reason": stop, "stop_sequence": None, "usage": usage}
            stop = "end_turn"
        return make_anthropic(Settings(anthropic_api_key="k", anthropic_base_url=self._url))

    def _answer(self, request: Request) -> Response:
        self.asked.append(json.loads(request.get_data())["messages"])
        return Response(json.dumps(self._answers.pop(0)), content_type="application/json")


@pytest.fixture
def server(httpserver: HTTPServer) -> Server:
    return Server(httpserver)


@pytest.fixture(params=["openai", "anthropic"])
def serve(server: Server, request: pytest.FixtureRequest) -> Any:
    """Makes a provider of either protocol."""
    return getattr(server, request.param)


def member(text: str) -> str:
    return json.dumps(text)[1:-1]


WITHDRAWN = {
    "two objects": f"{form(DRAFT)}\n\nNo, that is wrong. Corrected:\n\n{form(SQL)}",
    "two fences": f"```sql\n{DRAFT};\n```\nWait, lines are not orders.\n```sql\n{SQL};\n```",
    "a fence and a line": f"```sql\n{DRAFT}\n```\nThat was a mistake. Use:\n\n{SQL};",
    "backticks": f"`{DRAFT}` would be wrong here, so I take `{SQL}`.",
    "labels": f"Thought: {DRAFT}\nAnswer: {SQL}",
    "draft told last": f"{form(SQL)}\n\nMy first draft was:\n{form(DRAFT)}",
    "an echo of the format": f'The form is {{"sql": "string or null"}}, so:\n{form(SQL)}',
    "a member": json.dumps({"draft": {"sql": DRAFT}, "final": {"sql": SQL}}),
    "an old member": json.dumps({"original_query": DRAFT, "corrected_query": SQL}),
    "a mistake shown": f"```sql\n{SQL}\n```\nA common mistake would be:\n```sql\n{DRAFT}\n```",
    "a warning": f"```sql\n{SQL}\n```\nDo not write\n```sql\n{DRAFT}\n```\nwhich counts lines.",
    "signs": f"❌ Incorrect:\n```sql\n{DRAFT}\n```\n✅ Correct:\n```sql\n{SQL}\n```",
    "an echo behind": form(SQL) + '\nThe form: {"interpretation": "...", "sql": "...", "explanation": "..."}',
    "wrong only if": f"{form(SQL)}\nThis would be wrong only if an order came twice.",
    "earlier, told last": f"{form(SQL)}\n\n(At first I considered {form(DRAFT)}, which counts lines.)",
    "a list of changes": f"- {DRAFT};\n+ {SQL};",
    "a diff": f"```diff\n- {DRAFT}\n+ {SQL}\n```",
    "struck": f"~~{DRAFT}~~\n\n{SQL}",
    "struck by a tag": f"<del>{DRAFT}</del> <ins>{SQL}</ins>",
    "German": f"```sql\n{DRAFT}\n```\nNein, das zählt Zeilen. Korrigiert:\n```sql\n{SQL}\n```",
    "Chinese": f"```sql\n{DRAFT}\n```\n不对，更正：\n```sql\n{SQL}\n```",
    "misread": f"{form(DRAFT)}\nEdit: I misread the question.\n{form(SQL)}",
    "one in place of the other": f"Instead of `{DRAFT}`, use `{SQL}`.",
    "French": f"{form(DRAFT)}\nJe me suis trompé. Voici la bonne requête :\n{form(SQL)}",
    "no": f"{form(DRAFT)}\nDoes this answer it? No: it counts lines.\n{form(SQL)}",
    "a corrected member": json.dumps({"sql": DRAFT, "revised_sql": SQL}),
    "a sign behind": f"```sql\n{SQL}\n``` ✅\n```sql\n{DRAFT}\n``` ❌",
    "steps": json.dumps({"steps": [{"sql": DRAFT}], "final_answer": {"sql": SQL}}),
}
THOUGHTS = {
    "tag": f"<reasoning>{form(DRAFT)}</reasoning>\n{form(SQL)}",
    "attribute and case": f'<Think effort="high">{DRAFT};</THINK>{form(SQL)}',
    "brackets": f"[THINK]{form(DRAFT)}[/THINK]{form(SQL)}",
    "other brackets": f"◁think▷{form(DRAFT)}◁/think▷{form(SQL)}",
    "opened twice": f"<think>\n<think>\n{form(DRAFT)}\n</think>\n{form(SQL)}",
    "nested": f"<think>a<thought>b</thought>{form(DRAFT)}</think>{form(SQL)}",
    "never opened": f"{form(DRAFT)} no.</think>{form(SQL)}",
    "fenced": f"```thinking\n{DRAFT}\n```\n```sql\n{SQL}\n```",
    "channels": f"<|channel|>analysis<|message|>{form(DRAFT)}<|end|>"
    f"<|start|>assistant<|channel|>final<|message|>{form(SQL)}",
    "channel of a tool": "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary"
    f" to=functions.answer <|constrain|>json<|message|>{form(SQL)}<|call|>",
    "channels without tokens": f"analysisI count. {form(DRAFT)}assistantfinal{form(SQL)}",
    "chain": f"<cot>{form(DRAFT)}</cot>{form(SQL)}",
    "plan": f"<plan>{DRAFT};</plan>{form(SQL)}",
    "escaped end": f"<think>{form(DRAFT)}<\\/think>{form(SQL)}",
    "folded": f"<details><summary>My reasoning</summary>\n\n{DRAFT};\n\n</details>\n\n{SQL};",
    "another name": f"<internal>{form(DRAFT)}</internal>{form(SQL)}",
    "another language": f"<Überlegung>{form(DRAFT)}</Überlegung>{form(SQL)}",
    "braces": f"{{notes}}{form(DRAFT)}{{/notes}}{form(SQL)}",
    "prefix": f"<|inner_prefix|>{form(DRAFT)}<|inner_suffix|>{form(SQL)}",
    "heading": f"### Reasoning\n{form(DRAFT)}\n### Final answer\n{form(SQL)}",
    "label": f"Reasoning: I might use {DRAFT}\nAnswer: {SQL}",
    "member of its own": json.dumps({"reasoning": {"sql": DRAFT}, "answer": {"sql": SQL}}),
}
TOLERATED = {
    "comma": f'{{"sql": "{SQL}", "explanation": "e",}}',
    "brace": f'{{"interpretation": "i", "sql": "{SQL}"',
    "comma missing": f'{{"sql": "{SQL}" "explanation": "e"}}',
    "single quotes": f"{{'sql': '{SQL}', 'explanation': 'e'}}",
    "Python": f"{{'sql': '{SQL}', 'assumptions': None, 'sure': True}}",
    "comment": f'{{"sql": "{SQL}", // counts\n "explanation": "e"}}',
    "triple quotes": f'{{"sql": """{SQL}""", "explanation": "e"}}',
    "escapes": f'{{"sql": "{SQL.replace("*", chr(92) + "*")}"}}',
    "smart quotes": f"{{“sql”: “{SQL}”}}",
    "entities": f"{{&quot;sql&quot;: &quot;{SQL}&quot;}}",
    "mark of order": f"\ufeff{form(SQL)}",
    "string": json.dumps(form(SQL)),
    "escaped": member(form(SQL)),
    "key": json.dumps({"query": SQL}),
    "key in capitals": json.dumps({"SQL": SQL, "Explanation": "e"}),
    "nested": json.dumps({"answer": {"sql": SQL}}),
    "call": json.dumps({"name": "answer", "arguments": form(SQL)}),
    "list": json.dumps({"sql": [SQL]}),
    "one line": f"```sql {SQL}```",
    "fence of JSON": f"```json{form(SQL)}```",
    "any language": f"```sqlite3\n{SQL};\n```",
    "no language": f"```\n-- counts\n{SQL}\n```",
    "tildes": f"~~~sql\n{SQL}\n~~~",
    "backticks": f"`{SQL}`",
    "label": f"SQLQuery: {SQL}",
    "bold label": f"**SQL:** {SQL}",
    "shell": f"sqlite> {SQL};",
    "list of queries": json.dumps({"queries": [{"sql": SQL}]}),
    "labels around": f"Thought: count\nSQL: {SQL}\nAnswer: 3",
    "tag": f"<sql>{SQL}</sql>",
    "prose behind": f"{SQL}\n\nThis counts all orders.",
    "table behind": f"{SQL};\n\n| n |\n|---|\n| 3 |",
    "four ticks": f"````sql\n{SQL}\n````",
    "fence in a fence": f"````markdown\n```sql\n{SQL}\n```\n````",
    "line ends of Windows": f"```postgresql\r\n{SQL};\r\n```\r\n",
    "typographic quotes": f"Here’s the query: “{SQL}”.",
    "YAML": f'sql: "{SQL}"\nexplanation: "Counts."',
    "YAML of lines": f"sql: |\n  {SQL}\nexplanation: Counts.",
    "CDATA": f"<sql><![CDATA[{SQL}]]></sql>",
    "ticks in JSON": f'{{"sql": `{SQL}`, "explanation": "e"}}',
    "equals": f'{{ "sql" = "{SQL}" }}',
    "joined": f'{{"sql": "{SQL[:20]}" + "{SQL[20:]}"}}',
    "script": f'```python\nsql = """\n{SQL}\n"""\n```',
    "shell's argument": f'$ sqlite3 shop.db "{SQL}"',
    "boxed": f"\\boxed{{{SQL}}}",
    "line end told": f"{SQL}\\n",
    "arrow": f"Query → {SQL}",
    "braces at the fence": f"```{{.sql}}\n{SQL}\n```",
    "a numbered step": f"1) Count orders.\n2) SQL: {SQL}\n3) Done.",
    "a line": f"{SQL}\n\n---\nNo notes.",
    "a clause behind": f"The query is:\n{SQL}\nwhich gives one row.",
    "a bracket behind": f"{SQL}\n\n(Another way counts lines.)",
    "prose around": f"The answer is {form(SQL)} as you asked, not {{}}.",
    "a fence in the member": json.dumps({"sql": f"```sql\n{SQL}\n```"}),
    "strings in strings": json.dumps(json.dumps(form(SQL))),
    "language in the member": json.dumps({"sql": f"sql\n{SQL}"}),
    "marks of a sentence": f"<s>{SQL}</s>",
    "wide colon": f"以下是查询：{SQL}",
    "same again": f"{form(SQL)}\nFormatted:\n```sql\n{SQL};\n```",
}


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name) for name, text in (WITHDRAWN | THOUGHTS | TOLERATED).items()]
)
def test_the_last_complete_answer_is_read_in_one_call(serve: Any, server: Server, task: Task, text: str) -> None:
    draft = serve(text).draft(task)
    assert (draft.sql, draft.warnings, draft.calls) == (SQL, (), 1)
    assert len(server.asked) == 1


UNREADABLE = {
    "nothing": "",
    "unclosed thought": f"<think>\nMaybe\n{DRAFT};\nNo, orders are asked",
    "analysis alone": f"<|channel|>analysis<|message|>{form(DRAFT)}<|end|>",
    "withdrawn": f"```sql\n{DRAFT}\n```\nWait, that is wrong.",
    "withdrawn and cut": f"```sql\n{DRAFT}\n```\nThat is wrong. Corrected:\n```sql\nSELECT count(*) AS n FROM ord",
    "second object cut": f"{form(DRAFT)} That is wrong. {form(SQL)[:60]}",
    "half a statement": '{"interpretation": "i", "assumptions": [], "sql": "SELECT id FROM orders WHERE tot',
    "empty fence": "```sql\n-- nothing\n```",
    "open fence": "```sql\nSELECT id FROM orders",
    "no quotes": f"{{sql: {DRAFT}, explanation: e}}",
    "no SQL": "Orders are things that people buy.",
    "an announcement": "Sure! I count the orders, no join is needed. Here is the query:",
    "schema": '{"type": "object", "properties": {"sql": {"type": "string"}}}',
    "null": "null",
    "another object": '{"answer": 42}',
    "a list": "[1, 2]",
    "a number": "There are 3 orders.",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in UNREADABLE.items()])
def test_a_form_that_cannot_be_read_gets_one_second_call(serve: Any, server: Server, task: Task, text: str) -> None:
    draft = serve(text, form(SQL)).draft(task)
    assert (draft.sql, draft.calls, draft.tokens) == (SQL, 2, Tokens(10, 4))
    first, second = server.asked
    assert "That answer could not be used." in str(second[-1]["content"])
    assert [each["role"] for each in second][-2:] != ["user", "user"]
    assert len(second) in (len(first), len(first) + 2)


def test_after_the_second_call_it_is_the_model_s_failure(serve: Any, server: Server, task: Task) -> None:
    with pytest.raises(ModelError, match="incomplete"):
        serve("Orders are things.", '{"sql": "SELECT id FROM ord').draft(task)
    assert len(server.asked) == 2


def test_prose_twice_is_told_as_the_model_s_words(serve: Any, task: Task) -> None:
    with pytest.raises(QuestionError, match="Really, they are"):
        serve("Orders are things.", "Really, they are.").draft(task)


@pytest.mark.parametrize(
    "text", ['{"sql": "SELECT id FROM orders WH', f"```sql\n{DRAFT}", DRAFT, f"```sql\n{DRAFT}\n```\nNo, "]
)
def test_an_answer_that_was_cut_is_not_run(server: Server, task: Task, text: str) -> None:
    assert server.openai(text, form(SQL), finish="length").draft(task).sql == SQL
    assert server.anthropic(text, form(SQL), stop="max_tokens").draft(task).sql == SQL
    assert len(server.asked) == 4
    assert "cut off" in str(server.asked[1][-1]["content"])


def test_a_whole_object_is_an_answer_though_spaces_behind_it_were_cut(server: Server, task: Task) -> None:
    assert server.openai(form(SQL) + "\n" * 500, finish="length").draft(task).sql == SQL


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Which orders do you mean: open ones or all?", "Which orders do you mean"),
        ("I'm sorry, but I can't help with that.", "can't help"),
        ("The schema does not contain a table of weather.", "table of weather"),
        ('{"sql": "None", "explanation": "No table holds weather."}', "No table holds weather"),
        ('{"sql": "Which year do you mean?", "explanation": ""}', "Which year"),
        ('{"error": "There is no table of weather."}', "no table of weather"),
        ('{"sql": null, "clarification": "Which year do you mean?"}', "Which year"),
        ('{"sql": false, "explanation": "No table holds weather."}', "No table holds weather"),
        ('{"sql": "-- no query", "explanation": "No table holds weather."}', "No table holds weather"),
        ('{"interpretation": "i", "explanation": "This cannot be answered."}', "cannot be answered"),
        ('{"answerable": false, "reason": "No table holds weather."}', "No table holds weather"),
        ("This request is outside the scope of the data.", "outside the scope"),
        ("That isn't something I can answer from here.", "something I can answer"),
        ("There is no weather in the schema.", "no weather"),
        ("```\nI cannot answer that.\n```", "I cannot answer"),
        ("Leider fehlt eine Tabelle.", "Leider"),
        ("抱歉，我无法回答。", "抱歉"),
        ("どの年ですか？", "どの年"),
        ("Вопрос не о заказах.", "Вопрос"),
        ("Üzgünüm, bunu yanıtlayamam.", "Üzgünüm"),
        ("Könnten Sie bitte das Jahr angeben?", "das Jahr"),
        ("I don't know.", "don't know"),
        ("Only questions about orders are welcome.", "Only questions"),
        ("The tables do not track weather.", "track weather"),
        ("[No answer: weather is not part of the data]", "No answer"),
        ("This would require records of the weather.", "would require"),
        ("Esta pregunta no se puede responder.", "no se puede"),
        ("Je ne sais pas.", "ne sais pas"),
        ('{"can_answer": false, "reason": "Weather is absent."}', "Weather is absent"),
        ("SELECT 'I cannot answer this' AS message", "I cannot answer this"),
        ('{"sql": "SELECT NULL", "explanation": "Weather is not kept."}', "Weather is not kept"),
        ("SELECT NULL; -- no table of weather", "no table of weather"),
        ('{"answer": null, "explanation": "Weather is not kept."}', "Weather is not kept"),
        (f"```sql\n{DRAFT}\n```\nScratch that: I cannot answer this.", "I cannot answer this"),
        ("```sql\n-- no such data\n```\nI cannot answer this.", "I cannot answer this"),
        (f"{form(DRAFT)}\nActually, no column tells that:\n{form(None, 'No column tells.')}", "No column tells"),
    ],
)
def test_a_refusal_or_a_question_back_keeps_its_words(
    serve: Any, server: Server, task: Task, text: str, says: str
) -> None:
    draft = serve(text).draft(task)
    assert draft.sql is None
    assert says in draft.explanation
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"Option 1:\n```sql\n{DRAFT}\n```\nOption 2:\n```sql\n{SQL}\n```",
        f"Either {form(DRAFT)} or {form(SQL)}",
        f"{DRAFT};\n\nor\n\n{SQL};",
        json.dumps({"sql": [DRAFT, SQL]}),
        json.dumps([{"sql": DRAFT}, {"sql": SQL}]),
    ],
)
def test_of_several_statements_the_last_counts_and_a_warning_says_so(serve: Any, task: Task, text: str) -> None:
    draft = serve(text).draft(task)
    assert draft.sql == SQL
    assert draft.warnings == ("The model gave 2 different statements as answers; this is the last of them.",)


@pytest.mark.parametrize(
    ("message", "finish"),
    [
        ({"content": [{"type": "text", "text": form(SQL)}]}, "stop"),
        ({"content": [{"type": "thinking", "thinking": form(DRAFT)}, {"type": "text", "text": form(SQL)}]}, "stop"),
        ({"content": [{"type": "text", "text": form(SQL)[:70]}, {"type": "text", "text": form(SQL)[70:]}]}, "stop"),
        ({"content": {"sql": SQL, "explanation": "e"}}, "stop"),
        (
            {"content": None, "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": form(SQL)}}]},
            "tool_calls",
        ),
        (
            {"content": None, "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {"sql": SQL}}}]},
            "stop",
        ),
        ({"content": None, "function_call": {"name": "f", "arguments": form(SQL)}}, "function_call"),
        ({"content": "", "reasoning_content": f"Let me count.\n{form(SQL)}"}, "stop"),
        ({"content": None, "reasoning": form(SQL)}, "stop"),
        ({"content": form(SQL), "reasoning_content": form(DRAFT)}, "stop"),
        ({"content": None, "parsed": json.loads(form(SQL))}, "stop"),
        ({"content": "", "text": form(SQL)}, "stop"),
        ({"content": None, "tool_calls": [{"id": "a", "custom": {"name": "f", "input": SQL}}]}, "tool_calls"),
    ],
)
def test_openai_s_message_may_have_other_shapes(server: Server, task: Task, message: Any, finish: str) -> None:
    assert server.openai(message, finish=finish).draft(task).sql == SQL
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("content", "stop"),
    [
        (
            [{"type": "thinking", "thinking": form(DRAFT), "signature": "s"}, {"type": "text", "text": form(SQL)}],
            "end_turn",
        ),
        ([{"type": "tool_use", "id": "a", "name": "answer", "input": json.loads(form(SQL))}], "tool_use"),
        ([{"type": "text", "text": "Here it is."}, {"type": "text", "text": SQL}], "end_turn"),
        (
            [{"type": "text", "text": form(DRAFT)}, {"type": "text", "text": f"That is wrong. {form(SQL)}"}],
            "end_turn",
        ),
        (
            [
                {"type": "server_tool_use", "id": "a", "name": "search", "input": {"query": "orders"}},
                {"type": "text", "text": form(SQL)},
            ],
            "end_turn",
        ),
    ],
)
def test_anthropic_s_message_may_have_other_shapes(server: Server, task: Task, content: Any, stop: str) -> None:
    assert server.anthropic(content, stop=stop).draft(task).sql == SQL
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "words",
    [
        "If you meant the lines instead, use:",
        "**Alternative** (if lines were meant):",
        "If lines should be counted too, run:",
        "For example, to see the lines you could run:",
        "You can also count lines:",
        "To verify, run:",
    ],
)
def test_a_query_offered_for_another_question_is_not_the_answer(serve: Any, task: Task, words: str) -> None:
    draft = serve(f"```sql\n{SQL}\n```\n{words}\n```sql\n{DRAFT}\n```").draft(task)
    assert (draft.sql, len(draft.warnings)) == (SQL, 1)


def test_a_sentence_about_select_is_no_statement(serve: Any, task: Task) -> None:
    assert serve(f"{SQL}\n\nSELECT is used to read; FROM names the table.").draft(task).sql == SQL


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (\n  SELECT id FROM orders\n),\n\nb AS (\n  SELECT id FROM a\n)\n\nSELECT count(*) FROM b",
        "SELECT count(*)\n- 1\n+ 1 AS n FROM orders",
        "SELECT count(*) FROM orders WHERE note ~~ 'a' AND note ~~ 'b'",
        "SELECT 'no data' AS a, count(*) FROM orders",
    ],
)
def test_a_bare_statement_is_read_whole(serve: Any, task: Task, sql: str) -> None:
    assert serve(f"{sql};").draft(task).sql == sql


def test_a_draft_in_thoughts_alone_is_no_answer(server: Server, task: Task) -> None:
    thoughts = f'Maybe {{"sql": "{DRAFT}"}}, but orders are asked.'
    assert server.openai({"content": "", "reasoning_content": thoughts}, form(SQL)).draft(task).sql == SQL
    blocks = [{"type": "thinking", "thinking": thoughts, "signature": "s"}]
    assert server.anthropic(blocks, form(SQL)).draft(task).sql == SQL
    assert len(server.asked) == 4


def test_a_refusal_in_a_field_or_a_part_keeps_its_words(server: Server, task: Task) -> None:
    for message in (
        {"content": None, "refusal": "That is private."},
        {"content": [{"type": "refusal", "refusal": "That is private."}]},
    ):
        with pytest.raises(QuestionError, match="That is private"):
            server.openai(message).draft(task)
    with pytest.raises(QuestionError, match="That is private"):
        server.anthropic("That is private.", stop="refusal").draft(task)


def test_line_breaks_that_were_escaped_twice_are_line_breaks(serve: Any, task: Task) -> None:
    assert serve(form(r"SELECT '\n' AS a\nFROM orders")).draft(task).sql == "SELECT '\\n' AS a\nFROM orders"


def test_text_in_a_statement_is_not_touched(serve: Any, task: Task) -> None:
    sql = "SELECT '<think>', 'L’Oréal &lt;', data @> '{\"sql\": \"x\"}' FROM orders WHERE note <> '```'"
    assert serve(form(sql)).draft(task).sql == sql
    assert serve(form("SELECT id FROM orders WHERE a &lt; 3 AND b = ‘x’")).draft(task).sql == (
        "SELECT id FROM orders WHERE a < 3 AND b = 'x'"
    )
