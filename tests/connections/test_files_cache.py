"""The cache of databases: built once, whole or not at all, and never taken from under a reader."""

import contextlib
import errno
import os
import shutil
import threading
import time

import pytest

from sqlchat.connections.files.cache import LONGEST_UNUSED, DatabaseCache


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def cache(folder):
    return DatabaseCache(folder, 2500)


def filled(size=1000):
    return lambda place: (place / "data").write_bytes(b"x" * size)


def kept(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def age(cache, key, seconds):
    then = time.time() - seconds
    os.utime(cache.make_path(key), (then, then))


def test_what_is_there_is_not_built_again(cache, folder):
    assert cache.make("a", filled(), patience=0)
    assert cache.make("a", lambda place: pytest.fail("built again"), patience=0)
    assert (folder / "a/data").stat().st_size == 1000


def test_nothing_is_left_of_a_build_that_fails(cache, folder):
    def fails(place):
        filled()(place)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cache.make("a", fails, patience=0)
    assert kept(folder) == []
    assert cache.make("a", filled(), patience=0)


def test_one_who_comes_while_it_is_built_waits_or_is_told(cache):
    begun, finish = threading.Event(), threading.Event()

    def slow(place):
        begun.set()
        finish.wait(150)
        filled()(place)

    builder = threading.Thread(target=cache.make, args=("a", slow, 0))
    builder.start()
    begun.wait(150)
    assert not cache.make("a", filled(), patience=0.1)
    with cache.hold("a", patience=0) as there:
        assert not there
    finish.set()
    assert cache.make("a", lambda place: pytest.fail("built twice"), patience=150)
    builder.join(150)


def test_the_least_recently_used_goes_first(cache, folder):
    cache.make("a", filled(), patience=0)
    cache.make("b", filled(), patience=0)
    age(cache, "a", 100)
    age(cache, "b", 200)
    with cache.hold("b", patience=0) as there:
        assert there  # and is the one used last from now on
    cache.make("c", filled(), patience=0)
    assert kept(folder) == ["b", "c"]


def test_one_in_use_stays_until_it_is_let_go(cache, folder):
    cache.make("a", filled(), patience=0)
    with cache.hold("a", patience=0) as there:
        assert there
        age(cache, "a", 100)
        cache.make("b", filled(2000), patience=0)
        cache.discard("a")
        assert kept(folder) == ["a", "b"]
    cache.tidy(keep="b")
    assert kept(folder) == ["b"]


def test_the_newest_stays_however_large(cache, folder):
    cache.make("a", filled(), patience=0)
    cache.make("b", filled(9000), patience=0)
    assert kept(folder) == ["b"]


def test_what_nobody_used_for_long_goes_though_there_is_room(cache, folder):
    cache.make("a", filled(10), patience=0)
    age(cache, "a", LONGEST_UNUSED + 60)
    cache.make("b", filled(10), patience=0)
    assert kept(folder) == ["b"]


def test_what_a_process_that_died_left_goes(cache, folder):
    for name in ("a.1.part", "a.2.part", "b.3.part"):
        (folder / name).mkdir(parents=True)
        (folder / name / "0.file").write_bytes(b"half")
    assert cache.make("a", filled(10), patience=0)
    assert kept(folder) == ["a"]
    assert sorted(path.name for path in (folder / "a").iterdir()) == ["data"]
    assert sorted(path.name for path in folder.iterdir()) == ["a", "a.lock"]


def test_what_is_left_beside_a_whole_database_goes_too(cache, folder):
    cache.make("a", filled(10), patience=0)
    (folder / "a.1.part").mkdir()
    cache.tidy()
    assert sorted(path.name for path in folder.iterdir()) == ["a", "a.lock"]


def test_what_is_being_built_is_no_leftover(cache, folder):
    def meanwhile(place):
        cache.tidy()
        filled(10)(place)

    assert cache.make("a", meanwhile, patience=0)
    assert (folder / "a/data").exists()


def test_what_a_builder_writes_that_outlived_its_build_is_in_no_database(cache, folder):
    places = []

    def fails(place):
        places.append(place)
        raise ValueError("broken")

    def late(place):
        filled(10)(place)
        with contextlib.suppress(FileNotFoundError):  # as the first one's process would, which still runs
            (places[0] / "stale").write_bytes(b"x")

    with pytest.raises(ValueError, match="broken"):
        cache.make("a", fails, patience=0)
    assert cache.make("a", late, patience=0)
    assert [path.name for path in (folder / "a").iterdir()] == ["data"]


def test_what_the_disk_does_not_confirm_is_no_database(cache, folder):
    with pytest.raises(OSError, match="Invalid argument") as caught:
        cache.make("a", lambda place: (place / "data").symlink_to("/dev/zero"), patience=0)  # which has no disk
    assert caught.value.errno == errno.EINVAL
    assert kept(folder) == []


def test_all_files_count_wherever_they_lie(cache, folder):
    def deep(place):
        (place / "spilled").mkdir()
        (place / "spilled/block").write_bytes(b"x" * 2000)

    cache.make("a", deep, patience=0)
    age(cache, "a", 100)
    cache.make("b", filled(), patience=0)
    assert kept(folder) == ["b"]


def test_the_folder_may_be_removed_while_one_is_built_in_it(cache, folder):
    def removed(place):
        filled()(place)
        shutil.rmtree(folder)

    with pytest.raises(FileNotFoundError):
        cache.make("a", removed, patience=0)
    assert cache.make("a", filled(), patience=0)


def test_nobody_waits_for_a_lock_in_a_folder_that_was_removed(cache, folder):
    def removed(place):
        waiting.start()
        time.sleep(0.2)
        folder.rename(folder.with_name("removed"))

    found = []
    waiting = threading.Thread(target=lambda: found.append(cache.make("a", filled(), patience=60)))
    with pytest.raises(FileNotFoundError):
        cache.make("a", removed, patience=0)
    waiting.join(150)
    assert not waiting.is_alive()
    assert cache.make("a", filled(), patience=0)


def test_one_that_somebody_made_without_seeing_our_lock_will_do(cache, folder):
    """As on another host whose locks the common file system does not tell of."""

    def build(place):
        filled()(place)
        shutil.copytree(place, folder / "a")

    assert cache.make("a", build, patience=0)
    assert sorted(path.name for path in folder.iterdir()) == ["a", "a.lock"]
    assert [path.name for path in (folder / "a").iterdir()] == ["data"]


def test_none_is_held_that_was_never_built(cache, folder):
    with cache.hold("a", patience=0) as there:
        assert not there
    cache.discard("a")
    assert not folder.exists()


def test_only_the_owner_of_the_service_may_look(cache, folder):
    cache.make("a", filled(), patience=0)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "a").stat().st_mode & 0o077 == 0


def test_what_cannot_be_removed_harms_no_other(cache, folder):
    """As on a disk that is full or read-only: there is no lock to be had."""
    cache.make("old", filled(), patience=0)
    age(cache, "old", LONGEST_UNUSED + 1)
    (folder / "old.lock").unlink()
    (folder / "old.lock").mkdir()
    (folder / "gone.part").mkdir()
    (folder / "gone.lock").mkdir()
    assert cache.make("new", filled(), patience=0)
    assert (folder / "new/data").exists()
    assert (folder / "old/data").exists()
