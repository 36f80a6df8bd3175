"""Sends and receives messages over a socket: a length of eight bytes, then as many bytes."""

from __future__ import annotations

import socket
import time

HEAD = 8
PIECE = 1 << 16
"""Bytes of one read; longer messages are sent without a copy."""


def send(line: socket.socket, message: bytes) -> None:
    """Raises OSError when the other end is gone, and TimeoutError past the socket's timeout."""
    head = len(message).to_bytes(HEAD, "big")
    if len(message) > PIECE:
        line.sendall(head)
        line.sendall(message)
    else:
        line.sendall(head + message)


def receive(line: socket.socket, until: float | None = None) -> bytes | bytearray:
    """The next message. Raises EOFError when the other end is gone, and TimeoutError past `until` (monotonic)."""
    begun = _read(line, until)
    while len(begun) < HEAD:
        begun += _read(line, until)
    body, size = begun[HEAD:], int.from_bytes(begun[:HEAD], "big")
    if len(body) == size:
        return body
    whole = bytearray(size)
    whole[: len(body)] = body
    missing = memoryview(whole)[len(body) :]
    while missing:
        _set_timeout(line, until)
        try:
            count = line.recv_into(missing)
        except ConnectionError:
            count = 0
        if not count:
            raise EOFError
        missing = missing[count:]
    return whole


def _read(line: socket.socket, until: float | None) -> bytes:
    _set_timeout(line, until)
    try:
        data = line.recv(PIECE)
    except ConnectionError:
        data = b""
    if not data:
        raise EOFError
    return data


def _set_timeout(line: socket.socket, until: float | None) -> None:
    if until is not None:
        line.settimeout(max(0.001, until - time.monotonic()))
