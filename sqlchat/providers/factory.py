"""Lists the providers and makes one instance of each in a process."""

from __future__ import annotations

import importlib
import threading

from sqlchat.config import Settings
from sqlchat.errors import ProviderNotConfiguredError, ProviderUnknownError
from sqlchat.providers.base import Provider

PROVIDERS = {
    "openai": "sqlchat.providers.openai:OpenAIProvider",
    "anthropic": "sqlchat.providers.anthropic:AnthropicProvider",
    "offline": "sqlchat.providers.offline.engine:OfflineProvider",
}
"""Name in requests -> module and class, in the order of preference. A new vendor is a file and a line here."""


class ProviderFactory:
    """Makes each configured provider once, for all threads of a process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._live: dict[str, Provider] = {}
        self._lock = threading.Lock()

    def list_names(self) -> list[str]:
        """List all providers, configured or not."""
        return list(PROVIDERS)

    def list_configured(self) -> list[str]:
        """List the configured providers."""
        return [name for name in PROVIDERS if import_provider(name).is_configured(self._settings)]

    def find_default(self) -> str:
        """Return the name of the first configured provider; the built-in engine always is."""
        return self.list_configured()[0]

    def get(self, name: str | None = None) -> Provider:
        """Return the provider `name`, or the default one. Raises ProviderUnknownError, ProviderNotConfiguredError."""
        name = name or self.find_default()
        cls = import_provider(name)
        if not cls.is_configured(self._settings):
            raise ProviderNotConfiguredError(
                f"The provider {name} is not configured: the service needs {cls.needs}. "
                f"Configured here: {', '.join(self.list_configured())}."
            )
        with self._lock:
            if name not in self._live:
                self._live[name] = cls.create(self._settings)
            return self._live[name]

    def close(self) -> None:
        """Close all live providers. The next `get` makes them anew."""
        with self._lock:
            live, self._live = self._live, {}
        for provider in live.values():
            provider.close()


def import_provider(name: str) -> type[Provider]:
    """Import and return the class of the provider `name`. Raises ProviderUnknownError."""
    if name not in PROVIDERS:
        raise ProviderUnknownError(f"There is no provider {name!r}; known are {', '.join(PROVIDERS)}.")
    module, _, class_name = PROVIDERS[name].partition(":")
    provider: type[Provider] = getattr(importlib.import_module(module), class_name)
    return provider
