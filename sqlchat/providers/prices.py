"""Computes the cost of tokens from the operator's own price list."""

from __future__ import annotations

from collections.abc import Iterable

from sqlchat.config.values import ModelPrice
from sqlchat.providers.base import Tokens

A_MILLION = 1_000_000


def compute_cost(tokens: Tokens, model: str, prices: Iterable[ModelPrice]) -> float | None:
    """Return the US dollars for `tokens` of `model`, without the discount of a vendor's cache; None without a price.

    The price with the longest model name that begins `model` counts, since vendors answer with a dated name
    (`gpt-x-2026-08-01`).
    """
    matching = [price for price in prices if model.startswith(price.model)]
    if not matching:
        return None
    price = max(matching, key=lambda price: len(price.model))
    return round((tokens.prompt * price.prompt + tokens.completion * price.completion) / A_MILLION, 8)
