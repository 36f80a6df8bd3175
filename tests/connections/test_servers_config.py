"""What the config of a connection to a server may hold."""

import pytest

from sqlchat.connections.servers.config import server_config
from sqlchat.errors import ConnectionConfigError

NEEDED = {"host": "db.example.com", "database": "analytics", "user": "reader"}


def read(config):
    return server_config(
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
        ({"url": "mysql://reader@h/d"}, "url: does not read like"),
        ({"url": "postgres://reader@h:port/d"}, "url: does not read like"),
        ({"url": "postgres://reader@[h/d"}, "url: does not read like"),
        ({"url": "postgres://reader:s3cret@h/d?options=-c&host=/tmp"}, "unknown parameter 'host, options'"),
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
