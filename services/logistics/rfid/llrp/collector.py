"""Listens to all readers at once: one loop with one selector, whose ``step`` does a bounded piece of work."""

from __future__ import annotations

import queue
import selectors
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec
import structlog

from chassis import clock
from services.logistics.rfid.llrp.codec import Item
from services.logistics.rfid.llrp.link import Link, Reader
from services.logistics.rfid.llrp.session import Broken, Happening, Noticed

WAIT_S = 0.1
MOST_WAITING = 1_000
log = structlog.get_logger(__name__)


class LinkState(msgspec.Struct, frozen=True):
    """How it stands with a reader: ready to read, connections so far, the last error, repeated and malformed so far."""

    is_ready: bool
    connections: int
    error: str
    repeated: int
    malformed: int
    version: int
    heard_us: int
    """When something last came, by our clock; 0 without a connection."""


def now_us() -> int:
    """Our clock in microseconds."""
    return round(clock.now().timestamp() * 1e6)


class Collector:
    """Hands what readers tell to ``take``, each step's happenings in one list, in each reader's order.

    When ``take`` raises, they are kept and given again before anything more is read: the readers then hold what they have.
    """

    def __init__(
        self,
        readers: Iterable[Reader],
        take: Callable[[list[Happening]], None],
        *,
        tls: Callable[[Reader], ssl.SSLContext | None] = lambda reader: None,
    ) -> None:
        self._links: dict[str, Link] = {}
        self._selector = selectors.DefaultSelector()
        self._take, self._tls = take, tls
        self._untaken: list[Happening] = []
        self._switches: queue.Queue[tuple[str, dict[int, bool]]] = queue.Queue(MOST_WAITING)
        self.set_readers(readers)

    def set_readers(self, readers: Iterable[Reader]) -> None:
        """The readers to listen to from now on; one whose setting changed is connected anew."""
        wanted = {reader.id: reader for reader in readers}
        for id, link in list(self._links.items()):
            if wanted.get(id) != link.reader:
                self._forget(link)
                link.close()
                del self._links[id]
        for id, reader in wanted.items():
            if id not in self._links:
                self._links[id] = Link(reader, self._tls(reader))

    def switch(self, reader_id: str, outputs: dict[int, bool]) -> None:
        """Switch outputs of a reader (lamp, barrier); any thread may ask. Raises queue.Full when nobody works them off.

        A reader that is not ready gets nothing: ``take`` hears an ``OutputsNotSwitched``, for nobody may believe otherwise.
        """
        self._switches.put_nowait((reader_id, outputs))

    def step(self, wait_s: float = WAIT_S) -> int:
        """Listen until something comes, at most ``wait_s``; how many happenings were handed on."""
        now = now_us()
        if self._untaken:
            try:
                return self._hand_on()
            except Exception:
                self.switch_unheard()
                raise
        for link in self._links.values():
            if link.begin(now) and link.socket is not None:
                self._selector.register(link.socket, link.wishes, link)
        self._untaken += self._switch_waiting(now)
        for key, mask in self._selector.select(wait_s):
            self._work(key.data, mask)
        for link in self._links.values():
            self._check(link)
        return self._hand_on()

    def _hand_on(self) -> int:
        if not self._untaken:
            return 0
        self._take(self._untaken)
        count, self._untaken = len(self._untaken), []
        return count

    def switch_unheard(self) -> None:
        """Switch outputs although nothing is read meanwhile: a lamp must fall back also when what was read cannot be told."""
        with suppress(queue.Empty):
            while True:
                reader_id, outputs = self._switches.get_nowait()
                link = self._links.get(reader_id)
                if link is not None and link.session is not None:
                    link.session.switch_blindly(outputs)
        for link in self._links.values():
            if link.session is not None and link.session.outgoing:
                try:
                    link.write(now_us())
                except (Broken, OSError) as error:
                    self._lose(link, error)

    def _switch_waiting(self, now: int) -> list[Happening]:
        failed: list[Happening] = []
        with suppress(queue.Empty):
            while True:
                reader_id, outputs = self._switches.get_nowait()
                link = self._links.get(reader_id)
                if link is None or not link.is_ready or link.session is None:
                    failed.append(Noticed(reader_id, "OutputsNotSwitched", {"outputs": outputs}))
                    continue
                link.session.switch(outputs, now)
                self._listen(link)
        return failed

    def _work(self, link: Link, mask: int) -> None:
        before = link.socket
        try:
            self._untaken += link.work(mask, now_us())
            link.write(now_us())
        except Exception as error:
            if not isinstance(error, Broken | OSError):  # a bug of ours, which one reader met: the others are heard on
                log.exception("reader met a bug", reader=link.reader.id)
            self._lose(link, error)
            return
        if link.socket is not before and before is not None and link.socket is not None:
            self._selector.modify(link.socket, link.wishes, link)
        self._listen(link)

    def _check(self, link: Link) -> None:
        try:
            link.check_time(now_us())
        except Broken as error:
            self._lose(link, error)

    def _lose(self, link: Link, error: Exception) -> None:
        outputs = [] if link.session is None else link.session.outputs
        self._untaken += [Noticed(link.reader.id, "OutputsNotSwitched", {"outputs": one}) for one in outputs]
        self._untaken.append(Noticed(link.reader.id, "ReaderLost", {"error": str(error)}))
        self._forget(link)
        link.lose(error, now_us())

    def _listen(self, link: Link) -> None:
        if link.socket is not None and self._selector.get_key(link.socket).events != link.wishes:
            self._selector.modify(link.socket, link.wishes, link)

    def _forget(self, link: Link) -> None:
        if link.socket is not None:
            with suppress(KeyError, ValueError):
                self._selector.unregister(link.socket)

    def is_switching(self) -> bool:
        """Whether outputs are still to be switched, or the reader has not said yet that they are."""
        return not self._switches.empty() or any(link.session and link.session.outputs for link in self._links.values())

    def states(self) -> dict[str, LinkState]:
        """How it stands with each reader, by its id."""
        return {id: _state(link) for id, link in self._links.items()}

    def capabilities(self, reader_id: str) -> Item | None:
        """What a reader said that it can do, once it is connected."""
        session = self._links[reader_id].session
        return None if session is None else session.capabilities

    def close(self) -> None:
        """Let go of all readers; what they hold they keep for the next connection."""
        for link in self._links.values():
            self._forget(link)
            link.close()
        self._selector.close()


def _state(link: Link) -> LinkState:
    session = link.session
    return LinkState(
        is_ready=link.is_ready,
        connections=link.connections,
        error=link.error,
        repeated=link.sights.repeated,
        malformed=0 if session is None else session.malformed,
        version=0 if session is None else session.version,
        heard_us=0 if session is None else session.heard_at_us,
    )
