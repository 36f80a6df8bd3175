"""Supabase Storage through the real client, against a server of the tests' own that speaks its protocol."""

import io
import json
import tempfile
import time

import pytest
from werkzeug import Request, Response

from sqlchat.config import Settings
from sqlchat.errors import (
    BucketNotFoundError,
    ConflictError,
    DeadlineError,
    StorageError,
    TooLargeError,
    UnsupportedMediaError,
)
from sqlchat.files.storage import open_storage
from sqlchat.files.storage.local import LocalStorage
from sqlchat.files.storage.supabase import SupabaseStorage, object_key

CONTENT = b"id,name\n1,Ada\n"
PATH = "/storage/v1/object/uploads/a.csv"


@pytest.fixture
def storage(httpserver):
    opened = open_storage(settings(httpserver.url_for("").rstrip("/")))
    yield opened
    opened.close()


def settings(url, timeout=5.0):
    return Settings(supabase_url=url, supabase_service_role_key="service-role-key", storage_timeout=timeout)


def put(storage, name="a.csv", content=CONTENT, **options):
    return storage.put("uploads", name, io.BytesIO(content), len(content), "text/csv", **options)


def stored(name):
    return {"Id": "0d4f", "Key": f"uploads/{name}"}


def refuse(httpserver, status, body):
    httpserver.expect_request(PATH, method="POST").respond_with_json(body, status=status)


def test_the_settings_choose_the_storage(tmp_path):
    assert isinstance(open_storage(settings("https://project.example")), SupabaseStorage)
    without_key = Settings(supabase_url="https://project.example", data_dir=tmp_path)
    assert isinstance(open_storage(without_key), LocalStorage)


def test_an_upload_on_the_wire(storage, httpserver):
    seen = {}

    def answer(request: Request) -> Response:
        file = request.files["file"]
        seen.update(
            headers=dict(request.headers),
            form=dict(request.form),
            body=file.read(),
            file_name=file.filename,
            content_type=file.content_type,
        )
        return Response(json.dumps(stored("a.csv")), content_type="application/json")

    httpserver.expect_oneshot_request(PATH, method="POST").respond_with_handler(answer)
    assert put(storage) == "uploads/a.csv"
    assert (seen["body"], seen["file_name"], seen["content_type"]) == (CONTENT, "a.csv", "text/csv")
    assert seen["form"] == {"cacheControl": "3600"}
    assert seen["headers"]["Authorization"] == "Bearer service-role-key"
    assert seen["headers"]["Apikey"] == "service-role-key"
    assert seen["headers"]["X-Upsert"] == "false"
    assert seen["headers"]["Content-Type"].startswith("multipart/form-data")


def test_upsert_is_asked_for(storage, httpserver):
    httpserver.expect_oneshot_request(PATH, method="POST", headers={"X-Upsert": "true"}).respond_with_json(
        stored("a.csv")
    )
    assert put(storage, upsert=True) == "uploads/a.csv"


def test_a_file_is_sent_in_pieces(storage, httpserver):
    class Counted(io.RawIOBase):
        largest, left = 0, 5 << 20

        def readable(self):
            return True

        def read(self, size=-1):
            Counted.largest = max(Counted.largest, size if size >= 0 else self.left)
            piece = min(size if size >= 0 else self.left, self.left)
            self.left -= piece
            return bytes(piece)

        def seek(self, offset, whence=0):
            total = 5 << 20
            at = {0: 0, 1: total - self.left, 2: total}[whence] + offset
            self.left = total - at
            return at

        def tell(self):
            return (5 << 20) - self.left

    lengths = []

    def answer(request: Request) -> Response:
        lengths.append(len(request.files["file"].read()))
        assert request.headers["Content-Length"]
        return Response(json.dumps(stored("a.csv")), content_type="application/json")

    httpserver.expect_oneshot_request(PATH, method="POST").respond_with_handler(answer)
    storage.put("uploads", "a.csv", Counted(), 5 << 20, "text/csv")
    assert lengths == [5 << 20]
    assert Counted.largest <= 1 << 20


def test_an_open_file_is_sent_from_its_beginning(storage, httpserver):
    bodies = []

    def answer(request: Request) -> Response:
        bodies.append(request.files["file"].read())
        return Response(json.dumps(stored("a.csv")), content_type="application/json")

    httpserver.expect_oneshot_request(PATH, method="POST").respond_with_handler(answer)
    with tempfile.TemporaryFile() as file:
        file.write(CONTENT)
        storage.put("uploads", "a.csv", file, len(CONTENT), "text/csv")
        assert not file.closed
    assert bodies == [CONTENT]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("plain name (1).csv", "plain name (1).csv"),
        ("日本語.csv", "=E6=97=A5=E6=9C=AC=E8=AA=9E.csv"),
        ("a=b~{c}.csv", "a=3Db=7E=7Bc=7D.csv"),
        ("folder/ü.csv", "folder/=C3=BC.csv"),
    ],
)
def test_keys_hold_only_what_storage_allows(storage, httpserver, name, key):
    assert object_key(name) == key
    httpserver.expect_oneshot_request(f"/storage/v1/object/uploads/{key}", method="POST").respond_with_json(
        stored(key)
    )
    assert put(storage, name) == f"uploads/{key}"


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, ("409", "Duplicate", "The resource already exists"), ConflictError, "upsert=true"),
        (409, ("409", "KeyAlreadyExists", "The resource already exists"), ConflictError, "upsert=true"),
        (400, ("404", "Bucket not found", "Bucket not found"), BucketNotFoundError, "'uploads'"),
        (404, ("404", "NoSuchBucket", "Bucket not found"), BucketNotFoundError, "'uploads'"),
        (400, ("413", "Payload too large", "The object exceeded the maximum allowed size"), TooLargeError, "size"),
        (400, ("415", "invalid_mime_type", "mime type text/csv is not supported"), UnsupportedMediaError, "text/csv"),
        (400, ("403", "Unauthorized", "new row violates row-level security policy"), StorageError, "refused"),
        (400, ("403", "Unauthorized", "Invalid Compact JWS"), StorageError, "SUPABASE_SERVICE_ROLE_KEY"),
        (400, ("400", "InvalidJWT", "jwt expired"), StorageError, "SUPABASE_SERVICE_ROLE_KEY"),
        (400, ("400", "InvalidRequest", "Invalid Compact JWS"), StorageError, "SUPABASE_SERVICE_ROLE_KEY"),
        (500, ("500", "InternalError", "Internal server error"), StorageError, "status 500"),
        (544, ("544", "DatabaseTimeout", "The connection to the database timed out"), DeadlineError, "timed out"),
        (400, ("400", "InvalidRequest", "something new"), StorageError, "status 400"),
    ],
)
def test_refusals_are_told_in_our_words(storage, httpserver, status, body, error, words):
    refuse(httpserver, status, dict(zip(("statusCode", "error", "message"), body, strict=True)))
    with pytest.raises(error, match=words) as refused:
        put(storage)
    assert "service-role-key" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, StorageError), (413, TooLargeError), (502, StorageError), (503, StorageError), (504, DeadlineError)],
)
def test_a_gateway_in_front_answers_no_json(storage, httpserver, status, error):
    httpserver.expect_request(PATH).respond_with_data("<html>nginx</html>", status=status)
    with pytest.raises(error):
        put(storage)


@pytest.mark.parametrize("body", ["<html>", "[]", '{"no": "key"}', "null", ""])
def test_garbage_is_a_storage_error(storage, httpserver, body):
    httpserver.expect_request(PATH).respond_with_data(body, content_type="application/json")
    with pytest.raises(StorageError, match="SUPABASE_URL"):
        put(storage)


@pytest.mark.parametrize("body", [["a"], {"statusCode": None, "error": None, "message": None}, 5])
def test_a_refusal_in_another_shape_is_a_storage_error(storage, httpserver, body):
    refuse(httpserver, 400, body)
    with pytest.raises(StorageError):
        put(storage)


def test_a_redirect_is_not_followed_with_the_key(storage, httpserver):
    httpserver.expect_request(PATH).respond_with_data("", status=307, headers={"Location": "/elsewhere"})
    with pytest.raises(StorageError):
        put(storage)
    assert len(httpserver.log) == 1


def test_no_answer_in_time(httpserver):
    httpserver.expect_request(PATH).respond_with_handler(lambda _: (time.sleep(1.5), Response("{}"))[1])
    storage = open_storage(settings(httpserver.url_for(""), timeout=0.3))
    with pytest.raises(DeadlineError, match=r"0\.3 s"):
        put(storage)
    storage.close()


def test_a_server_that_is_down():
    storage = open_storage(settings("http://127.0.0.1:9"))
    with pytest.raises(StorageError, match="reached"):
        put(storage)
    storage.close()
