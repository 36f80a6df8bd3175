from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from sqlchat.config import Settings
from sqlchat.errors import ProviderNotConfiguredError, ProviderUnknownError
from sqlchat.providers.factory import PROVIDERS, ProviderFactory, import_provider

BOTH = Settings(openai_api_key="a", anthropic_api_key="b")


def test_names_come_in_the_order_of_preference() -> None:
    assert ProviderFactory(Settings()).list_names() == ["openai", "anthropic", "offline"]


@pytest.mark.parametrize(
    ("settings", "configured"),
    [
        (Settings(), ["offline"]),
        (Settings(anthropic_api_key="b"), ["anthropic", "offline"]),
        (BOTH, ["openai", "anthropic", "offline"]),
        (Settings(openai_base_url="http://127.0.0.1:11434/v1"), ["openai", "offline"]),
    ],
)
def test_configured_follows_the_settings_and_the_first_is_the_default(
    settings: Settings, configured: list[str]
) -> None:
    factory = ProviderFactory(settings)
    assert factory.list_configured() == configured
    assert factory.find_default() == configured[0]
    assert factory.get().name == configured[0]


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProviderUnknownError, match="openai, anthropic, offline"):
        ProviderFactory(BOTH).get("gemini")


def test_an_unconfigured_one_is_refused_with_what_it_needs() -> None:
    with pytest.raises(ProviderNotConfiguredError, match="OPENAI_API_KEY"):
        ProviderFactory(Settings()).get("openai")


def test_every_provider_carries_the_name_it_is_asked_for_by() -> None:
    assert [import_provider(name).name for name in PROVIDERS] == list(PROVIDERS)


def test_there_is_one_of_each_for_all_threads() -> None:
    factory, found = ProviderFactory(BOTH), []
    threads = [threading.Thread(target=lambda: found.append(factory.get("openai"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    factory.close()
    assert factory.get("openai") is not found[0]


def test_no_sdk_is_imported_before_a_model_is_asked() -> None:
    code = (
        "import sys; from sqlchat.config import Settings; from sqlchat.providers.factory import ProviderFactory\n"
        "f = ProviderFactory(Settings(openai_api_key='a', anthropic_api_key='b')); f.list_configured(); f.get()\n"
        "print([m for m in ('openai', 'anthropic') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert run.stdout.strip() == "[]"
