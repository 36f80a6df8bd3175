"""What the server of `supabase_storage_server` refuses with: JSON, or bare messages from resumable uploads."""

from __future__ import annotations

import json

from werkzeug import Response

OWN_STATUS = frozenset({429, 500, 544})
"""Those that a refusal in JSON has as the answer's status too; the others are 400."""
TYPE_AS_INVALID = (1, 15, 0), (1, 48, 28)
"""The first and the last version that call a type refused an invalid request, where a form brings it."""


class Refused(Exception):  # noqa: N818  an answer, for the server
    """`error` is the older name of `code`. `early`: before the server comes to the call, and so always in JSON.

    `plain`: the status is the answer's own, and a number in the body.
    """

    def __init__(
        self, status: int, error: str, message: str, code: str = "", *, early: bool = False, plain: bool = False
    ) -> None:
        self.status, self.error, self.message = status, error, message
        self.code, self.early, self.plain = code or error, early, plain

    def answer(self, *, by_tus: bool) -> Response:
        if by_tus and not self.early:
            return Response(self.message, self.status, {"Tus-Resumable": "1.0.0"})
        told = self.status if self.plain else str(self.status)
        body = {"statusCode": told, "code": self.code, "error": self.error, "message": self.message}
        status = self.status if self.plain or self.status in OWN_STATUS else 400
        return Response(json.dumps(body), status, content_type="application/json")


NO_BUCKET = Refused(404, "Bucket not found", "Bucket not found", "NoSuchBucket")
NO_OBJECT = Refused(404, "not_found", "Object not found", "NoSuchKey")
TAKEN = Refused(409, "Duplicate", "The resource already exists", "KeyAlreadyExists")
NO_POLICY = Refused(403, "Unauthorized", "new row violates row-level security policy", "AccessDenied")
TOO_LARGE = Refused(413, "Payload too large", "The object exceeded the maximum allowed size", "EntityTooLarge")
READ_ONLY = Refused(503, "DatabaseReadOnly", "The database is read-only for now.")
TOO_LONG = Refused(500, "Internal", "ENAMETOOLONG: name too long, open")
NO_HEADER = Refused(400, "Error", "headers must have required property 'authorization'", early=True)
NO_BUCKET_NAME = Refused(400, "InvalidRequest", "Bucket name invalid")
BAD_BODY = Refused(400, "Error", "body must match the schema", early=True)


def no_route(method: str, path: str) -> Refused:
    return Refused(404, "Not Found", f"Route {method}:{path} not found", early=True, plain=True)


def bad_token(message: str) -> Refused:
    return Refused(403, "Unauthorized", message, "AccessDenied", early=True)


def bad_type(content_type: str, version: tuple[int, ...] | None = None) -> Refused:
    """`version`: of a server to which a form brought it."""
    if version and TYPE_AS_INVALID[0] <= version <= TYPE_AS_INVALID[1]:
        return Refused(400, "InvalidRequest", f"mime type {content_type} is not supported")
    return Refused(415, "invalid_mime_type", f"mime type {content_type} is not supported", "InvalidMimeType")
