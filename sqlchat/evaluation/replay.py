"""Writes prompts to files and reads a model's answers from files, so that the model can be asked elsewhere.

A prompt's file is named by the SHA-256 of its content. The file of its answer has the same name, with any suffix, and
holds the raw text of the model.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlchat.errors import ModelError, PayloadError
from sqlchat.providers.base import Draft, Message, Provider, Task
from sqlchat.providers.reading import read

HASH = re.compile(r"[0-9a-f]{64}")


class AnswerMissingError(ModelError):
    """No answer is stored for a prompt."""

    code, title = "answer_missing", "No stored answer"


class Replay(Provider):
    """A provider that reads its drafts from the folder `answers`, and writes its prompts to the folder `prompts`.

    Raises PayloadError if two answers have one name.
    """

    name = "replay"
    model = "stored answers"

    def __init__(self, answers: Path | None = None, prompts: Path | None = None) -> None:
        self._prompts = prompts
        self._answers: dict[str, Path] = {}
        for path in sorted(answers.iterdir()) if answers else ():
            if HASH.fullmatch(path.stem):
                if path.stem in self._answers:
                    raise PayloadError(f"{answers} holds two answers to prompt {path.stem}; keep one.")
                self._answers[path.stem] = path
        if prompts:
            prompts.mkdir(parents=True, exist_ok=True)

    def draft(self, task: Task) -> Draft:
        """See `Provider.draft`. Raises AnswerMissingError, and ModelError for an answer without SQL."""
        prompt = render_task(task.messages)
        name = hash_task(task.messages)
        if self._prompts:
            (self._prompts / f"{name}.json").write_bytes(prompt)
        if name not in self._answers:
            raise AnswerMissingError(f"No answer is stored for prompt {name}.")
        return replace(read(self._answers[name].read_text("utf-8", "replace")), model=self.model)


def render_task(messages: Sequence[Message]) -> bytes:
    """Return the prompt as a JSON array of `{"role", "content"}`."""
    listed = [{"role": message.role, "content": message.content} for message in messages]
    return (json.dumps(listed, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def hash_task(messages: Sequence[Message]) -> str:
    """Return the SHA-256, in hexadecimal, of the prompt's file."""
    return hashlib.sha256(render_task(messages)).hexdigest()
