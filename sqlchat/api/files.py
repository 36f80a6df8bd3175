"""Uploads: what is in them, and keeping them."""

from typing import Any

from flask import Response, request
from werkzeug.datastructures import FileStorage

from sqlchat.api import security
from sqlchat.api.resource import Resource, answer, runtime
from sqlchat.errors import PayloadError
from sqlchat.files.formats import Options
from sqlchat.schemas.files import (
    PROFILE_EXAMPLE,
    UPLOADED_EXAMPLE,
    FileSchema,
    ProfileSchema,
    ReadingQuerySchema,
    UploadedSchema,
    UploadQuerySchema,
)

blueprint = Resource("files", __name__, url_prefix="/api/files", description="Uploads and what is in them.")
blueprint.before_request(security.needs_owner)


@blueprint.before_request
def allow_large_bodies() -> None:
    """An upload may be as large as the setting says; everything is checked while it arrives."""
    request.max_content_length = runtime().settings.max_upload_mb << 20


@blueprint.post("/profile")
@blueprint.doc(security=security.CALLER_OR_LOCAL)
@blueprint.arguments(ReadingQuerySchema, location="query")
@blueprint.arguments(FileSchema, location="files")
@blueprint.response(200, ProfileSchema, example=PROFILE_EXAMPLE)
@blueprint.fails(401, 413, 415, 503)
def profile(query: dict[str, Any], form: dict[str, FileStorage]) -> Response:
    """Say what a file holds: rows, columns, SQL types, nulls. Nothing is kept."""
    file = _named(form["file"])
    return answer(runtime().files.profile(file.stream, file.filename, Options(**query)).as_dict())


@blueprint.post("/upload")
@blueprint.doc(security=security.CALLER_OR_LOCAL)
@blueprint.arguments(UploadQuerySchema, location="query")
@blueprint.arguments(FileSchema, location="files")
@blueprint.response(201, UploadedSchema, example=UPLOADED_EXAMPLE)
@blueprint.fails(401, 404, 409, 413, 415, 502, 503, 504)
def upload(query: dict[str, Any], form: dict[str, FileStorage]) -> Response:
    """Profile a file, then keep it. One that cannot be read is refused with the reason and the line.

    A signed-in caller's files are kept in a folder of the caller's own.
    """
    file = _named(form["file"])
    kept = runtime().files.upload(file.stream, file.filename, file.content_type, **query, folder=security.folder())
    return answer(kept.as_dict(), 201)


def _named(file: FileStorage) -> Any:
    if not file.filename:
        raise PayloadError("The part `file` has no file name.", errors={"file": ["A file name is needed."]})
    return file
