"""The socket of one reader: connects without waiting, over TLS if so told, and connects again with back-off."""

from __future__ import annotations

import errno
import random
import selectors
import socket
import ssl
from contextlib import suppress

import msgspec
import structlog

from services.logistics.rfid.llrp.plan import Plan
from services.logistics.rfid.llrp.session import Broken, Happening, Session
from services.logistics.rfid.llrp.sights import Sights

PORT = 5084
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 0.5, 30.0
READ_BYTES = 256 * 1024
_WAITS = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
log = structlog.get_logger(__name__)


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """A reader as it was set up: where it is and what it is to do. Looking a host's name up holds up the other readers."""

    id: str
    host: str
    port: int = PORT
    plan: Plan = Plan()
    certificate: str = ""
    """PEM of the certificate that it shows, or of who signed that; with it the connection is TLS."""


class Link:
    """A reader's connection, whether there is one or not."""

    def __init__(self, reader: Reader, tls: ssl.SSLContext | None = None) -> None:
        self.reader, self._tls = reader, tls
        self.sights = Sights(reader.id)
        self.session: Session | None = None
        self.socket: socket.socket | None = None
        self.error = ""
        self.connections = 0
        self._asks_version = True
        self._is_open = False
        self._handshake_wishes = selectors.EVENT_WRITE
        self._back_off_s = FIRST_BACK_OFF_S
        self._again_at = 0

    @property
    def is_ready(self) -> bool:
        """Whether the reader is set up and reads."""
        return self.session is not None and self.session.is_ready

    @property
    def wishes(self) -> int:
        """What the selector should wait for."""
        if not self._is_open:
            return self._handshake_wishes
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self.session and self.session.outgoing else 0)

    def begin(self, now_us: int) -> bool:
        """Connect when it is time to; whether there is a new socket to listen to."""
        if self.socket is not None or now_us < self._again_at:
            return False
        family = socket.AF_INET6 if ":" in self.reader.host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.session = Session(self.reader.plan, self.sights, asks_version=self._asks_version, now_us=now_us)
        try:
            failed = self.socket.connect_ex((self.reader.host, self.reader.port))
        except OSError as error:  # a name that is none
            self.lose(error, now_us)
            return False
        if failed not in (0, errno.EINPROGRESS):
            self.lose(OSError(failed, "cannot connect"), now_us)
            return False
        return True

    def work(self, mask: int, now_us: int) -> list[Happening]:
        """Hear what the socket has. Raises Broken or OSError when the connection is lost: then call ``lose``."""
        assert self.socket is not None and self.session is not None
        if not self._is_open and not self._open():
            return []
        return self._read(now_us) if mask & selectors.EVENT_READ else []

    def _open(self) -> bool:
        assert self.socket is not None
        if failed := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(failed, "cannot connect")
        try:
            if self._tls is not None:
                self._shake_hands(self._tls)
        except ssl.SSLWantReadError:
            self._handshake_wishes = selectors.EVENT_READ
            return False
        except ssl.SSLWantWriteError:
            self._handshake_wishes = selectors.EVENT_WRITE
            return False
        self._is_open = True
        self.connections += 1
        return True

    def _shake_hands(self, tls: ssl.SSLContext) -> None:
        if not isinstance(self.socket, ssl.SSLSocket):
            assert self.socket is not None
            self.socket = tls.wrap_socket(
                self.socket, server_hostname=self.reader.host, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
        self.socket.do_handshake()

    def _read(self, now_us: int) -> list[Happening]:
        assert self.socket is not None and self.session is not None
        try:
            data = self.socket.recv(READ_BYTES)
            while isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
                data += self.socket.recv(READ_BYTES)
        except _WAITS:
            return []
        if not data:
            raise Broken("the reader hung up")
        return self.session.receive(data, now_us)

    def write(self, now_us: int) -> None:
        """Send what is to be sent, as far as it goes. Raises as ``work`` does, also when what was heard ended it all."""
        assert self.socket is not None and self.session is not None
        self.session.check_time(now_us)
        if self.session.is_ready:
            self._back_off_s, self.error = FIRST_BACK_OFF_S, ""
        if not self._is_open:
            return
        with suppress(*_WAITS):
            while self.session.outgoing:
                sent = self.socket.send(self.session.outgoing)
                del self.session.outgoing[:sent]

    def check_time(self, now_us: int) -> None:
        """Raises Broken when the reader is overdue with an answer or silent."""
        if self.session is not None:
            self.session.check_time(now_us)

    def lose(self, why: Exception, now_us: int) -> None:
        """Close what is left of the connection and wait before the next; a little less or more, so that not all come at once."""
        asked = self.session is not None and self.session.is_asking_version
        self.error = str(why)
        self.close()
        if asked:  # a reader of 1.0.1 may hang up at the question for its version
            self._asks_version, self._again_at = False, now_us
            return
        log.warning("reader lost", reader=self.reader.id, error=self.error)
        self._again_at = now_us + int(self._back_off_s * random.uniform(0.8, 1.2) * 1e6)
        self._back_off_s = min(2 * self._back_off_s, LONGEST_BACK_OFF_S)

    def close(self) -> None:
        """Close the socket, if there is one."""
        if self.socket is not None:
            self.socket.close()
        self.socket, self.session, self._is_open = None, None, False
        self._handshake_wishes = selectors.EVENT_WRITE
