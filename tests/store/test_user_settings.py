"""Users' settings, on SQLite and Postgres, patched from many processes at once."""

import multiprocessing

import pytest

from sqlchat.errors import PayloadError
from sqlchat.store import Store


def nested(depth):
    value = 1
    for _ in range(depth):
        value = {"k": value}
    return value


def test_nothing_set_is_empty(store):
    assert store.user_settings.get("ann") == {}


def test_a_patch_merges_and_null_removes(store, settings, make_store):
    store.user_settings.patch("ann", {"theme": "dark", "default_provider": "openai"})
    assert store.user_settings.patch("ann", {"theme": None, "n": [1, {"deep": None}]}) == {
        "default_provider": "openai",
        "n": [1, {"deep": None}],
    }
    assert make_store(settings).user_settings.get("ann") == {"default_provider": "openai", "n": [1, {"deep": None}]}
    assert store.user_settings.patch("ann", {"never there": None, "n": None, "default_provider": None}) == {}


def test_users_do_not_see_each_other(store):
    store.user_settings.patch("ann", {"theme": "dark"})
    assert store.user_settings.get("bob") == {}


VALUES = [0, -1, 2**63 - 1, 1.5, 1e300, True, "", "ünï\0code 日本", [], {}, [[None]], {"": {"x" * 64: 1}}]


def test_values_come_back_as_they_were(store, subtests):
    for value in VALUES:
        with subtests.test(repr(value)):
            store.user_settings.patch("ann", {"key": value})
            assert store.user_settings.get("ann") == {"key": value}


UNFIT = [
    ({"k" * 65: 1}, "64 characters"),
    ({"k": {"k" * 65: 1}}, "64 characters"),
    ({"k": [{"k" * 65: 1}]}, "64 characters"),
    (nested(9), "8 levels"),
    ({"k": [[[[[[[[1]]]]]]]]}, "8 levels"),
    (nested(500), "8 levels"),
    ({"k": float("nan")}, "no JSON"),
    ({"k": [float("inf")]}, "no JSON"),
    ({"k": 2**63}, "64 bits"),
    ({"k": "\ud800"}, "Unicode"),
    ({"\udfff": 1}, "Unicode"),
]


def test_what_cannot_be_kept_is_said_by_key(store, subtests):
    store.user_settings.patch("ann", {"theme": "dark"})
    for changes, reason in UNFIT:
        with subtests.test(ascii(changes)[:100]):
            with pytest.raises(PayloadError) as caught:
                store.user_settings.patch("ann", changes)
            (faults,) = caught.value.facts["errors"].values()
            assert any(reason in fault for fault in faults)
            assert store.user_settings.get("ann") == {"theme": "dark"}


def test_eight_levels_are_kept(store):
    assert store.user_settings.patch("ann", nested(8)) == nested(8)


def test_all_together_stay_below_16_kb(store):
    kept = store.user_settings.patch("ann", {"a": "x" * 9000})
    with pytest.raises(PayloadError, match="16 KB"):
        store.user_settings.patch("ann", {"b": "x" * 9000})
    assert store.user_settings.get("ann") == kept
    with pytest.raises(PayloadError, match="16 KB"):
        store.user_settings.patch("ann", {"a": "ü" * 9000})
    assert store.user_settings.patch("ann", {"a": None, "b": "x" * 9000}) == {"b": "x" * 9000}


def patch_many(settings, worker):
    store = Store(settings)
    for number in range(10):
        store.user_settings.patch("ann", {f"{worker}-{number}": number})
    store.close()


def test_patches_of_several_processes_lose_nothing(store, settings):
    context = multiprocessing.get_context("spawn")
    with context.Pool(3) as pool:
        pool.starmap(patch_many, [(settings, worker) for worker in range(3)])
        pool.close()
        pool.join()
    assert len(store.user_settings.get("ann")) == 30
