"""What goes over the wire to a store on Postgres."""

import dataclasses
import socket
import threading

import pytest

from sqlchat.store import Entry


class Wire:
    """Stands between the store and Postgres, and keeps the messages to it."""

    def __init__(self, port):
        self.messages = []
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lines = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for line in (self._listener, *self._lines):
            line.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server))
            self._lines += [client, server]
            threading.Thread(target=self._carry, args=(client, server, self.messages), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, []), daemon=True).start()

    @staticmethod
    def _carry(source, target, kept):
        try:
            while data := source.recv(1 << 16):
                kept.append(data)
                target.sendall(data)
        except OSError:
            return


@pytest.fixture
def wire(postgres_database):
    wire = Wire(postgres_database["port"])
    yield wire
    wire.close()


@pytest.fixture
def store(on_postgres, make_store, postgres_database, wire):
    url = on_postgres.database_url.replace(f":{postgres_database['port']}/", f":{wire.port}/")
    store = make_store(dataclasses.replace(on_postgres, database_url=f"{url}?sslmode=disable&gssencmode=disable"))
    store.upgrade()
    store.connections.add("ann", "warehouse", "sqlite", {})
    store.history.add(Entry("ann", "warehouse", "execute"))
    return store


@pytest.mark.parametrize(
    ("work", "statement"),
    [
        (lambda store: store.connections.version("ann", "warehouse"), b"SELECT"),
        (lambda store: store.user_settings.get("ann"), b"SELECT"),
        (lambda store: store.history.page("ann", limit=10), b"SELECT"),
        (lambda store: store.history.add(Entry("ann", "warehouse", "execute")), b"INSERT INTO sqlchat.history"),
    ],
    ids=["version", "settings", "page", "entry"],
)
def test_what_requests_do_takes_one_message_that_has_a_timeout(store, wire, work, statement):
    work(store)
    wire.messages.clear()
    work(store)
    (message,) = wire.messages
    assert message[5:].startswith(b"SET LOCAL statement_timeout = '5s'; " + statement)


def test_the_timeout_stays_with_its_message(store):
    """Behind a pooler, the next one on that connection may be somebody else."""
    with store.history._database._quick.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        with connection.connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)
