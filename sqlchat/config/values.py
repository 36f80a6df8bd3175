"""Parses the text of a setting."""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path
from typing import Any

TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


@dataclasses.dataclass(frozen=True, slots=True)
class ModelPrice:
    model: str
    """Beginning of the model's name."""
    prompt: float
    """US dollars per million tokens."""
    completion: float


def parse_value(text: str, kind: Any) -> Any:
    """Parse the text of an environment variable as `kind`, the name of a type. Raises ValueError."""
    match kind:
        case "int":
            return _parse_number(int, text, "say a whole number")
        case "float":
            return _parse_number(float, text, "say a number")
        case "bool" | "bool | None":
            if text.lower() in TRUE | FALSE:
                return text.lower() in TRUE
            raise ValueError("say true or false")
        case "Path":
            return Path(text)
        case "tuple[Path, ...]":
            return tuple(Path(part) for part in text.split(os.pathsep) if part)
        case "tuple[ModelPrice, ...]":
            return tuple(_parse_price(part.strip()) for part in text.split(",") if part.strip())
        case "tuple[str, ...]":
            return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _parse_price(text: str) -> ModelPrice:
    model, _, prices = text.rpartition("=")
    prompt, _, completion = prices.partition("/")
    try:
        price = ModelPrice(model.strip(), float(prompt), float(completion))
    except ValueError:
        price = ModelPrice("", 0, 0)
    if not price.model or not all(0 <= dollars < math.inf for dollars in (price.prompt, price.completion)):
        raise ValueError("say model=prompt/completion, with prices in US dollars per million tokens")
    return price


def _parse_number(kind: type[int] | type[float], text: str, hint: str) -> int | float:
    try:
        return kind(text)
    except ValueError:
        raise ValueError(hint) from None
