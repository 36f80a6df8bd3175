"""What is known of stored objects, reading, listing and removing them, and whose token decides."""

import io
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from supabase_storage_kept import Bucket, own_folder, own_folder_for_writing
from supabase_storage_server import SERVICE_KEY

from sqlchat.config import Settings
from sqlchat.errors import (
    BucketNotFoundError,
    ConflictError,
    DeadlineError,
    FileNotFoundInStorageError,
    ForbiddenError,
    StorageError,
    UnauthorizedError,
)
from sqlchat.files.storage import open_storage

CONTENT = b"id,name\n1,Ada\n"
JWT_SECRET = "only for these tests, and nowhere else in use"
LARGE = bytes(7 << 20)


def put(storage, name="a.csv", content=CONTENT, **options):
    return storage.put("uploads", name, io.BytesIO(content), len(content), "text/csv", **options)


def fetched(storage, name, **options):
    target = io.BytesIO()
    storage.fetch("uploads", name, target, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    "name", ["a.csv", "日本語 (1) +&=?.csv", "folder/ü=41.csv", "a;b,c@d$e!.csv", "ü" * 95 + ".csv"]
)
def test_an_object_is_found_by_the_name_it_was_put_under(supabase, name):
    path = put(supabase, name)
    assert path == f"uploads/{supabase.spell_key(name)}"
    assert supabase.read_name(supabase.spell_key(name)) == name
    found = supabase.stat("uploads", name)
    assert (found.name, found.size_bytes, found.content_type) == (name, len(CONTENT), "text/csv")
    assert abs(found.updated_at - datetime.now(UTC)) < timedelta(minutes=10)
    assert fetched(supabase, name) == CONTENT
    folder = name.rpartition("/")[0]
    assert supabase.list("uploads", folder) == [found]
    supabase.delete("uploads", name)
    assert supabase.list("uploads", folder) == []


def test_a_version_changes_with_the_content(supabase):
    put(supabase)
    first = supabase.stat("uploads", "a.csv").version
    put(supabase, content=b"id\n2\n", upsert=True)
    assert supabase.stat("uploads", "a.csv").version != first


@pytest.mark.parametrize("act", ["stat", "delete", "fetch"])
def test_what_is_not_there(supabase, server, act):
    extra = [io.BytesIO()] if act == "fetch" else []
    with pytest.raises(FileNotFoundInStorageError, match=r"'uploads/no\.csv'"):
        getattr(supabase, act)("uploads", "no.csv", *extra)
    server.buckets.clear()
    with pytest.raises(BucketNotFoundError, match="'uploads'"):
        getattr(supabase, act)("uploads", "no.csv", *extra)


def test_a_bucket_that_is_not_there_has_no_list_and_an_empty_one_has(supabase, server, user):
    for token in (None, user[1]):
        assert supabase.list("uploads", "", token=token) == []
    server.buckets.clear()
    for token in (None, user[1]):
        with pytest.raises(BucketNotFoundError, match="'uploads'"):
            supabase.list("uploads", "", token=token)


def test_a_server_that_tells_nothing_of_buckets_has_lists(supabase, server):
    server.order("GET", 403, path="/bucket/")
    assert supabase.list("uploads", "") == []


def test_what_may_be_seen_and_not_removed_is_forbidden(supabase, server, user):
    sub, token = user
    server.buckets["uploads"].policy = lambda action, sub, key: action != "delete"
    put(supabase, f"{sub}/a.csv", token=token)
    with pytest.raises(ForbiddenError, match="remove"):
        supabase.delete("uploads", f"{sub}/a.csv", token=token)
    assert ("uploads", f"{sub}/a.csv") in server.objects


def test_a_list_holds_what_is_right_in_the_folder_whole_and_named_by_us(supabase, server):
    for name in ("b.csv", "a.csv", "deeper/c.csv"):
        put(supabase, name)
    server.objects["uploads", "a=41.csv"] = server.objects["uploads", "a.csv"]  # another program's: it spells aA.csv
    assert [found.name for found in supabase.list("uploads", "")] == ["a.csv", "b.csv"]
    assert [found.name for found in supabase.list("uploads", "deeper")] == ["deeper/c.csv"]
    assert supabase.list("uploads", "nowhere") == []


def test_a_long_list_comes_whole(supabase, server):
    put(supabase)
    kept = server.objects["uploads", "a.csv"]
    server.objects.update({("uploads", f"{number:05}.csv"): kept for number in range(2500)})
    assert len({found.name for found in supabase.list("uploads", "")}) == 2501
    assert len(server.made("POST", "/object/list/")) == 3


def test_a_large_object_is_fetched_in_pieces(supabase):
    put(supabase, content=LARGE * 3)

    class Target:
        largest = total = 0

        def write(self, piece):
            self.largest, self.total = max(self.largest, len(piece)), self.total + len(piece)

    target = Target()
    supabase.fetch("uploads", "a.csv", target)
    assert target.total == len(LARGE) * 3
    assert target.largest <= 1 << 20


def test_a_disk_that_is_full_is_the_target_s_fault(supabase):
    put(supabase)

    class Full:
        def write(self, piece):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        supabase.fetch("uploads", "a.csv", Full())


@pytest.mark.parametrize(("kind", "patience"), [("hang", 2.0), (500, 100.0), ("lost", 100.0)])
@pytest.mark.parametrize("act", ["stat", "list", "fetch", "delete"])
def test_a_server_in_trouble(supabase, server, act, kind):
    put(supabase)
    method = {"list": "POST", "delete": "DELETE"}.get(act, "GET")
    server.order(method, kind)
    arguments = {"list": [""], "fetch": ["a.csv", io.BytesIO()]}.get(act, ["a.csv"])
    with pytest.raises(DeadlineError if kind == "hang" else StorageError):
        getattr(supabase, act)("uploads", *arguments)


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "resumable"])
class TestWhoseToken:
    def test_a_caller_s_object_is_put_with_the_caller_s_token(self, supabase, server, user, content):
        server.buckets["uploads"].policy = own_folder
        sub, token = user
        put(supabase, f"{sub}/a.csv", content, token=token)
        assert server.objects["uploads", f"{sub}/a.csv"].owner == sub
        assert {call.headers["Authorization"] for call in server.calls} == {f"Bearer {token}"}
        assert {call.headers["Apikey"] for call in server.calls} == {SERVICE_KEY}
        assert fetched(supabase, f"{sub}/a.csv", token=token) == content
        assert [found.name for found in supabase.list("uploads", sub, token=token)] == [f"{sub}/a.csv"]
        put(supabase, f"{sub}/a.csv", content, token=token, upsert=True)
        supabase.delete("uploads", f"{sub}/a.csv", token=token)
        assert server.objects == {}

    def test_without_one_it_is_the_service_s_key(self, supabase, server, content):
        put(supabase, content=content)
        assert {call.headers["Authorization"] for call in server.calls} == {f"Bearer {SERVICE_KEY}"}

    def test_what_no_policy_allows_is_forbidden(self, supabase, server, user, content):
        server.buckets["uploads"].policy = own_folder
        _, token = user
        with pytest.raises(ForbiddenError, match="'uploads'"):
            put(supabase, "somebody-else/a.csv", content, token=token)
        assert server.objects == {}

    def test_a_policy_of_inserting_alone(self, supabase, server, user, content):
        server.buckets["uploads"].policy = own_folder_for_writing
        sub, token = user
        put(supabase, f"{sub}/a.csv", content, token=token)
        with pytest.raises(ConflictError):
            put(supabase, f"{sub}/a.csv", content, token=token)
        with pytest.raises(ForbiddenError):
            put(supabase, f"{sub}/a.csv", content, token=token, upsert=True)
        for act in (supabase.stat, supabase.delete):
            with pytest.raises(FileNotFoundInStorageError):
                act("uploads", f"{sub}/a.csv", token=token)
        assert supabase.list("uploads", sub, token=token) == []

    @pytest.mark.parametrize("fault", ["expired", "forged", "malformed"])
    def test_a_token_that_storage_does_not_take(self, supabase, server, user, content, fault):
        sub, token = user
        claims = {"sub": sub, "aud": "authenticated", "exp": int(time.time()) - (60 if fault == "expired" else -60)}
        secret = "another secret than that of the server, and as long" if fault == "forged" else JWT_SECRET
        token = jwt.encode(claims, secret, "HS256") if fault != "malformed" else "nonsense"
        with pytest.raises(UnauthorizedError, match="sign in again") as refused:
            put(supabase, f"{sub}/a.csv", content, token=token)
        assert token not in str(refused.value)
        for act, arguments in ((supabase.stat, ()), (supabase.fetch, (io.BytesIO(),)), (supabase.delete, ())):
            with pytest.raises(UnauthorizedError, match="sign in again"):
                act("uploads", f"{sub}/a.csv", *arguments, token=token)
        with pytest.raises(UnauthorizedError, match="sign in again"):
            supabase.list("uploads", sub, token=token)


def test_a_service_key_that_is_refused_is_the_operator_s_to_mend(server):
    storage = open_storage(Settings(supabase_url=server.url, supabase_service_role_key="an old key"))
    for act, arguments in ((put, ()), (fetched, ("a.csv",)), (type(storage).stat, ("uploads", "a.csv"))):
        with pytest.raises(StorageError, match="SUPABASE_SERVICE_ROLE_KEY"):
            act(storage, *arguments)
    storage.close()


def test_an_anon_key_goes_with_the_caller_s_token_alone(server, user):
    server.buckets = {"uploads": Bucket(policy=own_folder)}
    storage = open_storage(
        Settings(supabase_url=server.url, supabase_service_role_key=SERVICE_KEY, supabase_anon_key="anon-key")
    )
    sub, token = user
    put(storage, f"{sub}/a.csv", token=token)
    put(storage)
    assert [call.headers["Apikey"] for call in server.calls] == ["anon-key", SERVICE_KEY]
    storage.close()
