"""A small shop to ask about, and servers that speak the vendors' wire protocols."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from sqlchat.providers.base import Message, Task
from sqlchat.sql.catalog import Catalog, Column, Table


@pytest.fixture
def task() -> Task:
    catalog = Catalog((Table("orders", (Column("id", "integer"), Column("total", "numeric"))),), "postgres", "public")
    messages = (
        Message("system", "You write SQL. Answer with JSON."),
        Message("system", "orders(id, total)"),
        Message("user", "How many orders are there?"),
    )
    return Task("How many orders are there?", catalog, messages)


@pytest.fixture
def cutting_server() -> Iterator[str]:
    """Its URL: it promises a body, sends a part of it, and breaks off, each time."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"id": "x'
                )

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(100)


@pytest.fixture
def dripping_server() -> Iterator[str]:
    """Its URL: it answers at once and then sends a byte of the body now and then, so that no read times out."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{")
            while not over.wait(0.2):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=drip, args=[connection], daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    over.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(100)
