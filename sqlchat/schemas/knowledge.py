"""Schemas of notes, terms, references and verified examples of a connection."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from sqlchat.schemas.fields import make_field, make_text_field, refuse_control_characters, required_field

LONGEST_NOTES, LONGEST_DEFINITION, LONGEST_NAME = 4_000, 1_000, 100  # characters
LONGEST_FRAGMENT, LONGEST_EXAMPLE, LONGEST_QUESTION = 2_000, 10_000, 1_000
MOST_TERMS, MOST_SYNONYMS, MOST_REFERENCES, MOST_COLUMNS = 200, 20, 200, 16
LONGEST_PATH = 400
"""Characters of a column with its table and schema."""

TERM_EXAMPLE = {
    "term": "active customer",
    "definition": "A customer with an order in the last 90 days.",
    "sql": "last_order_at >= CURRENT_DATE - 90",
    "synonyms": ["live client"],
}
CONTEXT_EXAMPLE = {
    "notes": "Amounts are in euros, without VAT.",
    "terms": [TERM_EXAMPLE],
    "references": [{"from": "orders.customer_id", "to": "customers.id"}],
}
TEACH_EXAMPLE = {
    "question": "How many customers are in Germany?",
    "sql": "SELECT COUNT(*) FROM customers WHERE country_code = 'DE'",
    "note": "Checked with finance.",
}
TAUGHT_EXAMPLE = {
    "id": "0d9a1f60-3a0e-4f43-a0fb-6d1a8f0d6a4e",
    **TEACH_EXAMPLE,
    "verified_at": "2026-03-01T09:30:00.123456+00:00",
    "stale": False,
}


NEEDED: dict[str, Any] = {"required": True, "demand": "Say something."}


class TermSchema(Schema):
    term = make_text_field(
        LONGEST_NAME, "The word or phrase, as people say it; number, case and small typos do not matter.", **NEEDED
    )
    definition = make_text_field(LONGEST_DEFINITION, "Its meaning in this database.", **NEEDED)
    sql = make_text_field(
        LONGEST_FRAGMENT,
        "An expression or condition of the connection's dialect.",
        least=1,
        load_default=None,
        allow_none=True,
    )
    synonyms = fields.List(
        make_text_field(LONGEST_NAME, "Another word or phrase for it.", **NEEDED),
        load_default=list,
        validate=validate.Length(max=MOST_SYNONYMS),
    )


class ColumnsField(fields.Raw):
    """A field for one column or a list of columns; its value is a tuple."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[str, ...]:
        names = value if isinstance(value, list) else [value]
        if not 1 <= len(names) <= MOST_COLUMNS or not all(isinstance(name, str) for name in names):
            raise ValidationError(f"Give one column, or a list of up to {MOST_COLUMNS}.")
        for name in names:
            if not name.strip() or len(name) > LONGEST_PATH:
                raise ValidationError(f"Give `table.column`, at most {LONGEST_PATH} characters.")
            refuse_control_characters(name)
        return tuple(name.strip() for name in names)


def _make_columns_field(name: str, description: str) -> ColumnsField:
    text = {"type": "string", "maxLength": LONGEST_PATH}
    either = [text, {"type": "array", "items": text, "minItems": 1, "maxItems": MOST_COLUMNS}]
    return ColumnsField(
        required=True, data_key=name, attribute=name, metadata={"description": description, "oneOf": either}
    )


class ReferenceSchema(Schema):
    """Columns of one table that name a row of another."""

    from_ = _make_columns_field(
        "from", "`table.column` or `schema.table.column`; a list of them for a key of several columns."
    )
    to = _make_columns_field("to", "The columns of the other table that identify its row, in the same order.")
    stale = make_field(
        fields.Boolean,
        "The database no longer holds its columns: it is not used. Null while the database cannot be reached. "
        "Ignored when it is sent.",
        allow_none=True,
    )


class ContextSchema(Schema):
    notes = make_text_field(LONGEST_NOTES, "Facts that every question should be read with.", load_default="")
    terms = make_field(
        fields.List,
        "Of these, a model sees the ones that the question uses.",
        fields.Nested(TermSchema),
        load_default=list,
        validate=validate.Length(max=MOST_TERMS),
    )
    references = make_field(
        fields.List,
        "Columns that belong together, if the database declares no foreign key.",
        fields.Nested(ReferenceSchema),
        load_default=list,
        validate=validate.Length(max=MOST_REFERENCES),
    )


class TeachSchema(Schema):
    question = make_text_field(LONGEST_QUESTION, "As people ask it.", **NEEDED)
    sql = make_text_field(
        LONGEST_EXAMPLE, "The query that a person found to answer it, in the connection's dialect.", **NEEDED
    )
    note = make_text_field(LONGEST_DEFINITION, load_default=None, allow_none=True)


class TaughtSchema(Schema):
    id = fields.UUID(required=True)
    question = fields.String(required=True)
    sql = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)
    verified_at = required_field(fields.DateTime, "The time when it was stored last.")
    stale = required_field(fields.Boolean, "The database no longer holds its names: it is not used.")


class ExamplesSchema(Schema):
    examples = required_field(fields.List, "The newest first.", fields.Nested(TaughtSchema))


class ForgottenSchema(Schema):
    status = required_field(fields.String, example="deleted")
