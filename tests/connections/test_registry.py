"""Which class serves which provider."""

import pytest

from sqlchat.connections.base import Connection
from sqlchat.connections.registry import connection_class
from sqlchat.errors import ProviderUnknownError


@pytest.mark.parametrize(
    ("provider", "class_name"),
    [
        ("postgres", "PostgresConnection"),
        ("sqlite", "SQLiteConnection"),
        ("duckdb", "DuckDBConnection"),
        ("mysql", "MySQLConnection"),
        ("spark", "SparkConnection"),
        ("files", "FilesConnection"),
    ],
)
def test_every_provider_has_a_class_that_answers_to_its_name(provider, class_name):
    found = connection_class(provider)
    assert found.__name__ == class_name
    assert issubclass(found, Connection)
    assert found.provider == provider


def test_an_unknown_provider_is_told_the_known_ones():
    with pytest.raises(ProviderUnknownError) as caught:
        connection_class("oracle")
    assert caught.value.detail == (
        "There is no connection provider 'oracle'; known are postgres, sqlite, duckdb, mysql, spark, files."
    )
