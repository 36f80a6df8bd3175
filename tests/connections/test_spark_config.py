"""What a connection to Spark may be made of, and what its server is told of it."""

import pytest
from certificates import Authority

from sqlchat.connections.spark.config import read_config
from sqlchat.errors import ConnectionConfigError

HOST = {"host": "spark.example.com"}
ALLOWED = ("s3a://lake/", "/data", "file:///data", "abfss://c@a.dfs.core.windows.net/x")


def read(**fields):
    return read_config(HOST | fields, ALLOWED)


def test_a_url_is_taken_apart():
    found = read_config(
        {
            "url": "sc://dbc-1.example.com:443/;token=dapi%3D1;use_ssl=true;user_id=ann;x-databricks-cluster-id=1-2;"
            "user_agent=me"
        },
        (),
    )
    assert (found.host, found.port, found.token, found.user) == ("dbc-1.example.com", 443, "dapi=1", "ann")
    assert (found.sslmode, found.headers) == ("verify-full", (("x-databricks-cluster-id", "1-2"),))
    assert "dapi" not in repr(found)
    assert "1-2" not in repr(found)
    assert read_config({"url": "sc://[::1]"}, ()).host == "::1"


def test_what_is_left_out_has_a_default():
    plain = read()
    assert (plain.port, plain.sslmode, plain.token, plain.catalog, plain.session_id) == (15002, "disable", "", "", "")
    assert read(token="t" * 3000).sslmode == "verify-full"
    assert read(token="t", sslmode="disable").sslmode == "disable"
    with pytest.raises(ConnectionConfigError, match="verify-full"):
        read(sslrootcert=Authority().pem, sslmode="disable")
    assert read(sslrootcert=Authority().pem).sslmode == "verify-full"


@pytest.mark.parametrize(
    "url",
    [
        "spark.example.com",
        "http://spark.example.com",
        "sc://",
        "sc://user:password@spark.example.com",
        "sc://spark.example.com/path",
        "sc://spark.example.com:99999",
        "sc://spark.example.com/?token=x",
        "sc://spark.example.com/;token",
        "sc://spark.example.com/;token=%ff",
        "sc://spark.example.com/;grpc_proxy=evil",
        "sc://spark.example.com/;X-Upper=1",
        "sc://spark.example.com/;x-a=line%0abreak",
        "sc://spark.example.com/;x-secret-bin=1",
        "sc://spark.example.com/;session_id=mine",
        "sc://spark.example.com/#x",
        5,
    ],
)
def test_urls_that_say_something_else(url):
    with pytest.raises(ConnectionConfigError) as caught:
        read_config({"url": url}, ())
    assert "password" not in caught.value.detail.replace("user and password", "")


@pytest.mark.parametrize(
    "fields",
    [
        {"host": ""},
        {"password": "x"},
        {"port": "0"},
        {"sslmode": "prefer"},
        {"token": "line\nbreak"},
        {"token": 5},
        {"token": "ü"},
        {"headers": {"authorization": "x"}},
        {"headers": {"x-a": "line\nbreak"}},
        {"headers": ["x-a"]},
        {"session_id": "not-a-uuid"},
        {"catalog": "a\0b"},
        {"url": "sc://other.example.com"},
        {"url": "sc://h/;token=a", "host": None, "token": "b"},
    ],
)
def test_fields_that_do_not_fit(fields):
    with pytest.raises(ConnectionConfigError):
        read(**fields)


@pytest.mark.parametrize(
    ("table", "format"),
    [
        ("s3a://lake/orders/", "parquet"),
        ("s3a://lake/orders/year=2024/", "parquet"),
        ("/data/people.csv", "csv"),
        ("/data/events.JSONL", "json"),
        ("/data", "parquet"),
        ("file:///data/x.orc", "orc"),
        ("abfss://c@a.dfs.core.windows.net/x/y", "parquet"),
        ({"path": "s3a://lake/orders", "format": "delta"}, "delta"),
    ],
)
def test_paths_below_an_allowed_one_are_named(table, format):
    (found,) = read(tables={"orders": table}).tables.values()
    assert found.format == format
    assert found.path == (table if isinstance(table, str) else table["path"])


@pytest.mark.parametrize(
    "path",
    [
        "s3a://lake", "s3a://lakes/orders", "s3a://other/lake/", "/database/x", "/data/../etc/passwd", "/data/./x",
        "/data/*.csv", "/data/{a,b}", "/data/a,/etc/passwd", "/data/%2e%2e/etc", "/data/a b", "data/x", "",
        "/etc/passwd", "file:/etc", "http://169.254.169.254/data", "/data\n/x", "S3A://lake/x", "s3a://lake/x?y",
        "/data/x#y", "jdbc:mysql://h/d", "s3a://user:secret@lake/x",
    ],
)  # fmt: skip
def test_other_paths_are_refused(path):
    with pytest.raises(ConnectionConfigError, match="tables"):
        read(tables={"orders": path})


def test_no_path_is_named_where_the_operator_allows_none():
    with pytest.raises(ConnectionConfigError, match="SQLCHAT_SPARK_PATHS"):
        read_config(HOST | {"tables": {"orders": "/data/x"}}, ())


@pytest.mark.parametrize(
    "tables",
    [
        ["/data/x"], {"a b": "/data/x"}, {"a`b": "/data/x"}, {"1a": "/data/x"}, {"a": 5}, {"a": {"format": "csv"}},
        {"a": {"path": "/data/x", "format": "jdbc"}}, {"a": {"path": "/data/x", "format": ["csv"]}},
        {"a": {"path": "/data/x", "options": {}}}, {"a": "/data/x", "A": "/data/y"}, {"a.b": "/data/x"},
    ],
)  # fmt: skip
def test_tables_that_do_not_fit(tables):
    with pytest.raises(ConnectionConfigError, match="tables"):
        read(tables=tables)
