"""Schemas of uploads, their reading options and their profiles."""

from typing import Any

import orjson
from flask_smorest.fields import Upload
from marshmallow import Schema, ValidationError, fields, post_load, validate

PROFILE_EXAMPLE = {"row_count": 120, "columns": [{"name": "id", "type": "INTEGER", "nulls": 0}]}
UPLOADED_EXAMPLE = {
    "file_name": "customers.csv",
    "storage_path": "uploads/customers.csv",
    "content_type": "text/csv",
    "size_bytes": 10240,
    "profile": PROFILE_EXAMPLE,
}
KEPT_EXAMPLE = {
    "name": "customers.csv",
    "storage_path": "uploads/customers.csv",
    "size_bytes": 10240,
    "content_type": "text/csv",
    "updated_at": "2026-01-31T09:30:00+00:00",
}
DELETED_EXAMPLE = {"status": "deleted", "warnings": ["The connection 'sales' reads this file."]}
FILES_EXAMPLE = {"files": [KEPT_EXAMPLE]}


class ReadingQuerySchema(Schema):
    sheet = fields.String(metadata={"description": "Excel: the sheet's name, or its number from 1; else the first."})
    on_bad_rows = fields.String(
        validate=validate.OneOf(["error", "skip", "pad"]),
        metadata={
            "description": "CSV: refuse a row with too many or too few fields (error, the default), skip it, or pad "
            "a short one with nulls."
        },
    )

    @post_load
    def parse_sheet_number(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Take a number as a sheet's place."""
        if query.get("sheet", "").isdecimal():
            query["sheet"] = int(query["sheet"])
        return query


class ReadSchema(Schema):
    """Options to read a file. Those of an answer can be changed and sent again."""

    header_row = fields.Raw(
        metadata={
            "description": "From 1, as an editor or Excel counts; 0: there is none; [3, 4]: two that are joined; "
            "[1, 2, 3]: names, descriptions of the columns and a row that is left out.",
            "example": 1,
        }
    )
    skip_rows = fields.Integer(metadata={"description": "Rows at the beginning that are no part of the table."})
    encoding = fields.String(metadata={"example": "windows-1252"})
    delimiter = fields.String(metadata={"example": ";"})
    decimal = fields.String(validate=validate.OneOf([".", ","]))
    thousands = fields.String(validate=validate.OneOf([".", ",", " ", "'"]))
    nulls = fields.List(
        fields.String(), metadata={"description": "Texts that stand for no value.", "example": ["***"]}
    )
    date_order = fields.String(validate=validate.OneOf(["dmy", "mdy", "ymd"]))
    types = fields.Dict(keys=fields.String(), values=fields.String(), metadata={"example": {"zip": "TEXT"}})
    sheet = fields.Raw(metadata={"description": "Name or number of a sheet, or of another part of the file."})
    on_bad_rows = fields.String(validate=validate.OneOf(["error", "skip", "pad"]))
    totals = fields.String(
        validate=validate.OneOf(["keep", "drop"]),
        metadata={"description": "What is done with totals in the last rows."},
    )


class FileFormSchema(Schema):
    file = Upload(
        required=True,
        metadata={
            "description": "CSV, TSV, JSON, GeoJSON, Parquet, Excel, OpenDocument, SQLite, DuckDB, or a zip of one."
        },
    )
    read = fields.String(
        load_default="{}",
        metadata={
            "description": "How the file is to be read, as JSON: header_row, skip_rows, encoding, delimiter, "
            "decimal, thousands, nulls, date_order, types, sheet, on_bad_rows, totals.",
            "example": '{"header_row": 3, "decimal": ","}',
        },
    )

    @post_load
    def parse_read(self, form: dict[str, Any], **_: Any) -> dict[str, Any]:
        try:
            form["read"] = orjson.loads(form["read"] or "{}")
        except orjson.JSONDecodeError as exc:
            raise ValidationError("This is no JSON.", "read") from exc
        if not isinstance(form["read"], dict):
            raise ValidationError('This is no JSON object such as {"header_row": 3}.', "read")
        return form


class UploadQuerySchema(ReadingQuerySchema):
    bucket = fields.String(load_default="uploads", validate=validate.Length(min=1))
    upsert = fields.Boolean(load_default=False, metadata={"description": "Replace a file of that name."})


class FilesQuerySchema(Schema):
    bucket = fields.String(load_default="uploads", validate=validate.Length(min=1))


class TopValueSchema(Schema):
    value = fields.Raw(required=True)
    count = fields.Integer(required=True)


class ColumnProfileSchema(Schema):
    name = fields.String(required=True)
    type = fields.String(required=True, metadata={"description": "SQL type that holds every value."})
    nulls = fields.Integer(required=True)
    distinct = fields.Integer(metadata={"description": "Different values, nulls apart."})
    distinct_is_exact = fields.Boolean(metadata={"description": "Whether `distinct` was counted or estimated."})
    min = fields.Raw(allow_none=True)
    max = fields.Raw(allow_none=True)
    mean = fields.Raw(allow_none=True)
    example = fields.Raw(allow_none=True)
    top = fields.List(fields.Nested(TopValueSchema), metadata={"description": "The most frequent values."})
    format = fields.String(metadata={"description": "How dates are written, as strptime has it."})
    comment = fields.String(metadata={"description": "The column's description in the file."})


class ProfileSchema(Schema):
    row_count = fields.Integer(required=True)
    columns = fields.List(fields.Nested(ColumnProfileSchema), required=True)
    format = fields.String(metadata={"example": "csv"})
    encoding = fields.String()
    delimiter = fields.String()
    header = fields.Boolean()
    sheet = fields.String()
    row_groups = fields.Integer()
    compression = fields.String()
    sheets = fields.List(fields.String(), metadata={"description": "All there are in the file."})
    read = fields.Nested(ReadSchema, metadata={"description": "How it was read: what was said and what was found."})
    warnings = fields.List(fields.String(), metadata={"description": "What may not be as it was meant."})


class UploadedSchema(Schema):
    file_name = fields.String(required=True, metadata={"description": "As stored: made safe."})
    storage_path = fields.String(required=True)
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    profile = fields.Nested(ProfileSchema, required=True)


class KeptSchema(Schema):
    name = fields.String(required=True)
    storage_path = fields.String(required=True, metadata={"description": "As the upload answered it."})
    size_bytes = fields.Integer(required=True)
    content_type = fields.String(required=True)
    updated_at = fields.DateTime(required=True, allow_none=True)


class FilesSchema(Schema):
    files = fields.List(fields.Nested(KeptSchema), required=True)


class DeletedSchema(Schema):
    status = fields.String(required=True)
    warnings = fields.List(
        fields.String(), required=True, metadata={"description": "Connections that read the file."}
    )
