"""Scores readings of the composer: a weighted sum of their features, with the weights of `weights.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

_DATA = json.loads((Path(__file__).parent / "weights.json").read_text(encoding="utf-8"))
COSTS: Mapping[str, float] = _DATA["costs"]
"""What each kind of evidence and each unused word costs in the search for readings."""
WEIGHTS: Mapping[str, float] = _DATA["weights"]
LEAST: float = _DATA["least"]
"""The score from which a reading answers."""
MARGIN: float = _DATA["margin"]
"""By how much it must be better than the next one."""


def score(features: Mapping[str, float]) -> float:
    return sum(WEIGHTS.get(name, 0.0) * amount for name, amount in features.items()) - sum(
        COSTS.get(name, 0.0) * amount for name, amount in features.items()
    )
