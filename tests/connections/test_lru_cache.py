"""What is kept by a text, and what makes room."""

import threading

import pytest

from sqlchat.connections.lru_cache import LruCache


def test_what_was_used_last_is_kept():
    cache = LruCache(2, 1000)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [cache.get(text) for text in "abc"] == [1, None, 3]


def test_characters_are_bounded_and_counted_once():
    cache = LruCache(1000, 1000)
    for _ in range(3):
        for number in range(20):
            cache.put(str(number), "x" * 90)
    kept = [text for text in map(str, range(20)) if cache.get(text)]
    assert kept == [str(number) for number in range(10, 20)]


@pytest.mark.parametrize(("text", "result"), [("a", "x" * 100), ("x" * 100, "a")])
def test_what_would_push_out_all_others_is_not_kept(text, result):
    cache = LruCache(10, 1000)
    cache.put("b", 1)
    cache.put(text, result)
    assert (cache.get(text), cache.get("b")) == (None, 1)


def test_threads_share_it():
    cache = LruCache(10, 10_000)

    def use(number):
        for text in map(str, range(1000)):
            cache.put(text, text)
            assert cache.get(text) in (text, None), number

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(cache.get(text) is not None for text in map(str, range(1000))) == 10
