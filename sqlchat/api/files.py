"""`/api/files`: profiles, stores, lists and deletes uploads."""

from typing import Any

from flask import Response, request
from werkzeug.datastructures import FileStorage

from sqlchat.api import security
from sqlchat.api.resource import Resource, answer, describe_path, runtime
from sqlchat.errors import FileInvalidError, PayloadError
from sqlchat.files.options import Options
from sqlchat.schemas.files import (
    DELETED_EXAMPLE,
    FILES_EXAMPLE,
    PROFILE_EXAMPLE,
    UPLOADED_EXAMPLE,
    DeletedSchema,
    FileFormSchema,
    FilesQuerySchema,
    FilesSchema,
    ProfileSchema,
    ReadingQuerySchema,
    UploadedSchema,
    UploadQuerySchema,
)
from sqlchat.telemetry import metrics

blueprint = Resource(
    "files", __name__, access=security.DATA, url_prefix="/api/files", description="Uploads and what is in them."
)

NAMED = [describe_path("storage_path", "uploads/customers-of-2019.csv")]  # not the file of the upload's example


@blueprint.before_request
def allow_large_bodies() -> None:
    """Raise the limit of the body to SQLCHAT_MAX_UPLOAD_MB for forms alone: others would be read into memory."""
    if request.mimetype == "multipart/form-data":
        request.max_content_length = runtime().settings.max_upload_mb << 20


@blueprint.post("/profile")
@blueprint.arguments(ReadingQuerySchema, location="query")
@blueprint.arguments(FileFormSchema, location="files")
@blueprint.response(200, ProfileSchema, example=PROFILE_EXAMPLE)
@blueprint.fails(401, 413, 415, 503)
def profile(query: dict[str, Any], form: dict[str, Any]) -> Response:
    """Say what a file holds: rows, columns, SQL types, nulls, and how it was read. Nothing is kept."""
    file = _require_name(form["file"])
    path, options = file.stream.name, _read_options(query, form)
    result = runtime().files.profile(path, file.filename, options, owner=security.get_folder())
    return answer(result.as_dict())


@blueprint.post("/upload")
@blueprint.arguments(UploadQuerySchema, location="query")
@blueprint.arguments(FileFormSchema, location="files")
@blueprint.response(201, UploadedSchema, example=UPLOADED_EXAMPLE)
@blueprint.fails(401, 403, 404, 409, 413, 415, 502, 503, 504)
def upload(query: dict[str, Any], form: dict[str, Any]) -> Response:
    """Profile a file, then keep it and how it is read. One that cannot be read is refused with the reason.

    A signed-in caller's files are kept in a folder of the caller's own.
    """
    file = _require_name(form["file"])
    options = _read_options({name: query.pop(name) for name in ("sheet", "on_bad_rows") if name in query}, form)
    query |= {"options": options, "folder": security.get_folder(), "token": security.get_storage_token()}
    stored = runtime().files.upload(file.stream.name, file.filename, file.content_type, **query)
    metrics.count_upload(stored.size_bytes)
    return answer(stored.as_dict(), 201)


@blueprint.get("")
@blueprint.arguments(FilesQuerySchema, location="query")
@blueprint.response(200, FilesSchema, example=FILES_EXAMPLE)
@blueprint.fails(401, 403, 404, 502, 503, 504)
def list_files(query: dict[str, str]) -> Response:
    """List the caller's files in a bucket, by name."""
    files = runtime().files.list(query["bucket"], folder=security.get_folder(), token=security.get_storage_token())
    return answer({"files": [file.as_dict() for file in files]})


@blueprint.delete("/<path:storage_path>", parameters=NAMED)
@blueprint.response(200, DeletedSchema, example=DELETED_EXAMPLE)
@blueprint.fails(401, 403, 404, 502, 503, 504)
def delete_file(storage_path: str) -> dict[str, Any]:
    """Remove a file of the caller's; the path is its `storage_path`, the caller's own folder may be left out.

    `warnings` name the caller's connections that read it.
    """
    folder = security.get_folder()
    readers = runtime().readers(security.get_owner(), *runtime().files.locate(storage_path, folder=folder))
    runtime().files.delete(storage_path, folder=folder, token=security.get_storage_token())
    return {"status": "deleted", "warnings": [f"The connection {name!r} reads this file." for name in readers]}


def _read_options(query: dict[str, Any], form: dict[str, Any]) -> Options:
    """Merge the query's options with the form's `read`, which wins. Raises PayloadError."""
    try:
        return Options.parse(query | form["read"])
    except FileInvalidError as exc:
        raise PayloadError(exc.detail, errors={"read": [exc.detail]}) from exc


def _require_name(file: FileStorage | str) -> Any:
    """Return the file. Raises PayloadError if its part has no file name; werkzeug then takes it for a text."""
    if isinstance(file, str) or not file.filename:
        raise PayloadError("The part `file` has no file name.", errors={"file": ["A file name is needed."]})
    return file
