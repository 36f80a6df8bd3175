"""Computes the cost of tokens from the operator's own price list."""

from __future__ import annotations

from collections.abc import Iterable

from sqlchat.config.values import ModelPrice
from sqlchat.providers.base import Tokens

A_MILLION = 1_000_000


def compute_cost(tokens: Tokens, model: str, prices: Iterable[ModelPrice]) -> float | None:
    """US dollars for `tokens` of `model`, at most: what a vendor's cache makes cheaper is not known here.

    A price counts for the models whose names begin with its own, the longest such first, for vendors answer with a
    dated name (`gpt-x-2026-08-01`). None without one.
    """
    fitting = [price for price in prices if model.startswith(price.model)]
    if not fitting:
        return None
    price = max(fitting, key=lambda each: len(each.model))
    return round((tokens.prompt * price.prompt + tokens.completion * price.completion) / A_MILLION, 8)
