"""What Supabase Storage's refusals mean to a caller.

Storage answers most refusals with status 400 and says what it means in the body: `statusCode` as text, `error` and
`message`; newer versions send the status itself too, and resumable uploads answer with the status and a bare message.
"""

from __future__ import annotations

from sqlchat.errors import (
    BucketNotFoundError,
    ConflictError,
    DeadlineError,
    FileNotFoundInStorageError,
    ForbiddenError,
    SqlchatError,
    StorageError,
    TooLargeError,
    UnsupportedMediaError,
)

POLICY = "row-level security"
"""Postgres' words where no policy allows a write; Storage hands them on."""


def refusal(
    status: object,
    code: object,
    message: object,
    *,
    bucket: str,
    name: str,
    content_type: str = "",
    own: bool = False,
) -> SqlchatError:
    """The error for an answer of Storage about an object; `own` where it was asked with the caller's own token."""
    text = str(message).lower()
    match int(str(status)) if str(status).isdecimal() else 0, code:
        case _ if POLICY in text:
            return denied(bucket, own)
        case (409, _) | (_, "Duplicate" | "KeyAlreadyExists" | "ResourceAlreadyExists"):
            return ConflictError(
                f"There is already a file {name!r} in {bucket!r}; rename yours, or replace it with upsert=true."
            )
        case (_, "NoSuchBucket" | "Bucket not found"):
            return no_bucket(bucket)
        case (_, "NoSuchKey" | "not_found") if "bucket" not in text:
            return no_object(bucket, name)
        case (404, _):
            return no_object(bucket, name) if "object" in text else no_bucket(bucket)
        case (413, _) | (_, "EntityTooLarge" | "Payload too large"):
            return TooLargeError(f"Supabase Storage takes no file of this size in the bucket {bucket!r}.")
        case (415, _) | (_, "InvalidMimeType" | "invalid_mime_type"):
            return UnsupportedMediaError(f"Supabase Storage takes no {content_type} in the bucket {bucket!r}.")
        case (401 | 403, _) | (_, "InvalidJWT" | "AccessDenied" | "Unauthorized" | "SignatureDoesNotMatch"):
            return denied(bucket, own)
        case (504 | 544, _):
            return DeadlineError("Supabase Storage timed out within itself; try again.")
        case _ if "jwt" in text or "jws" in text:
            return denied(bucket, own)
    return StorageError(f"Supabase Storage failed (status {status}); its own log says why.")


def denied(bucket: str, own: bool) -> SqlchatError:
    if own:
        return ForbiddenError(
            f"Supabase Storage refused this to you: no policy of the bucket {bucket!r} allows it with your token."
        )
    return StorageError("Supabase Storage refused the service's key; check SUPABASE_SERVICE_ROLE_KEY.")


def no_bucket(bucket: str) -> SqlchatError:
    return BucketNotFoundError(f"Supabase Storage has no bucket {bucket!r}; create it there first.")


def no_object(bucket: str, name: str) -> SqlchatError:
    return FileNotFoundInStorageError(f"There is no file {name!r} in {bucket!r}.")
