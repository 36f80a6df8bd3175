"""Refits the weights of the built-in engine's composer on questions with their right SQL.

`python -m tests.benchmarks.fit_composer FOLDER... [--write]`: each folder holds `questions.json`, a list of
`{"db": name, "question": text, "gold": [sql, ...]}` (no gold for what must be refused), and `<db>.sqlite`.
Every second database is left out of the fit; the figures before and after are of those. Without `--write` nothing
changes.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

from sqlchat.providers.offline import scoring
from sqlchat.providers.offline.composer import Composer
from sqlchat.providers.offline.joins import Joins
from sqlchat.providers.offline.linker import Linker
from sqlchat.providers.offline.nouns import build_vocabulary
from tests.providers.offline.conftest import read_catalog, read_values

WEIGHTS = Path(scoring.__file__).parent / "weights.json"
ROUNDS, STEP = 30, 0.02
Reading = tuple[dict[str, float], bool]
"""(features, whether the SQL is right)"""


def compose(folder: Path) -> list[tuple[str, list[Reading]]]:
    """Each question's database and readings."""
    found = []
    questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    for name in sorted({question["db"] for question in questions}):
        with closing(sqlite3.connect(folder / f"{name}.sqlite")) as database:
            catalog = read_catalog(database)
            linker = Linker(catalog, read_values(database, catalog))
            joins = Joins(linker.tables)
            composer = Composer(linker, joins, build_vocabulary(linker, joins), date.today(), "sqlite")
            for question in (one for one in questions if one["db"] == name):
                wanted = [read_rows(database, sql) for sql in question.get("gold", ())]
                readings = [
                    (dict(one.features), read_rows(database, one.select.sql(dialect="sqlite")) in wanted)
                    for one in composer.compose(question["question"])
                ]
                found.append((name, readings))
    return found


def read_rows(database: sqlite3.Connection, sql: str) -> list[Any]:
    return sorted(repr(sorted(map(repr, row))) for row in database.execute(sql).fetchall())


def rate(features: dict[str, float], weights: dict[str, float]) -> float:
    return sum(weights.get(name, 0.0) * amount for name, amount in features.items())


def judge(data: list[tuple[str, list[Reading]]], weights: dict[str, float]) -> tuple[int, int]:
    """How many questions are answered right and wrong with the weights."""
    counts = [0, 0]
    for _, readings in data:
        ranked = sorted(((rate(features, weights), right) for features, right in readings), reverse=True)
        clear = len(ranked) == 1 or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] >= scoring.MARGIN)
        if ranked and ranked[0][0] >= scoring.LEAST and clear:
            counts[not ranked[0][1]] += 1
    return counts[0], counts[1]


def fit(data: list[tuple[str, list[Reading]]], weights: dict[str, float]) -> dict[str, float]:
    """An averaged perceptron: right readings above the bar and the others, wrong ones below the bar."""
    now, total = dict(weights), dict.fromkeys(weights, 0.0)
    for _ in range(ROUNDS):
        for features, right in (reading for _, readings in data for reading in readings):
            if right != (rate(features, now) >= scoring.LEAST):
                for name in features.keys() & now.keys():
                    now[name] += STEP * features[name] * (1 if right else -1)
        total = {name: amount + now[name] for name, amount in total.items()}
    return {name: round(amount / ROUNDS, 3) for name, amount in total.items()}


def main(arguments: list[str]) -> None:
    data = [one for folder in arguments if folder != "--write" for one in compose(Path(folder))]
    databases = sorted({name for name, _ in data})
    seen = set(databases[::2])
    before = dict(scoring.WEIGHTS)
    after = fit([one for one in data if one[0] in seen], before)
    rest = [one for one in data if one[0] not in seen]
    figures = f"before {judge(rest, before)}, after {judge(rest, after)}"
    sys.stdout.write(f"(right, wrong) on the databases left out: {figures}\n")
    if "--write" in arguments:
        known = json.loads(WEIGHTS.read_text(encoding="utf-8"))
        WEIGHTS.write_text(json.dumps({**known, "weights": after}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
