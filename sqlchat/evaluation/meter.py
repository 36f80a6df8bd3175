"""A provider that counts what another one is asked: refused and failed questions take tokens too. For `run`."""

from __future__ import annotations

from sqlchat.evaluation.replay import hash_task
from sqlchat.providers.base import Draft, Provider, Task, Tokens


class Metered(Provider):
    """Hands each task on to `inner`, and keeps account. One for each question."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        vars(self).update(name=inner.name, model=inner.model, repairs=inner.repairs)
        self.tokens = Tokens()
        self.prompts: list[str] = []
        """Fingerprints of the prompts, in order; none of an engine that needs no prompt."""

    def draft(self, task: Task) -> Draft:
        if task.messages:
            self.prompts.append(hash_task(task.messages))
        draft = self._inner.draft(task)
        self.tokens += draft.tokens
        return draft
