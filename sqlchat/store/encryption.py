"""Derives secret keys, and encrypts the configs of connections.

HKDF-SHA256 (RFC 5869) derives keys from SQLCHAT_SECRET_KEY, or from a random key file beside the embedded store. Each
purpose has an `info` of its own, so no key serves two. Fernet (AES-128-CBC, HMAC-SHA256) encrypts.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sqlchat.config import Settings
from sqlchat.errors import UnavailableError
from sqlchat.store import state_dir

KEY_FILE = "secret.key"


def derive_keys(settings: Settings, purpose: str) -> tuple[bytes, ...]:
    """Return 32-byte keys for `purpose`, the newest first. Makes the key file if there is no key yet."""
    info = f"sqlchat {purpose} v1".encode()
    return tuple(
        HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())
        for secret in _read_secrets(settings)
    )


def _read_secrets(settings: Settings) -> tuple[str, ...]:
    if settings.database_url:
        return settings.secret_keys
    path = settings.state_dir / KEY_FILE
    if settings.secret_keys:  # an older key file still decrypts the configs that were encrypted with it
        return settings.secret_keys + ((path.read_text().strip(),) if path.exists() else ())
    return (_read_key_file(settings, path),)


def _read_key_file(settings: Settings, path: Path) -> str:
    with state_dir.hold_lock(settings, "key"):
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        return path.read_text().strip()


class Cipher:
    """Encrypts configs of connections. Each is bound to owner, id and name: no other row decrypts it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _fernet(self) -> MultiFernet:
        keys = derive_keys(self._settings, "connection config")
        return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])

    def seal(self, config: dict[str, Any], *, owner: str, id: str, name: str) -> str:
        """Encrypt `config`, a JSON object, with the newest key."""
        text = json.dumps({"owner": owner, "id": id, "name": name, "config": config}, allow_nan=False)
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str, *, owner: str, id: str, name: str) -> dict[str, Any]:
        """Decrypt a config. Raises UnavailableError if no key fits, or if it was encrypted for another row."""
        try:
            content = json.loads(self._fernet.decrypt(sealed.encode()))
        except (InvalidToken, UnicodeEncodeError):
            content = {}
        if (content.get("owner"), content.get("id"), content.get("name")) != (owner, id, name):
            raise UnavailableError(
                f"The stored settings of connection {name!r} cannot be decrypted: put back the SQLCHAT_SECRET_KEY "
                "that they were stored with, or delete the connection and create it again."
            )
        config: dict[str, Any] = content["config"]
        return config
