"""Schemas of semantic documents (Apache Ossie, Open Semantic Interchange, 0.1.x) and of their mapping."""

from typing import Any

import orjson
from marshmallow import INCLUDE, Schema, fields, validate, validates_schema

from sqlchat.schemas.fields import make_field, refuse_control_characters, required_field
from sqlchat.schemas.knowledge import ReferenceSchema, TermSchema

MOST_DATASETS, MOST_PARTS = 200, 2_000

DOCUMENT_EXAMPLE = orjson.loads("""
{"version": "0.1.1", "semantic_model": [{
  "name": "shop",
  "datasets": [
    {"name": "lines", "source": "demo.order_lines", "primary_key": ["order_id", "line"],
     "description": "Sold items.", "ai_context": {"synonyms": ["purchases"]}}],
  "metrics": [
    {"name": "net_revenue", "description": "Euros without tax.", "expression": {"dialects": [
      {"dialect": "ANSI_SQL", "expression": "SUM(quantity * unit_price * (1 - discount))"}]}}]}]}
""")
MAPPED_EXAMPLE = orjson.loads("""
{"mapped": {
  "notes": "",
  "terms": [
    {"term": "net revenue", "definition": "Euros without tax.", "synonyms": [],
     "sql": "SUM(order_lines.quantity * order_lines.unit_price * (1 - order_lines.discount))"}],
  "references": [],
  "descriptions": [{"table": "order_lines", "column": null, "text": "Sold items."}]},
 "unmapped": [{"path": "semantic_model.0.metrics.1", "reason": "It has no expression in SQL."}]}
""")


class OpenSchema(Schema):
    """A part of a document. It may have further keys."""

    class Meta:
        unknown = INCLUDE


def _make_list_field(kind: "fields.Field[Any] | type[Schema]", **more: Any) -> "fields.List[Any]":
    inner = fields.Nested(kind) if isinstance(kind, type) else kind
    return fields.List(inner, allow_none=True, validate=validate.Length(max=MOST_PARTS), **more)


def _make_name_field() -> "fields.String":
    return fields.String(required=True, validate=validate.Length(1, 400))


class FieldSchema(OpenSchema):
    name = _make_name_field()
    expression = make_field(fields.Raw, "`dialects`: a list of `dialect` and `expression`.")
    label = fields.String(allow_none=True)
    description = fields.String(allow_none=True)


class DatasetSchema(OpenSchema):
    name = _make_name_field()
    source = required_field(
        fields.String, "A table, with its schema and database if need be.", validate=validate.Length(1, 1_000)
    )
    primary_key = _make_list_field(fields.String())
    unique_keys = _make_list_field(fields.List(fields.String()))
    description = fields.String(allow_none=True)
    dataset_fields = _make_list_field(FieldSchema, data_key="fields", attribute="fields")


class RelationshipSchema(OpenSchema):
    name = _make_name_field()
    source = fields.String(required=True, data_key="from", attribute="from")
    to = fields.String(required=True)
    from_columns = fields.List(fields.String(), required=True, validate=validate.Length(1, 16))
    to_columns = fields.List(fields.String(), required=True, validate=validate.Length(1, 16))


class MetricSchema(OpenSchema):
    name = _make_name_field()
    expression = fields.Raw(required=True)
    label = fields.String(allow_none=True)
    description = fields.String(allow_none=True)


class SemanticModelSchema(OpenSchema):
    name = _make_name_field()
    description = fields.String(allow_none=True)
    datasets = fields.List(fields.Nested(DatasetSchema), required=True, validate=validate.Length(max=MOST_DATASETS))
    relationships = _make_list_field(RelationshipSchema)
    metrics = _make_list_field(MetricSchema)


class SemanticDocumentSchema(OpenSchema):
    version = fields.String(
        required=True, validate=validate.Regexp(r"0\.1\.\d+$", error="Only version 0.1.x is understood.")
    )
    semantic_model = fields.List(
        fields.Nested(SemanticModelSchema), required=True, validate=validate.Length(1, MOST_DATASETS)
    )

    @validates_schema(pass_original=True)
    def _refuse_control_characters(self, data: Any, original: Any, **_: Any) -> None:
        _check_texts(original)


def _check_texts(part: Any) -> None:
    match part:
        case str():
            refuse_control_characters(part)
        case dict():
            _check_texts([*part.keys(), *part.values()])
        case list():
            for item in part:
                _check_texts(item)


class DescriptionSchema(Schema):
    table = fields.String(required=True)
    column = required_field(fields.String, "Null for the table itself.", allow_none=True)
    text = fields.String(required=True)


class MappedSchema(Schema):
    notes = fields.String(required=True)
    terms = fields.List(fields.Nested(TermSchema), required=True)
    references = fields.List(fields.Nested(ReferenceSchema), required=True)
    descriptions = fields.List(fields.Nested(DescriptionSchema), required=True)


class UnmappedSchema(Schema):
    path = required_field(fields.String, "Its place in the document.")
    reason = fields.String(required=True)


class MappedDocumentSchema(Schema):
    mapped = fields.Nested(MappedSchema, required=True)
    unmapped = required_field(fields.List, "Parts that are not used, with reasons.", fields.Nested(UnmappedSchema))
