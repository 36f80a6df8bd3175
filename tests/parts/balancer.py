"""A proxy: each connection goes to the next of several hosts, and past one that is down."""

import contextlib
import itertools
import socket
import threading


class Balancer:
    """Listens on `port` of loopback until it is closed."""

    def __init__(self, ports):
        self._ports, self._numbers = ports, itertools.count()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            host = self._connect()
            if host is None:
                return
            with host:
                back = threading.Thread(target=_copy, args=(host, client), daemon=True)
                back.start()
                _copy(client, host)
                back.join()

    def _connect(self):
        first = next(self._numbers)
        for number in range(first, first + len(self._ports)):
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self._ports[number % len(self._ports)]), 5)
        return None


def _copy(source, target):
    """Copy bytes until `source` ends, then end `target`."""
    source.settimeout(120)
    target.settimeout(120)
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
