"""Schemas of uploads, their reading options and their profiles."""

from typing import Any

import orjson
from flask_smorest.fields import Upload
from marshmallow import Schema, ValidationError, fields, post_load

from sqlchat.schemas.fields import NOT_EMPTY, make_choice_field, make_field, required_field

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


BAD_ROWS = ("error", "skip", "pad")


class ReadingQuerySchema(Schema):
    sheet = make_field(fields.String, "Excel: the sheet's name, or its number from 1; else the first.")
    on_bad_rows = make_choice_field(
        *BAD_ROWS,
        description="CSV: refuse a row with too many or too few fields (error, the default), skip it, or pad a short "
        "one with nulls.",
    )

    @post_load
    def parse_sheet_number(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Take a number as a sheet's place."""
        if query.get("sheet", "").isdecimal():
            query["sheet"] = int(query["sheet"])
        return query


class ReadSchema(Schema):
    """Options to read a file. Those of an answer can be changed and sent again."""

    header_row = make_field(
        fields.Raw,
        "From 1, as an editor or Excel counts; 0: there is none; [3, 4]: two that are joined; [1, 2, 3]: names, "
        "descriptions of the columns and a row that is left out.",
        example=1,
    )
    skip_rows = make_field(fields.Integer, "Rows at the beginning that are no part of the table.")
    encoding = make_field(fields.String, example="windows-1252")
    delimiter = make_field(fields.String, example=";")
    decimal = make_choice_field(".", ",")
    thousands = make_choice_field(".", ",", " ", "'")
    nulls = make_field(fields.List, "Texts that stand for no value.", fields.String(), example=["***"])
    date_order = make_choice_field("dmy", "mdy", "ymd")
    types = make_field(fields.Dict, keys=fields.String(), values=fields.String(), example={"zip": "TEXT"})
    sheet = make_field(fields.Raw, "Name or number of a sheet, or of another part of the file.")
    on_bad_rows = make_choice_field(*BAD_ROWS)
    totals = make_choice_field("keep", "drop", description="The treatment of totals in the last rows.")


class FileFormSchema(Schema):
    file = required_field(
        Upload, "CSV, TSV, JSON, GeoJSON, Parquet, Excel, OpenDocument, SQLite, DuckDB, or a zip of one."
    )
    read = make_field(
        fields.String,
        "Options to read the file, as JSON: header_row, skip_rows, encoding, delimiter, decimal, thousands, nulls, "
        "date_order, types, sheet, on_bad_rows, totals.",
        example='{"header_row": 3, "decimal": ","}',
        load_default="{}",
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


class FilesQuerySchema(Schema):
    bucket = fields.String(load_default="uploads", validate=NOT_EMPTY)


class UploadQuerySchema(ReadingQuerySchema, FilesQuerySchema):
    upsert = make_field(fields.Boolean, "Replace a file of that name.", load_default=False)


class TopValueSchema(Schema):
    value = fields.Raw(required=True)
    count = fields.Integer(required=True)


class ColumnProfileSchema(Schema):
    name = fields.String(required=True)
    type = required_field(fields.String, "SQL type that holds every value.")
    nulls = fields.Integer(required=True)
    distinct = make_field(fields.Integer, "Different values, nulls apart.")
    distinct_is_exact = make_field(fields.Boolean, "Whether `distinct` was counted or estimated.")
    min = fields.Raw(allow_none=True)
    max = fields.Raw(allow_none=True)
    mean = fields.Raw(allow_none=True)
    example = fields.Raw(allow_none=True)
    top = make_field(fields.List, "The most frequent values.", fields.Nested(TopValueSchema))
    format = make_field(fields.String, "The format of dates, in strptime's notation.")
    comment = make_field(fields.String, "The column's description in the file.")


class ProfileSchema(Schema):
    row_count = fields.Integer(required=True)
    columns = fields.List(fields.Nested(ColumnProfileSchema), required=True)
    format = make_field(fields.String, example="csv")
    encoding = fields.String()
    delimiter = fields.String()
    header = fields.Boolean()
    sheet = fields.String()
    row_groups = fields.Integer()
    compression = fields.String()
    sheets = make_field(fields.List, "All sheets of the file.", fields.String())
    read = make_field(fields.Nested, "The options that were used, given or detected.", ReadSchema)
    warnings = make_field(fields.List, "Doubts about the reading.", fields.String())


class UploadedSchema(Schema):
    file_name = required_field(fields.String, "As stored: made safe.")
    storage_path = fields.String(required=True)
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    profile = fields.Nested(ProfileSchema, required=True)


class KeptSchema(Schema):
    name = fields.String(required=True)
    storage_path = required_field(fields.String, "As the upload answered it.")
    size_bytes = fields.Integer(required=True)
    content_type = fields.String(required=True)
    updated_at = fields.DateTime(required=True, allow_none=True)


class FilesSchema(Schema):
    files = fields.List(fields.Nested(KeptSchema), required=True)


class DeletedSchema(Schema):
    status = fields.String(required=True)
    warnings = required_field(fields.List, "Connections that read the file.", fields.String())
