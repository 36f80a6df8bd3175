"""Large files on their way to Supabase Storage: chunks, breaks, what is left of them."""

import io
import random
import tempfile
import time

import pytest
from supabase_storage_kept import Bucket, own_folder_for_writing
from supabase_storage_server import CHUNK

from sqlchat.errors import (
    BucketNotFoundError,
    ConflictError,
    DeadlineError,
    StorageError,
    TooLargeError,
    UnsupportedMediaError,
)
from sqlchat.files.storage import resumable
from sqlchat.files.storage.resumable import CHUNK as OUR_CHUNK
from sqlchat.files.storage.resumable import LARGE, find_endpoint

CONTENT = random.Random(1).randbytes(2 * CHUNK + 1234)


def put(storage, name="big.csv", content=CONTENT, **options):
    return storage.put("uploads", name, io.BytesIO(content), len(content), "text/csv", **options)


def test_a_large_file_goes_in_chunks_of_six_megabytes(supabase, server):
    assert put(supabase) == "uploads/big.csv"
    kept = server.objects["uploads", "big.csv"]
    assert (kept.content == CONTENT, kept.content_type, kept.cache_control) == (True, "text/csv", "max-age=3600")
    assert [call.body_bytes for call in server.made("PATCH")] == [OUR_CHUNK, OUR_CHUNK, 1234]
    assert {call.headers["Tus-Resumable"] for call in server.calls} == {"1.0.0"}
    assert {call.headers["X-Upsert"] for call in server.calls} == {"false"}


@pytest.mark.parametrize(("size", "resumable"), [(LARGE, False), (LARGE + 1, True)])
def test_above_the_size_that_supabase_says(supabase, server, size, resumable):
    put(supabase, content=bytes(size))
    assert bool(server.made("PATCH")) is resumable
    assert server.objects["uploads", "big.csv"].size == size


def test_a_file_is_read_in_pieces_from_its_beginning(supabase, server):
    largest = []

    class Watched(io.BytesIO):
        def read(self, size=-1):
            largest.append(size)
            return super().read(size)

    file = Watched(CONTENT)
    file.seek(99)
    supabase.put("uploads", "big.csv", file, len(CONTENT), "text/csv")
    assert server.objects["uploads", "big.csv"].content == CONTENT
    assert 0 < min(largest) <= max(largest) <= 1 << 20


@pytest.mark.parametrize(
    ("kind", "patience"),
    [("hang", 2.0), *((kind, 100.0) for kind in ("lost", "cut", "locked", 500, 502, 503, 423, 408, 429))],
)
def test_a_chunk_that_fails_is_taken_up_where_the_server_stands(supabase, server, kind):
    server.order("PATCH", kind, skip=1)
    put(supabase)
    assert server.objects["uploads", "big.csv"].content == CONTENT
    assert len(server.made("POST")) == 1
    assert server.made("HEAD")


def test_a_chunk_that_arrived_twice_is_a_conflict_that_passes(supabase, server):
    class Doubled(io.BytesIO):
        """Has the server take the second chunk from somebody else before ours is through."""

        def seek(self, offset, whence=0):
            if offset == CHUNK and len(server.made("PATCH")) == 1:
                (upload,) = server.uploads.values()
                upload.path.write_bytes(CONTENT[: 2 * CHUNK])
            return super().seek(offset, whence)

    supabase.put("uploads", "big.csv", Doubled(CONTENT), len(CONTENT), "text/csv")
    assert server.objects["uploads", "big.csv"].content == CONTENT
    assert len(server.made("POST")) == 1


def test_the_second_try_of_a_chunk_sends_only_the_rest(supabase, server):
    server.order("PATCH", "cut", skip=1)
    put(supabase)
    assert [call.headers["Upload-Offset"] for call in server.made("PATCH")][2] == str(CHUNK + CHUNK // 3)


@pytest.mark.parametrize("kind", ["lost", 503])
def test_an_upload_that_could_not_be_made_is_made_again(supabase, server, kind):
    server.order("POST", kind)
    put(supabase)
    assert server.objects["uploads", "big.csv"].content == CONTENT


@pytest.mark.parametrize("status", [404, 410])
def test_an_upload_that_the_server_forgot_begins_anew(supabase, server, status):
    server.order("PATCH", status, skip=1)
    put(supabase)
    assert len(server.made("POST")) == 2
    assert server.objects["uploads", "big.csv"].content == CONTENT


def test_an_end_that_was_not_heard_of_is_looked_for(supabase, server):
    server.order("PATCH", "lost", skip=2)
    put(supabase)
    assert server.made("GET", "/object/info/")


def test_an_end_that_nobody_can_look_for_is_no_success(supabase, server, user):
    server.buckets["uploads"].policy = own_folder_for_writing
    sub, token = user
    server.order("PATCH", "lost", skip=2)
    with pytest.raises(StorageError, match="did not confirm"):
        put(supabase, f"{sub}/big.csv", token=token)


@pytest.mark.parametrize(("status", "error"), [(500, StorageError), (544, DeadlineError)])
def test_tries_end_and_nothing_is_left(supabase, server, status, error):
    server.order("PATCH", status, skip=1, times=99)
    with pytest.raises(error):
        put(supabase)
    assert len(server.made("PATCH")) == 1 + resumable.TRIES
    assert ("uploads", "big.csv") not in server.objects
    assert server.uploads == {}


def test_tries_are_counted_anew_with_each_byte_that_got_through(supabase, server):
    server.order("PATCH", "cut", times=resumable.TRIES + 2)
    put(supabase)
    assert server.objects["uploads", "big.csv"].content == CONTENT


def test_a_server_that_forgets_each_time_is_given_up(supabase, server):
    server.order("PATCH", 404, times=99)
    with pytest.raises(StorageError, match="404"):
        put(supabase)
    assert len(server.made("POST")) == resumable.TRIES


def test_an_offset_that_never_fits_is_no_name_taken(supabase, server):
    class Rewound(io.BytesIO):
        """Has the server lose what it took, each time before a chunk."""

        def seek(self, offset, whence=0):
            for upload in server.uploads.values():
                upload.path.write_bytes(b"" if offset else b"x")
            return super().seek(offset, whence)

    with pytest.raises(StorageError, match="409"):
        supabase.put("uploads", "big.csv", Rewound(CONTENT), len(CONTENT), "text/csv")


@pytest.mark.parametrize("patience", [1.0])
def test_an_upload_has_a_bound_as_a_whole(supabase, server):
    server.order("PATCH", "hang", times=99)
    began = time.monotonic()
    with pytest.raises(DeadlineError):
        put(supabase)
    assert time.monotonic() - began < 60  # 1 s, as each call has, and 13 MB at 4 MB/s
    assert ("uploads", "big.csv") not in server.objects


def test_nothing_is_seen_before_it_is_whole(supabase, server):
    seen = []

    class Looking(io.BytesIO):
        def read(self, size=-1):
            seen.append(("uploads", "big.csv") in server.objects)
            return super().read(size)

    supabase.put("uploads", "big.csv", Looking(CONTENT), len(CONTENT), "text/csv")
    assert seen
    assert not any(seen)


def test_a_name_taken_is_a_conflict_unless_it_is_to_be_replaced(supabase, server):
    put(supabase, content=b"a\n")
    with pytest.raises(ConflictError, match="upsert=true"):
        put(supabase)
    assert server.objects["uploads", "big.csv"].content == b"a\n"
    put(supabase, upsert=True)
    assert server.objects["uploads", "big.csv"].content == CONTENT


def test_of_two_uploads_at_once_storage_keeps_the_last(supabase, server):
    class Rival(io.BytesIO):
        def read(self, size=-1):
            if ("uploads", "big.csv") not in server.objects:
                put(supabase, content=b"first\n")
            return super().read(size)

    supabase.put("uploads", "big.csv", Rival(CONTENT), len(CONTENT), "text/csv")
    assert server.objects["uploads", "big.csv"].content == CONTENT


@pytest.mark.parametrize(
    ("bucket", "error"),
    [
        (None, BucketNotFoundError),
        (Bucket(lambda *_: True, size_limit=7 << 20), TooLargeError),
        (Bucket(lambda *_: True, types=("image/png",)), UnsupportedMediaError),
    ],
)
def test_what_the_bucket_does_not_take(supabase, server, user, bucket, error):
    server.buckets = {"uploads": bucket} if bucket else {}
    with pytest.raises(error):
        put(supabase)
    with pytest.raises(error):
        put(supabase, token=user[1])
    assert server.objects == {}
    assert not server.made("PATCH")


def test_names_are_spelt_as_in_any_upload(supabase, server):
    assert put(supabase, "日本語.csv") == "uploads/=E6=97=A5=E6=9C=AC=E8=AA=9E.csv"
    assert ("uploads", "=E6=97=A5=E6=9C=AC=E8=AA=9E.csv") in server.objects


def test_an_open_file_stays_open(supabase, server):
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        supabase.put("uploads", "big.csv", file, len(CONTENT), "text/csv")
        assert not file.closed
    assert server.objects["uploads", "big.csv"].content == CONTENT


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://abcdefgh.supabase.co", "https://abcdefgh.storage.supabase.co"),
        ("https://abcdefgh.supabase.co/", "https://abcdefgh.storage.supabase.co"),
        ("https://supabase.example.com", "https://supabase.example.com"),
        ("http://127.0.0.1:54321", "http://127.0.0.1:54321"),
        ("https://evil.example/.supabase.co", "https://evil.example/.supabase.co"),
    ],
)
def test_a_hosted_project_takes_large_files_at_its_storage_s_own_name(url, host):
    assert find_endpoint(url) == f"{host}/storage/v1/upload/resumable"
