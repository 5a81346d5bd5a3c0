"""A SOCKS5 proxy that can be cut: an outage between our clients and a Kafka that goes on running.

A plain TCP proxy would be bypassed, because clients go to the address that Kafka advertises; through SOCKS they go there too.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from threading import Lock, Thread

_OK = b"\x05\x00\x00\x01" + bytes(6)


class CuttableProxy:
    """Listens on a free port of 127.0.0.1 until closed. ``cut`` breaks all connections and refuses new ones until ``mend``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"socks5://127.0.0.1:{self._server.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Begin an outage."""
        with self._lock:
            self._is_cut = True
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """End it."""
        with self._lock:
            self._is_cut = False

    def close(self) -> None:
        """Stop."""
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            if not self._enter(near):
                return
            with self._connect_as_asked(near) as far:
                if self._enter(far):
                    near.sendall(_OK)
                    back = Thread(target=_pump, args=(far, near), daemon=True)
                    back.start()
                    _pump(near, far)
                    back.join()
                self._leave(far)
        self._leave(near)

    def _enter(self, end: socket.socket) -> bool:
        with self._lock:
            if not self._is_cut:
                self._open.add(end)
            return not self._is_cut

    def _leave(self, end: socket.socket) -> None:
        with self._lock:
            self._open.discard(end)

    def _connect_as_asked(self, near: socket.socket) -> socket.socket:
        """RFC 1928 without authentication, for an IPv4 address or a name."""
        _, methods = _take(near, 2)
        _take(near, methods)
        near.sendall(b"\x05\x00")
        kind = _take(near, 4)[3]
        host = socket.inet_ntoa(_take(near, 4)) if kind == 1 else _take(near, _take(near, 1)[0]).decode()
        (port,) = struct.unpack(">H", _take(near, 2))
        return socket.create_connection((host, port))


def _take(end: socket.socket, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        part = end.recv(size - len(taken))
        if not part:
            raise ConnectionError("closed in the handshake")
        taken += part
    return taken


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(1 << 16):
            target.sendall(part)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
