"""Storages of uploaded objects: Supabase Storage if it is configured, else a local folder."""

from __future__ import annotations

from sqlchat.config import Settings
from sqlchat.files.storage.base import Storage, StoredObject

__all__ = ["Storage", "StoredObject", "open_storage"]


def open_storage(settings: Settings) -> Storage:
    """Open the storage that the settings name. Connects to nothing yet."""
    if settings.supabase_url and settings.supabase_service_role_key:
        from sqlchat.files.storage.supabase import SupabaseStorage

        return SupabaseStorage(settings)
    from sqlchat.files.storage.local import LocalStorage

    return LocalStorage(settings.files_dir)
