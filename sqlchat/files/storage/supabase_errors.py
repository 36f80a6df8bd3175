"""What Supabase Storage's refusals mean to a caller.

Storage answers most refusals with status 400 and says what it means in the body: `statusCode` as text, `error` and
`message`; newer versions send the status itself too, and resumable uploads answer with the status and a bare message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlchat.errors import (
    BucketNotFoundError,
    ConflictError,
    DeadlineError,
    FileNotFoundInStorageError,
    ForbiddenError,
    SqlchatError,
    StorageError,
    TooLargeError,
    UnauthorizedError,
    UnsupportedMediaError,
)

POLICY = "row-level security"
"""Postgres' words where no policy allows a write; Storage hands them on."""
TOKEN = re.compile(r"\bjw[kst]s?\b|\bclaim\b|\bsignature\b", re.IGNORECASE)
"""In every message about a token that is expired, malformed or signed by somebody else."""


@dataclass(frozen=True)
class Asked:
    """What Storage was asked about."""

    bucket: str
    name: str
    content_type: str
    own: bool
    """With the caller's own token, not with the service's key."""


def refusal(status: object, code: object, message: object, asked: Asked) -> SqlchatError:
    """The error that an answer of Storage is."""
    bucket, name = asked.bucket, asked.name
    text = str(message)
    match int(str(status)) if str(status).isdecimal() else 0, code:
        case _ if POLICY in text:
            return _denied(asked)
        case (409, _) | (_, "Duplicate" | "KeyAlreadyExists" | "ResourceAlreadyExists"):
            return ConflictError(
                f"There is already a file {name!r} in {bucket!r}; rename yours, or replace it with upsert=true."
            )
        case (404, _) | (_, "NoSuchBucket" | "Bucket not found" | "NoSuchKey" | "not_found"):
            return no_object(bucket, name) if text == "Object not found" else no_bucket(bucket)
        case (413, _) | (_, "EntityTooLarge" | "Payload too large"):
            return TooLargeError(f"Supabase Storage takes no file of this size in the bucket {bucket!r}.")
        case (415, _) | (_, "InvalidMimeType" | "invalid_mime_type"):
            return UnsupportedMediaError(f"Supabase Storage takes no {asked.content_type} in the bucket {bucket!r}.")
        case _ if code == "InvalidJWT" or TOKEN.search(text):
            return _refused_token(asked)
        case (401, _) | (_, "SignatureDoesNotMatch"):
            return _refused_token(asked)
        case (403, _) | (_, "AccessDenied" | "Unauthorized"):
            return _denied(asked)
        case (504 | 544, _):
            return DeadlineError("Supabase Storage timed out within itself; try again.")
    return StorageError(f"Supabase Storage failed (status {status}); its own log says why.")


def no_bucket(bucket: str) -> SqlchatError:
    return BucketNotFoundError(f"Supabase Storage has no bucket {bucket!r}; create it there first.")


def no_object(bucket: str, name: str) -> SqlchatError:
    return FileNotFoundInStorageError(f"There is no file {name!r} in {bucket!r}.")


def _denied(asked: Asked) -> SqlchatError:
    if asked.own:
        return ForbiddenError(f"No policy of Supabase Storage allows you this in the bucket {asked.bucket!r}.")
    return _refused_token(asked)


def _refused_token(asked: Asked) -> SqlchatError:
    if asked.own:
        return UnauthorizedError("Supabase Storage does not take your token (any more); sign in again.")
    return StorageError("Supabase Storage refused the service's key; check SUPABASE_SERVICE_ROLE_KEY.")
