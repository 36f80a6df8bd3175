"""Renders an object by the members that a schema names, without converting their values."""

from typing import Any

from marshmallow import Schema


def render(schema: type[Schema], item: object, **computed: Any) -> dict[str, Any]:
    """Return the members that `schema` names, in its order: those in `computed`, else the item's attributes.

    A member that neither has is left out. `render(TokensSchema, Tokens(1, 2))` is
    `{"prompt": 1, "completion": 2, "total": 3}`.
    """
    return {
        name: computed[name] if name in computed else getattr(item, name)
        for name in schema._declared_fields
        if name in computed or hasattr(item, name)
    }
