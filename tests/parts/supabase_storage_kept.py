"""What the server of `supabase_storage_server` keeps, and who may do what to it."""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

Policy = Callable[[str, str, str], bool]


def own_folder(action: str, sub: str, key: str) -> bool:
    """The policy of Supabase's documentation: everybody has a folder named by their id."""
    return key.startswith(f"{sub}/")


def own_folder_for_writing(action: str, sub: str, key: str) -> bool:
    return action == "insert" and own_folder(action, sub, key)


@dataclass
class Bucket:
    policy: Policy = lambda action, sub, key: False
    size_limit: int = 50 << 30
    types: tuple[str, ...] = ()


@dataclass
class Object:
    path: Path
    content_type: str
    cache_control: str
    owner: str | None
    version: str = field(default_factory=lambda: str(uuid.uuid4()))
    updated_at: str = field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )

    metadata: dict[str, object] | None = None
    """What SQL put into the row, in place of the server's own facts."""

    @property
    def facts(self) -> dict[str, object] | None:
        if self.metadata is not None:
            return self.metadata or None
        return {
            "eTag": self.etag,
            "size": self.size,
            "mimetype": self.content_type,
            "cacheControl": self.cache_control,
            "lastModified": self.updated_at,
            "contentLength": self.size,
            "httpStatusCode": 200,
        }

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()

    @property
    def etag(self) -> str:
        with self.path.open("rb") as file:
            return f'"{hashlib.file_digest(file, "md5").hexdigest()}"'

    @property
    def size(self) -> int:
        return self.path.stat().st_size


@dataclass
class Upload:
    bucket: str
    key: str
    size: int
    path: Path
    metadata: dict[str, str]
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def offset(self) -> int:
        return self.path.stat().st_size
