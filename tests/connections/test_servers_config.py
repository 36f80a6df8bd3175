"""What the config of a connection to a server may hold."""

from urllib.parse import quote

import pytest

from sqlchat.connections.servers.config import read_server_config
from sqlchat.errors import ConnectionConfigError

SSLMODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
NEEDED = {"host": "db.example.com", "database": "analytics", "user": "reader"}


def read(config):
    return read_server_config(
        config, schemes=("postgresql", "postgres"), port=5432, sslmodes=("prefer", "require"), schema=True
    )


def test_the_fields():
    found = read(NEEDED | {"password": "p", "port": 6543, "sslmode": "require", "schema": "a, b"})
    assert (found.host, found.port, found.database, found.user) == ("db.example.com", 6543, "analytics", "reader")
    assert (found.password, found.sslmode, found.schema) == ("p", "require", "a, b")
    assert read(NEEDED | {"port": "6543", "password": None}).port == 6543
    assert read(NEEDED).port == 5432
    assert "p4ss" not in repr(read(NEEDED | {"password": "p4ss"}))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_url_is_taken_apart_into_the_same_fields(scheme):
    url = f"{scheme}://re%40der:p%2Fw%25@[2001:db8::1]:6543/my%20db?sslmode=require&schema=a%2Cb"
    found = read({"url": url})
    assert (found.host, found.port, found.database) == ("2001:db8::1", 6543, "my db")
    assert (found.user, found.password, found.sslmode, found.schema) == ("re@der", "p/w%", "require", "a,b")


def test_fields_beside_a_url_complete_it():
    assert read({"url": "postgres://reader@db.example.com/analytics", "password": "p"}).password == "p"
    with pytest.raises(ConnectionConfigError, match="user is given both"):
        read({"url": "postgres://reader@db.example.com/analytics", "user": "x"})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "host, database, user is missing"),
        (NEEDED | {"host": ""}, "host is missing"),
        (NEEDED | {"options": "-c x"}, "unknown field options; known are host"),
        (NEEDED | {"service": "x", "passfile": "y"}, "unknown field passfile, service"),
        (NEEDED | {"port": 0}, "port"),
        (NEEDED | {"port": "x"}, "port"),
        (NEEDED | {"port": True}, "port"),
        (NEEDED | {"port": "٣"}, "port"),
        (NEEDED | {"host": ["a"]}, "host: must be a text"),
        (NEEDED | {"password": "a\0b"}, "password: must be"),
        (NEEDED | {"password": "\ud800"}, "password: is not valid Unicode"),
        (NEEDED | {"database": "a" * 1001}, "database: must be at most"),
        (NEEDED | {"sslmode": "maybe"}, "sslmode: must be one of prefer, require"),
        ({"url": "mysql://reader@h/d"}, "url: begins with mysql://"),
        ({"url": "postgresql://postgres:[YOUR-PASSWORD]@db.x.co:5432/d"}, "in place of [YOUR-PASSWORD]"),
        ({"url": "postgres://reader@h:port/d"}, "url: does not read like"),
        ({"url": "postgres://reader@[h/d"}, "url: does not read like"),
        ({"url": "postgres://reader:s3cret@h/d?service=x&host=/tmp"}, "unknown parameter 'host, service'"),
        *[
            ({"url": f"postgres://reader:s3cret@h/d?sslmode=require&{name}=/etc/x"}, f"unknown parameter {name!r}")
            for name in ("passfile", "hostaddr", "sslcrl", "servicefile", "port", "dbname")
        ],
        *[
            ({"url": f"postgres://reader:s3cret@h/d?options={quote(options)}"}, "only `-c search_path=...`")
            for options in (
                "-c",
                "-c statement_timeout=0",
                "-c search_path=a -c role=x",
                "--cluster=x -c role=y",
                "search_path=a",
            )
        ],
        ({"url": "postgres://reader:s3cret@h/d?sslcert=/etc/x&sslkey=/etc/y"}, "certificates in files are not read"),
        ({"url": "postgres://reader:s3cret@h/d?sslrootcert=/etc/ca.pem"}, "as text in the field sslrootcert"),
        ({"url": "postgres://reader:s3cret@h/d?gssencmode=require"}, "Kerberos"),
        ({"url": "postgres://reader:s3cret@h/d?channel_binding=maybe"}, "`channel_binding` is"),
        ({"url": "postgres://reader:s3cret@h/d?sslmode=disable&ssl=true"}, "two things of sslmode"),
        ({"url": "postgres://reader:s3cret@h/d?schema=a&options=-csearch_path%3Db"}, "two things of schema"),
        ({"url": "oracle+psycopg2://reader:s3cret@h/d"}, "url: begins with oracle://"),
        ({"url": "postgres:///d"}, "host, user is missing"),
        ({"url": "postgres://reader:s3cret@h/d#x"}, "url: does not read like"),
        ({"url": "postgres://reader:s3cret%00@h/d"}, "password: must be"),
        ({"url": "postgres://reader:s3cret%ff@h/d"}, "url: does not read like"),
    ],
)
def test_a_config_that_cannot_be(config, words):
    with pytest.raises(ConnectionConfigError) as caught:
        read(config)
    assert words in caught.value.detail
    assert "s3cret" not in caught.value.detail


URL = "postgresql://reader:p@db.example.com/analytics"


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("sslmode=require&channel_binding=require", {"sslmode": "require", "channel_binding": "require"}),
        ("pgbouncer=true&connection_limit=1&pool_timeout=20", {}),
        ("connect_timeout=10&application_name=my%20app", {}),
        ("supa=base-pooler.x&workaround=supabase-pooler.vercel", {}),
        ("target_session_attrs=read-write&keepalives=1&client_encoding=utf8", {}),
        ("ssl=true", {"sslmode": "require"}),
        ("sslrootcert=system", {"sslmode": "verify-full"}),
        ("options=-c%20search_path%3Dsales,public", {"schema": "sales,public"}),
        ("options=-csearch_path%3Dsales", {"schema": "sales"}),
        ("options=--search_path%3Dsales%5C%20data", {"schema": "sales data"}),
        ("options=endpoint%3Dep-cool-1", {}),
        ("currentSchema=sales&prepareThreshold=0", {"schema": "sales"}),
        ("sslmode=require&ssl=true", {"sslmode": "require"}),
        ("connect_timeout=", {}),
        ("sslmode=no-verify", {"sslmode": "require"}),
        ("sslmode=VERIFY-FULL", {"sslmode": "verify-full"}),
    ],
)
def test_what_vendors_add_is_taken_where_it_is_harmless(query, fields):
    plain = {"sslmode": "", "schema": "", "channel_binding": ""}
    found = read_server_config(
        {"url": f"{URL}?{query}"}, schemes=("postgresql",), port=5432, sslmodes=SSLMODES, schema=True
    )
    assert {name: getattr(found, name) for name in plain} == plain | fields
    assert (found.host, found.database, found.user, found.password) == ("db.example.com", "analytics", "reader", "p")


@pytest.mark.parametrize(
    "scheme", ["postgresql+psycopg2", "postgres+asyncpg", "postgresql+pg8000", "jdbc:postgresql"]
)
def test_a_driver_in_the_scheme_is_passed_over(scheme):
    assert read({"url": URL.replace("postgresql", scheme)}).host == "db.example.com"
    assert read({"url": f"{scheme}://h/d?user=ann&password=p%26q"}).password == "p&q"


@pytest.mark.parametrize(
    ("query", "sslmode"),
    [
        ("charset=utf8mb4", ""),
        ("ssl-mode=REQUIRED", "require"),
        ("ssl_mode=VERIFY_IDENTITY", "verify-full"),
        ("sslMode=VERIFY_CA&useUnicode=true&characterEncoding=UTF-8", "verify-ca"),
        ("ssl-mode=DISABLED", "disable"),
        ("sslaccept=strict", "verify-full"),
        ('ssl={"rejectUnauthorized":true}', "verify-full"),
        ("useSSL=true&serverTimezone=UTC&allowPublicKeyRetrieval=true", "require"),
        ("useSSL=true&requireSSL=true&verifyServerCertificate=false&reconnect=true", "require"),
        ("useSSL=true&verifyServerCertificate=true", "verify-ca"),
        ("ssl_verify_identity=true", "verify-full"),
        ("parseTime=true&loc=Local&timeout=5s", ""),
    ],
)
@pytest.mark.parametrize("scheme", ["mysql", "mysql+pymysql", "mariadb+mariadbconnector"])
def test_so_is_what_is_written_for_mysql(scheme, query, sslmode):
    url = f"{scheme}://reader:p@h/d?{query}"
    found = read_server_config({"url": url}, schemes=("mysql", "mariadb"), port=3306, sslmodes=SSLMODES)
    assert (found.host, found.port, found.sslmode) == ("h", 3306, sslmode)


@pytest.mark.parametrize("name", ["init_command", "unix_socket", "local_infile", "read_default_file", "sql_mode"])
def test_what_a_driver_of_mysql_would_do_more_is_refused(name):
    with pytest.raises(ConnectionConfigError, match=f"unknown parameter '{name}'"):
        read_server_config({"url": f"mysql://u:p@h/d?{name}=x"}, schemes=("mysql",), port=3306, sslmodes=SSLMODES)
    with pytest.raises(ConnectionConfigError, match="has no schema"):
        read_server_config({"url": "mysql://u:p@h/d?schema=x"}, schemes=("mysql",), port=3306, sslmodes=SSLMODES)


@pytest.mark.parametrize("wrapped", ["psql '{}'", "DATABASE_URL={}", 'export DB_URL="{}"', " '{}' "])
def test_a_url_is_found_in_what_stands_around_it(wrapped):
    assert read({"url": wrapped.format(URL)}).host == "db.example.com"


def test_the_project_behind_a_pooler_becomes_part_of_the_user():
    assert read({"url": f"{URL}?options=reference%3Dabcdef"}).user == "reader.abcdef"
    assert read({"url": URL.replace("reader", "reader.x") + "?options=reference%3Dabcdef"}).user == "reader.x"


@pytest.mark.parametrize("character", "/?#[]")
@pytest.mark.parametrize("around", ["s3{}cret", "{}s3cret", "s3cret{}", "12{}s3cret", "s3{}cr=et&x"])
def test_a_password_that_is_not_encoded_is_told_how_to_be(around, character):
    password = around.format(character)
    with pytest.raises(ConnectionConfigError) as caught:
        read({"url": f"postgresql://reader:{password}@db.example.com:5432/analytics?sslmode=require"})
    assert all(words in caught.value.detail for words in ("percent-encoded", "%2F", "fields of their own"))
    assert not any(part in caught.value.detail for part in ("s3", "cret", "cr=et"))
    encoded = quote(password, safe="")
    assert read({"url": f"postgresql://reader:{encoded}@db.example.com/analytics"}).password == password


@pytest.mark.parametrize(
    "text",
    [
        "host=db.example.com port=6432 dbname=d user=u@x password=pq sslmode=require connect_timeout=5",
        "psql \"host=db.example.com port=6432 dbname=d user=u@x password='pq' sslmode=require\"",
        "Server=db.example.com;Database=d;Port=6432;User Id=u@x;Password=pq;Ssl Mode=Require;Timeout=5;",
    ],
    ids=["libpq", "psql", "net"],
)
def test_texts_of_pairs_are_taken(text):
    found = read({"url": text})
    assert (found.host, found.port, found.database, found.user) == ("db.example.com", 6432, "d", "u@x")
    assert (found.password, found.sslmode) == ("pq", "require")


@pytest.mark.parametrize(
    "text",
    ["host=h dbname=d user=u passfile=/x", "host=h service=s", "Server=h;Password=s3;cret=t;x"],
)
def test_of_texts_of_pairs_nothing_else_is_taken_or_named(text):
    with pytest.raises(ConnectionConfigError, match="url: of such a text only") as caught:
        read({"url": text})
    assert "cret" not in caught.value.detail


def test_what_go_writes_is_taken():
    url = "u:p/w@x@tcp(h.example.com:3307)/d?tls=skip-verify&parseTime=true"
    found = read_server_config({"url": url}, schemes=("mysql",), port=3306, sslmodes=SSLMODES)
    assert (found.host, found.port, found.user, found.password) == ("h.example.com", 3307, "u", "p/w@x")
    assert found.sslmode == "require"


@pytest.mark.parametrize("placeholder", ["[YOUR-PASSWORD]", "{your_password}", "<password>", "****************"])
def test_a_password_that_was_not_filled_in_is_named(placeholder):
    with pytest.raises(ConnectionConfigError, match="put the password in place of"):
        read({"url": f"postgresql://u:{placeholder}@h/d"})


@pytest.mark.parametrize(
    "query",
    [
        "readOnly=true&loginTimeout=9&loggerLevel=OFF&reWriteBatchedInserts=true",
        "useServerPrepStmts=true&cachePrepStmts=true&zeroDateTimeBehavior=CONVERT_TO_NULL&autoReconnect=true",
        "uselibpqcompat=true&load_balance_hosts=random&sslcert=&sslkey=",
        "options=--cluster%3Dx-1",
    ],
)
def test_what_other_clients_add_is_passed_over(query):
    assert read({"url": f"postgresql://u:p@h/d?{query}"}).schema == ""


def test_ssl_may_name_a_mode():
    assert read({"url": "postgresql+asyncpg://u:p@h/d?ssl=require"}).sslmode == "require"
