"""Translates refusals of Supabase Storage to our errors.

Storage answers most refusals with status 400 and explains them in the body: `statusCode` as text, `error`,
`message`. Some versions send the real status, and resumable uploads answer with the status and a bare message. A
gateway in front has bodies of its own: JSON with a `message`, HTML, nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlchat.errors import (
    BucketNotFoundError,
    DeadlineError,
    ForbiddenError,
    SqlchatError,
    StorageError,
    TooLargeError,
    UnauthorizedError,
    UnsupportedMediaError,
)
from sqlchat.files.storage.base import make_absent_error, make_taken_error
from sqlchat.files.storage.supabase_keys import make_object_key

POLICY = "row-level security"
"""Postgres' words if no policy allows a write; Storage passes them on."""
TOKEN = re.compile(r"\bjw[aekst]s?\b|json web|\bclaim\b|\bsignature\b|\balg\b|\balgorithm\b", re.IGNORECASE)
"""In every message about a token that is expired, malformed or signed by somebody else."""
TYPE = re.compile(r"\bmime ?type\b.*\bnot supported\b", re.IGNORECASE | re.DOTALL)
"""In the message about a type that the bucket refuses; from v1.15.0 to v1.48.28 nothing else tells it."""
API_KEY = re.compile(r"\bapi ?keys?\b|authentication credentials", re.IGNORECASE)
"""A gateway's words about the key of the project, which is not the caller's."""
BUCKET = re.compile(r"\bbucket\b|\b(?:related|parent) resource\b", re.IGNORECASE)
OBJECT = re.compile(r"object not found|the resource was not found|NoSuchKey|NotFound", re.IGNORECASE)
"""The last three mean that the object store behind Storage has lost an object that Storage lists."""
OF_THE_STORE = re.compile(r"[A-Z][a-z]\w+")
"""If the object store refuses Storage itself, the message is one word."""

CODES = {
    "Duplicate": 409,
    "KeyAlreadyExists": 409,
    "ResourceAlreadyExists": 409,
    "NoSuchBucket": 404,
    "Bucket not found": 404,
    "NoSuchKey": 404,
    "not_found": 404,
    "EntityTooLarge": 413,
    "Payload too large": 413,
    "InvalidMimeType": 415,
    "invalid_mime_type": 415,
    "InvalidJWT": 401,
    "SignatureDoesNotMatch": 401,
    "AccessDenied": 403,
    "Unauthorized": 403,
}
"""Code of Storage -> our status, whatever status comes with it."""
NO_CONFLICTS = frozenset({"TransactionError", "ResourceReferenced", "FeatureNotEnabled", "NotSupported"})
"""Codes with status 409 that say nothing of a name that is taken."""


@dataclass(frozen=True)
class StorageCall:
    """The subject of a call to Storage."""

    bucket: str
    name: str
    content_type: str
    own: bool
    """With the caller's own token, not with the service's key."""

    @property
    def path(self) -> str:
        """As uploads are answered."""
        return f"{self.bucket}/{make_object_key(self.name)}"


def translate_refusal(status: object, code: object, message: object, call: StorageCall) -> SqlchatError:
    """Make our error of an answer of Storage."""
    bucket, text = call.bucket, str(message)
    told = int(str(status)) if str(status).isdecimal() else 0
    meant = CODES.get(str(code), told)
    match meant:
        case _ if POLICY in text:
            return _make_denied_error(call)
        case 409 if code not in NO_CONFLICTS and "offset" not in text.lower():
            return make_taken_error(call.path)
        case 400 if text == "Bucket name invalid":
            return make_no_bucket_error(bucket)
        case 404:
            return _make_missing_error(code, text, call)
        case 413:
            return TooLargeError(f"Supabase Storage takes no file of this size in the bucket {bucket!r}.")
        case _ if meant == 415 or (meant == 400 and TYPE.search(text)):
            return UnsupportedMediaError(f"Supabase Storage takes no {call.content_type} in the bucket {bucket!r}.")
        case 401 | 403 if API_KEY.search(text):
            return StorageError("Supabase refused the project's key; check SUPABASE_ANON_KEY and the service's key.")
        case 403 if OF_THE_STORE.fullmatch(text):
            return StorageError("Supabase Storage is refused by its own object store; its log says why.")
        case 400 | 401 | 403 if TOKEN.search(text):
            return _make_token_error(call)
        case 401:
            return _make_token_error(call)
        case 403:
            return _make_denied_error(call)
        case 408 | 504 | 524 | 544:
            return DeadlineError("Supabase Storage timed out within itself; try again.")
        case 423 | 429 | 503:
            return StorageError(f"Supabase Storage is busy or closed for now (status {told}); try again.")
    return StorageError(f"Supabase Storage failed (status {status}); its own log says why.")


def make_no_bucket_error(bucket: str) -> SqlchatError:
    return BucketNotFoundError(f"Supabase Storage has no bucket {bucket!r}; create it there first.")


def _make_missing_error(code: object, text: str, call: StorageCall) -> SqlchatError:
    if code in ("NoSuchKey", "not_found") or OBJECT.search(text):
        return make_absent_error(call.path)
    if code in ("NoSuchBucket", "Bucket not found") or BUCKET.search(text):
        return make_no_bucket_error(call.bucket)
    return StorageError("Supabase Storage knows no such call or upload (status 404); check SUPABASE_URL.")


def _make_denied_error(call: StorageCall) -> SqlchatError:
    if call.own:
        return ForbiddenError(f"No policy of Supabase Storage allows you this in the bucket {call.bucket!r}.")
    return _make_token_error(call)


def _make_token_error(call: StorageCall) -> SqlchatError:
    if call.own:
        return UnauthorizedError("Supabase Storage does not take your token (any more); sign in again.")
    return StorageError("Supabase Storage refused the service's key; check SUPABASE_SERVICE_ROLE_KEY.")
