from flask_smorest.fields import Upload
from marshmallow import Schema, fields, validate

PROFILE_EXAMPLE = {"row_count": 120, "columns": [{"name": "id", "type": "INTEGER", "nulls": 0}]}
UPLOADED_EXAMPLE = {
    "file_name": "customers.csv",
    "storage_path": "uploads/customers.csv",
    "content_type": "text/csv",
    "size_bytes": 10240,
    "profile": PROFILE_EXAMPLE,
}


class FileSchema(Schema):
    file = Upload(required=True, metadata={"description": "CSV, TSV, JSON, JSON lines, Parquet or Excel."})


class UploadQuerySchema(Schema):
    bucket = fields.String(load_default="uploads", validate=validate.Length(min=1))
    upsert = fields.Boolean(load_default=False, metadata={"description": "Replace a file of that name."})


class ColumnProfileSchema(Schema):
    name = fields.String(required=True)
    type = fields.String(required=True, metadata={"description": "SQL type that holds every value."})
    nulls = fields.Integer(required=True)


class ProfileSchema(Schema):
    row_count = fields.Integer(required=True)
    columns = fields.List(fields.Nested(ColumnProfileSchema), required=True)


class UploadedSchema(Schema):
    file_name = fields.String(required=True)
    storage_path = fields.String(required=True)
    content_type = fields.String(required=True)
    size_bytes = fields.Integer(required=True)
    profile = fields.Nested(ProfileSchema, required=True)
