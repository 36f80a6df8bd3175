"""Ports for servers that are told where to listen."""

import itertools
import os
import secrets
import socket

# Below what systems hand to outgoing connections: none of the many that tests have open can come by one of these
# before its server listens, or while that is stopped.
FIRST, COUNT = 20_000, 10_000

# Each process of tests has a share of its own, and gives no port twice before it has given all of them.
_SHARE = COUNT // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_SHARE_FIRST = FIRST + _SHARE * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_numbers = itertools.count(secrets.randbelow(_SHARE))  # other runs on this machine begin elsewhere


def free_port() -> int:
    """One on loopback where nobody listens, and that no other test's server is given meanwhile."""
    while True:
        port = _SHARE_FIRST + next(_numbers) % _SHARE
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what was closed lately is free
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
