"""Scores readings of the composer: a weighted sum of their features, with the weights of `weights.json`.

`tests/benchmarks/fit_composer.py` refits them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_DATA = json.loads((Path(__file__).parent / "weights.json").read_text(encoding="utf-8"))
WEIGHTS: Mapping[str, float] = _DATA["weights"]
"""Of each kind of evidence, each class of unused words, and each step that was taken without a word for it."""
LEAST: float = _DATA["least"]
"""The score from which a reading answers."""
MARGIN: float = _DATA["margin"]
"""By how much it must be better than the next one."""


def score(features: Mapping[str, float]) -> float:
    return sum(WEIGHTS.get(name, 0.0) * amount for name, amount in features.items())
