"""Passes bytes on between two sockets, as a proxy does."""

import contextlib
import select
import socket
import ssl


def relay(first: socket.socket, second: socket.socket) -> None:
    """Pass on what comes, in one thread, until one of them ends; then end both. Either may speak TLS.

    Two threads must not use one TLS connection: OpenSSL may then take a good record for a broken one.
    """
    ends = {first: second, second: first}
    with contextlib.suppress(OSError, ValueError):
        while True:
            unread = [each for each in ends if isinstance(each, ssl.SSLSocket) and each.pending()]
            for source in unread or select.select(list(ends), [], [])[0]:
                if not (data := source.recv(1 << 16)):
                    return
                ends[source].sendall(data)
