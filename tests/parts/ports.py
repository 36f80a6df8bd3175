"""Ports for servers that are told where to listen."""

import secrets
import socket

# Below what systems hand to outgoing connections: none of the many that tests have open can come by one of these
# before its server listens, or while that is stopped.
FIRST, COUNT = 20_000, 10_000


def free_port() -> int:
    """One on loopback where nobody listens, and that another test's server will hardly be given as well."""
    while True:
        port = FIRST + secrets.randbelow(COUNT)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what was closed lately is free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
