"""The sockets of simulated readers: one thread for all of them, each on a port of its own, one client a reader."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from chassis import clock
from services.logistics.rfid.simulator.llrp_reader import LlrpReader, Told

LOOK_EVERY_S = 0.05
READ_BYTES = 65_536


class LlrpServer:
    """Readers on ports of a host. ``at`` says what time it is by a reader's own clock, given our time in microseconds."""

    def __init__(self, host: str = "127.0.0.1", at: Callable[[str, int], int] = lambda id, now_us: now_us) -> None:
        self._host, self._at = host, at
        self._readers: dict[str, LlrpReader] = {}
        self._listeners: dict[str, socket.socket] = {}
        self._clients: dict[str, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="llrp", daemon=True)

    def add(self, id: str, reader: LlrpReader, port: int = 0) -> int:
        """Let a reader listen; its port."""
        listener = socket.create_server((self._host, port))
        listener.setblocking(False)
        with self._lock:
            self._readers[id], self._listeners[id] = reader, listener
            self._selector.register(listener, selectors.EVENT_READ, id)
        return listener.getsockname()[1]

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def see(self, id: str, tags: list[Told]) -> None:
        """Let a reader see tags, by its own clock."""
        with self._lock:
            self._readers[id].see(tags, self._now(id))
            self._write(id)

    def set_input(self, id: str, port: int, *, is_high: bool) -> None:
        """Let an input of a reader change."""
        with self._lock:
            self._readers[id].set_input(port, self._now(id), is_high=is_high)
            self._write(id)

    def is_reading(self, id: str) -> bool:
        """Whether a client has set a reader to work."""
        with self._lock:
            return self._readers[id].is_reading

    def cut(self, id: str) -> None:
        """Break a reader's connection; it reads on and holds what it cannot send."""
        with self._lock:
            self._drop(id)

    def close(self) -> None:
        """Let go of all clients and ports."""
        self._is_closing.set()
        self._thread.join()
        with self._lock:
            for id in list(self._clients):
                self._drop(id)
            for listener in self._listeners.values():
                listener.close()
            self._selector.close()

    def _now(self, id: str) -> int:
        return self._at(id, round(clock.now().timestamp() * 1e6))

    def _run(self) -> None:
        while not self._is_closing.is_set():
            for key, mask in self._selector.select(LOOK_EVERY_S):
                with self._lock:
                    self._work(key.data, key.fileobj, mask)
            with self._lock:
                for id, reader in self._readers.items():
                    reader.check_time(self._now(id))
                    self._write(id)

    def _work(self, id: str, fileobj: object, mask: int) -> None:
        if fileobj is self._listeners[id]:
            self._accept(id)
            return
        client = self._clients.get(id)
        if client is None or fileobj is not client:
            return
        if mask & selectors.EVENT_READ:
            try:
                data = client.recv(READ_BYTES)
            except BlockingIOError:
                data = None
            except OSError:
                data = b""
            if data == b"":
                self._drop(id)
                return
            if data:
                self._readers[id].receive(data, self._now(id))
        self._write(id)

    def _accept(self, id: str) -> None:
        with suppress(OSError):
            client, _ = self._listeners[id].accept()
            if id in self._clients:
                client.close()
                return
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._clients[id] = client
            self._selector.register(client, selectors.EVENT_READ, id)
            self._readers[id].connect(self._now(id))
            self._write(id)

    def _write(self, id: str) -> None:
        """Send what is to be sent, as far as it goes; the selector says when it goes on."""
        client, reader = self._clients.get(id), self._readers[id]
        if client is None:
            return
        try:
            while reader.outgoing:
                sent = client.send(reader.outgoing)
                del reader.outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(id)
            return
        if reader.is_over and not reader.outgoing:
            self._drop(id)
            return
        wishes = selectors.EVENT_READ | (selectors.EVENT_WRITE if reader.outgoing else 0)
        if self._selector.get_key(client).events != wishes:
            self._selector.modify(client, wishes, id)

    def _drop(self, id: str) -> None:
        client = self._clients.pop(id, None)
        if client is not None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(client)
            client.close()
            self._readers[id].disconnect()
