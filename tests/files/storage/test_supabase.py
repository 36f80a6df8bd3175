"""Supabase Storage through the real client, against a server of the tests' own that speaks its protocol."""

import io
import json
import tempfile
import threading

import pytest
from supabase_storage_server import VALID_KEY
from werkzeug import Request, Response

from sqlchat.config import Settings
from sqlchat.errors import (
    BucketNotFoundError,
    ConflictError,
    DeadlineError,
    FileNotFoundInStorageError,
    ForbiddenError,
    StorageError,
    TooLargeError,
    UnauthorizedError,
    UnsupportedMediaError,
)
from sqlchat.files.names import make_safe_name
from sqlchat.files.storage import open_storage
from sqlchat.files.storage.local import LocalStorage
from sqlchat.files.storage.supabase import SupabaseStorage
from sqlchat.files.storage.supabase_keys import make_object_key, read_object_name

CONTENT = b"id,name\n1,Ada\n"
PATH = "/storage/v1/object/uploads/a.csv"


@pytest.fixture
def storage(httpserver):
    opened = open_storage(settings(httpserver.url_for("").rstrip("/")))
    yield opened
    opened.close()


def settings(url, timeout=100.0):
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
        ("a;b.csv", "a=3Bb.csv"),
    ],
)
def test_keys_hold_only_what_storage_allows(storage, httpserver, name, key):
    assert make_object_key(name) == key
    httpserver.expect_oneshot_request(f"/storage/v1/object/uploads/{key}", method="POST").respond_with_json(
        stored(key)
    )
    assert put(storage, name) == f"uploads/{key}"


@pytest.mark.parametrize(
    "name",
    [
        "Отчет по продажам за третий квартал две тысячи двадцать пятого года (итог).xlsx",
        "ä" * 98 + ".csv",
        "第三四半期売上報告書" * 6 + ".csv",
        "📈📉🧮🗂️" * 10 + "~.parquet",
    ],
)
def test_a_long_name_of_any_script_fits_a_file_system_below_storage(name):
    assert make_safe_name(name) == name
    for folder in ("", "folder/"):
        key = make_object_key(f"{folder}{name}")
        assert max(map(len, key.split("/"))) <= 255
        assert VALID_KEY.fullmatch(key)
        assert read_object_name(key) == f"{folder}{name}"


@pytest.mark.parametrize("key", ["==!", "==0ca24w", "==99999999999", "==ü", "==" + "a" * 250, "==" + "9" * 9999])
def test_a_key_of_another_program_s_is_some_name(key):
    assert read_object_name(key).encode()


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (400, ("409", "Duplicate", "The resource already exists"), ConflictError, "upsert=true"),
        (409, ("409", "KeyAlreadyExists", "The resource already exists"), ConflictError, "upsert=true"),
        (400, ("404", "Bucket not found", "Bucket not found"), BucketNotFoundError, "'uploads'"),
        (404, ("404", "NoSuchBucket", "Bucket not found"), BucketNotFoundError, "'uploads'"),
        (400, ("413", "Payload too large", "The object exceeded the maximum allowed size"), TooLargeError, "size"),
        (400, ("415", "invalid_mime_type", "mime type text/csv is not supported"), UnsupportedMediaError, "text/csv"),
        (400, ("400", "InvalidRequest", "mime type text/csv is not supported"), UnsupportedMediaError, "text/csv"),
        (400, ("403", "Unauthorized", "new row violates row-level security policy"), StorageError, "refused"),
        (400, ("403", "Unauthorized", "Invalid Compact JWS"), StorageError, "SUPABASE_SERVICE_ROLE_KEY"),
        (400, ("400", "InvalidJWT", "jwt expired"), StorageError, "SUPABASE_SERVICE_ROLE_KEY"),
        (400, ("400", "InvalidRequest", "Invalid Compact JWS"), StorageError, "SUPABASE_SERVICE_ROLE_KEY"),
        (500, ("500", "InternalError", "Internal server error"), StorageError, "status 500"),
        (429, ("429", "too_many_connections", "Too many connections issued to the database"), StorageError, "again"),
        (400, ("503", "DatabaseReadOnly", "The database is in read-only mode."), StorageError, "again"),
        (400, ("423", "ResourceLocked", "The resource is locked"), StorageError, "again"),
        (400, ("409", "TransactionError", "the transaction was rolled back"), StorageError, "status 409"),
        (400, ("404", "InvalidRequest", "The related resource does not exist"), BucketNotFoundError, "'uploads'"),
        (
            400,
            ("404", "The specified key does not exist.", "NoSuchKey"),
            FileNotFoundInStorageError,
            "'uploads/a.csv'",
        ),
        (404, (404, "Not Found", "Route POST:/object/uploads/a.csv not found"), StorageError, "SUPABASE_URL"),
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
    ("body", "error", "words"),
    [
        (("403", "Unauthorized", "new row violates row-level security policy"), ForbiddenError, "policy"),
        (("403", "Unauthorized", "permission denied for table objects"), ForbiddenError, "policy"),
        (("403", "Unauthorized", "jwt expired"), UnauthorizedError, "sign in"),
        (("403", "Unauthorized", "no applicable key found in the JSON Web Key Set"), UnauthorizedError, "sign in"),
        (
            ("403", "Unauthorized", '"alg" (Algorithm) Header Parameter value not allowed'),
            UnauthorizedError,
            "sign in",
        ),
        (("400", "Error", "headers must have required property 'authorization'"), StorageError, "status 400"),
        (("403", "Access Denied", "AccessDenied"), StorageError, "object store"),
        (
            ("403", "The request signature we calculated does not match", "SignatureDoesNotMatch"),
            StorageError,
            "store",
        ),
    ],
)
def test_refusals_of_a_caller_s_own_token(storage, httpserver, body, error, words):
    refuse(httpserver, 400, dict(zip(("statusCode", "error", "message"), body, strict=True)))
    with pytest.raises(error, match=words) as refused:
        put(storage, token="the-caller-s-token")
    assert "the-caller-s-token" not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Invalid authentication credentials"},
        {"message": "No API key found in request"},
        {"message": "Invalid API key", "hint": "Double check your API key."},
    ],
)
@pytest.mark.parametrize("token", [None, "the-caller-s-token"])
def test_a_gateway_that_does_not_take_the_project_s_key_asks_nobody_to_sign_in(storage, httpserver, body, token):
    refuse(httpserver, 401, body)
    with pytest.raises(StorageError, match="SUPABASE_ANON_KEY"):
        put(storage, token=token)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, StorageError),
        (520, StorageError),
        (524, DeadlineError),
        (403, StorageError),
        (413, TooLargeError),
        (502, StorageError),
        (503, StorageError),
        (504, DeadlineError),
    ],
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


def test_what_a_cache_on_the_way_keeps_is_not_asked_for(storage, httpserver):
    httpserver.expect_request(PATH).respond_with_data(CONTENT)
    for _ in range(2):
        storage.fetch("uploads", "a.csv", io.BytesIO())
    first, second = (request.args["cacheNonce"] for request, _ in httpserver.log)
    assert first != second


def test_an_object_that_the_store_behind_storage_has_lost_is_not_there(storage, httpserver):
    httpserver.expect_request(PATH).respond_with_json(
        {"statusCode": "404", "error": "Not found", "message": "The resource was not found"}, status=400
    )
    with pytest.raises(FileNotFoundInStorageError, match=r"'uploads/a\.csv'"):
        storage.fetch("uploads", "a.csv", io.BytesIO())


@pytest.mark.parametrize("facts", [None, {}, {"mimetype": "text/csv"}, {"size": None}, {"size": "large"}, "text"])
def test_a_row_that_another_program_made_without_a_size_costs_no_other_its_place(storage, httpserver, facts):
    entry = {"id": "0d4f", "updated_at": "2021-03-04T05:06:07+00:00"}
    whole = entry | {"name": "b.csv", "metadata": {"eTag": "5f", "size": 14, "mimetype": "text/csv"}}
    odd = entry | {"name": "c.csv", "updated_at": "lately", "metadata": {"size": "15"}}
    httpserver.expect_request("/storage/v1/object/list/uploads").respond_with_json(
        [entry | {"name": "a.csv", "metadata": facts}, whole, odd]
    )
    found = storage.list("uploads", "")
    assert [(each.name, each.size_bytes) for each in found] == [("b.csv", 14), ("c.csv", 15)]
    assert found[1].updated_at is None


@pytest.mark.parametrize("missing", ["eTag", "mimetype"])
def test_what_an_old_version_did_not_note_is_done_without(storage, httpserver, missing):
    when = "2021-03-04T05:06:07+00:00"
    facts = {"eTag": '"5f"', "size": 14, "mimetype": "text/csv"}
    entry = {"name": "a.csv", "id": "0d4f", "updated_at": when, "metadata": {**facts, missing: None}}
    left_out = {key: value for key, value in facts.items() if key != missing}
    httpserver.expect_request("/storage/v1/object/list/uploads").respond_with_json(
        [entry, {**entry, "name": "b.csv", "metadata": left_out}]
    )
    found = storage.list("uploads", "")
    assert [each.name for each in found] == ["a.csv", "b.csv"]
    expected = {"eTag": ("text/csv", when), "mimetype": ("application/octet-stream", "5f")}[missing]
    assert {(each.content_type, each.version) for each in found} == {expected}


def test_an_object_that_is_not_whole_is_not_there(storage, httpserver):
    httpserver.expect_request("/storage/v1/object/info/uploads/a.csv").respond_with_json(
        {"name": "a.csv", "size": None, "content_type": None, "etag": None, "last_modified": None}
    )
    with pytest.raises(FileNotFoundInStorageError, match=r"'uploads/a\.csv'"):
        storage.stat("uploads", "a.csv")


def test_a_secret_key_of_the_new_kind_goes_in_both_headers(httpserver):
    seen = []

    def answer(request: Request) -> Response:
        seen.append((request.headers["Apikey"], request.headers["Authorization"]))
        return Response(json.dumps(stored("a.csv")), content_type="application/json")

    httpserver.expect_request(PATH).respond_with_handler(answer)
    url = httpserver.url_for("").rstrip("/")
    storage = open_storage(Settings(supabase_url=url, supabase_service_role_key="sb_secret_of-the-tests"))
    put(storage)
    put(storage, token="the-caller-s-token")
    storage.close()
    key = "sb_secret_of-the-tests"
    assert seen == [(key, f"Bearer {key}"), (key, "Bearer the-caller-s-token")]


def test_a_redirect_is_not_followed_with_the_key(storage, httpserver):
    httpserver.expect_request(PATH).respond_with_data("", status=307, headers={"Location": "/elsewhere"})
    with pytest.raises(StorageError):
        put(storage)
    assert "/elsewhere" not in {request.path for request, _ in httpserver.log}


def test_no_answer_in_time(httpserver):
    over = threading.Event()
    httpserver.expect_request(PATH).respond_with_handler(lambda _: (over.wait(100), Response("{}"))[1])
    storage = open_storage(settings(httpserver.url_for(""), timeout=0.3))
    with pytest.raises(DeadlineError, match=r"0\.3 s"):
        put(storage)
    over.set()
    storage.close()


def test_a_server_that_is_down():
    storage = open_storage(settings("http://127.0.0.1:9"))
    with pytest.raises(StorageError, match="reached"):
        put(storage)
    storage.close()
