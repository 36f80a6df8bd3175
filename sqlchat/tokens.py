"""Verifies access tokens of Supabase and of the local service, and mints the latter.

The token's algorithm selects its key: a shared secret for HS256, a public key of the project's JWKS for ES256 and
RS256, never the other (RFC 8725, 3.1). PyJWT is imported only here.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import jwt

from sqlchat.config import ConfigError, Settings
from sqlchat.errors import UnauthorizedError, UnavailableError
from sqlchat.store.encryption import derive_keys

log = logging.getLogger(__name__)

AUDIENCE = ROLE = "authenticated"
LOCAL_ISSUER = "sqlchat"
MAX_BYTES = 8 * 1024
LEEWAY = 10  # s
LOCAL_LIFETIME = 30 * 86_400  # s
SUPABASE_LIFETIME = 3_600  # s; such a token opens the Supabase project too
REASONS: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidAudienceError: f"The token's audience is not {AUDIENCE!r}.",
    jwt.InvalidIssuerError: "The token was issued by someone else.",
    jwt.InvalidSignatureError: "The token's signature does not fit.",
    jwt.MissingRequiredClaimError: "The token lacks one of the claims exp, iat, sub, aud and iss.",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A user with a valid token."""

    id: str
    """The token's `sub`, a UUID in its canonical form."""
    email: str | None
    claims: Mapping[str, Any] = field(repr=False)


class TokenVerifier:
    """Finds the caller of a token. There is one in each process: it caches the project's public keys."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._public_keys = PublicKeys(settings.supabase_url) if settings.supabase_url else None
        self._issuer = _make_supabase_issuer(settings) if settings.auth_configured else LOCAL_ISSUER

    def verify(self, token: str) -> Caller:
        """Verify `token` and return its caller. Raises UnauthorizedError, and UnavailableError."""
        if len(token) > MAX_BYTES:
            raise UnauthorizedError(f"The token is longer than {MAX_BYTES // 1024} KB.")
        try:
            claims = self._read_claims(token)
        except (jwt.PyJWTError, UnicodeEncodeError) as exc:
            raise UnauthorizedError(REASONS.get(type(exc), "The token is not valid.")) from exc
        if claims.get("role") != ROLE:
            raise UnauthorizedError(f"The token's role is not {ROLE!r}; keys of the project itself are no users.")
        email = claims.get("email")
        return Caller(_read_user_id(claims["sub"]), email if isinstance(email, str) and email else None, claims)

    def _read_claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        match header.get("alg"):
            case "HS256":
                return self._decode_with_secrets(token)
            case "ES256" | "RS256" as algorithm if self._public_keys:
                key = self._public_keys.get(str(header.get("kid", "")))
                if key.algorithm_name != algorithm:
                    raise jwt.InvalidAlgorithmError
                return self._decode(token, key, algorithm)
        raise jwt.InvalidAlgorithmError

    def _decode_with_secrets(self, token: str) -> dict[str, Any]:
        fault: jwt.PyJWTError = jwt.InvalidAlgorithmError()
        for secret in self._secrets:
            try:
                return self._decode(token, secret, "HS256")
            except jwt.InvalidSignatureError as exc:
                fault = exc
        raise fault

    def _decode(self, token: str, key: bytes | jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        required = ["exp", "iat", "sub", "aud"] + (["iss"] if self._issuer else [])
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=AUDIENCE,
            issuer=self._issuer,
            leeway=LEEWAY,
            options={"require": required, "strict_aud": True},
        )

    @cached_property
    def _secrets(self) -> tuple[bytes, ...]:
        return _list_signing_secrets(self._settings)


class PublicKeys:
    """The signing keys of a Supabase project, fetched from its JWKS and cached for ten minutes.

    An unknown key id causes a fetch, at most every `COOLDOWN` seconds. If a fetch fails, the cached keys serve on.
    """

    LIFESPAN = 600.0
    COOLDOWN = 30.0
    COLD_COOLDOWN = 5.0
    """COOLDOWN as long as no key is cached."""
    STALE = 86_400.0
    """Seconds after which cached keys serve no longer: they may have been revoked."""

    def __init__(self, supabase_url: str) -> None:
        url = f"{supabase_url.rstrip('/')}/auth/v1/.well-known/jwks.json"
        self._place = urlsplit(url).netloc.rpartition("@")[2]
        self._client = jwt.PyJWKClient(url, cache_jwk_set=False, timeout=3)  # its own cache counts no failed fetch
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._next_fetch = float("-inf")
        self._lock = threading.Lock()

    def get(self, kid: str) -> jwt.PyJWK:
        """Return a key by its id. Raises PyJWKClientError if there is none, UnavailableError if no fetch works."""
        # If a key is cached, even an old one, do not wait for the fetch of another thread.
        if not self._is_fresh(kid) and self._lock.acquire(blocking=kid not in self._keys):
            try:
                self._refresh(kid)
            finally:
                self._lock.release()
        if time.monotonic() > self._fetched_at + self.STALE:
            raise UnavailableError(
                "The keys that tokens are checked with cannot be fetched.", retry_after=5, place=self._place
            )
        try:
            return self._keys[kid]
        except KeyError:
            raise jwt.PyJWKClientError from None

    def _is_fresh(self, kid: str) -> bool:
        return kid in self._keys and time.monotonic() < self._fetched_at + self.LIFESPAN

    def _refresh(self, kid: str) -> None:
        if time.monotonic() < self._next_fetch or self._is_fresh(kid):
            return
        try:
            keys = self._client.get_signing_keys()
        except jwt.PyJWKSetError:
            keys = []  # a project that signs with its legacy secret alone publishes no key
        except (jwt.PyJWKClientError, OSError, ValueError) as exc:
            log.warning("public keys cannot be fetched", extra={"reason": type(exc).__name__})
            self._next_fetch = time.monotonic() + (self.COOLDOWN if self._keys else self.COLD_COOLDOWN)
            return
        self._keys = {str(key.key_id): key for key in keys if key.algorithm_name in {"ES256", "RS256"}}
        self._fetched_at = time.monotonic()
        self._next_fetch = self._fetched_at + self.COOLDOWN


def mint_token(settings: Settings, email: str, sub: str | None = None) -> str:
    """Make a token for the user `email`, whose id is `sub` or is derived from the address.

    Signs with the local key, or with the legacy secret if that is configured. Raises ConfigError if only Supabase can
    sign, and UnauthorizedError if `sub` is no UUID.
    """
    if settings.auth_configured and not settings.supabase_jwt_secret:
        raise ConfigError("Tokens of this service come from Supabase: sign in there to get one.")
    now = int(time.time())
    claims = {
        "iss": _make_supabase_issuer(settings) or LOCAL_ISSUER,
        "sub": _read_user_id(sub) if sub else str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{email.lower()}")),
        "aud": AUDIENCE,
        "role": ROLE,
        "email": email,
        "iat": now,
        "exp": now + (SUPABASE_LIFETIME if settings.auth_configured else LOCAL_LIFETIME),
    }
    return jwt.encode(claims, _list_signing_secrets(settings)[0], algorithm="HS256")


def _list_signing_secrets(settings: Settings) -> tuple[bytes, ...]:
    """Return the HS256 secrets, the signing one first; () if Supabase signs only with key pairs."""
    if not settings.auth_configured:
        return derive_keys(settings, "local tokens")
    return (settings.supabase_jwt_secret.encode(),) if settings.supabase_jwt_secret else ()


def _make_supabase_issuer(settings: Settings) -> str | None:
    return f"{settings.supabase_url.rstrip('/')}/auth/v1" if settings.supabase_url else None


def _read_user_id(sub: str) -> str:
    with suppress(ValueError):
        canonical = str(uuid.UUID(sub))
        if canonical == sub.lower():  # UUID() also takes braces and other spellings
            return canonical
    raise UnauthorizedError("The token's sub is not a UUID.")
